"""Crew: jobs done by several processes come back in order, and none is lost with a process or an error."""

import functools
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from evaluation.results.cache import Memo, Question
from evaluation.results.crew import Crew, cores


def waited(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.01)


def met(folder, own, others):
    """Ends when another process does the other job."""
    (folder / own).touch()
    waited(folder / others)
    return os.getpid()


def killed_elsewhere(folder, here):
    if os.getpid() != here:
        (folder / "dead").touch()
        os._exit(9)
    return "done here"


def test_results_come_in_the_order_of_the_jobs():
    jobs = [functools.partial(np.add, n, 0.1) for n in range(20)]
    for hands in (1, 2):
        with Crew(hands) as crew:
            assert crew.work(jobs) == [n + 0.1 for n in range(20)]
            assert len(crew.others) == hands - 1
        assert all(other.returncode == 0 for other in crew.others)


def test_two_processes_work_at_the_same_time_and_serve_twice(tmp_path):
    with Crew(2) as crew:
        for turn in ("first", "second"):
            folder = tmp_path / turn
            folder.mkdir()
            done = crew.work([functools.partial(met, folder, "a", "b"), functools.partial(met, folder, "b", "a")])
            assert done == [crew.others[0].pid, os.getpid()]


def test_one_job_needs_no_other_process():
    with Crew(4) as crew:
        assert crew.work([os.getpid]) == [os.getpid()]
        assert crew.work([]) == []
        assert crew.others == []


def test_an_error_is_no_result_and_stops_nobody():
    with Crew(2) as crew:
        assert crew.work([functools.partial(int, "x"), functools.partial(int, "3")] * 3) == [None, 3] * 3


def test_a_process_that_dies_leaves_its_job_to_this_one(tmp_path):
    with Crew(2) as crew:
        jobs = [
            functools.partial(killed_elsewhere, tmp_path, os.getpid()),
            functools.partial(waited, tmp_path / "dead"),
        ]
        assert crew.work(jobs) == ["done here", None]
    assert crew.others[0].returncode == 9


def test_a_process_that_died_before_its_next_job_stops_nobody():
    with Crew(2) as crew:
        assert crew.work([functools.partial(divmod, n, 2) for n in range(6)]) == [divmod(n, 2) for n in range(6)]
        crew.others[0].kill()
        crew.others[0].wait()
        assert crew.work([functools.partial(divmod, n, 3) for n in range(6)]) == [divmod(n, 3) for n in range(6)]


def test_every_job_works_on_its_own_copy():
    kept = [1]
    with Crew(1) as crew:
        crew.work([functools.partial(kept.append, 2)])
    assert kept == [1]


def test_another_process_finds_the_modules_and_files_of_this_one(tmp_path):
    """From any folder, whatever lies there, and without torch."""
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not this one')")
    code = (
        "import os, sys; from evaluation.results.crew import Crew\n"
        "with Crew(2) as crew:\n"
        "    lead = crew.work([os.getcwd] * 2)\n"
        "assert lead == [os.getcwd()] * 2 and len(crew.others) == 1 and 'torch' not in sys.modules"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}, check=True)


def test_hands_are_at_least_one():
    with pytest.raises(ValueError, match="hands must be at least 1, got 0"):
        Crew(0)
    assert cores() >= 1


def test_what_is_foreseen_is_not_made_again(tmp_path):
    questions = [[Question("a", n, functools.partial(divmod, 7, n)), Question("b", n, list)] for n in range(3)]
    for memo in (Memo(tmp_path / "kept", "code"), Memo()):
        with Crew(2) as crew:
            memo.foresee(questions, crew, fewest=7)
            assert memo.foreseen == {}
            memo.foresee(questions, crew, fewest=6)
        assert len(memo.foreseen) == 5  # all but 7 divided by 0
        assert memo.answer("a", 2, pytest.fail) == [3, 1]
        assert memo.answer("b", 0, pytest.fail) == []
        with pytest.raises(ZeroDivisionError):
            memo.answer(*questions[0][0])
    again = Memo(tmp_path / "kept", "code")
    with Crew(1) as crew:
        again.foresee(questions[1:], crew)
    assert again.foreseen == {}
    assert again.answer("a", 2, pytest.fail) == [3, 1]
