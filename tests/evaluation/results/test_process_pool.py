"""Results of a process pool come in order, and none is lost with a process or an error."""

import errno
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from evaluation.results.cache import CachedCall, ResultCache
from evaluation.results.process_pool import ProcessPool, cores, shared_memory_problem

ROOT = Path(__file__).resolve().parents[3]


def wait_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.01)


def meet(folder, own, other):
    """End when another process runs the other job; return this process."""
    (folder / own).touch()
    wait_for(folder / other)
    return os.getpid()


def die_elsewhere(folder, here):
    """End the process, unless it is ``here``."""
    if os.getpid() != here:
        (folder / "dead").touch()
        os._exit(9)
    return "run here"


def running(pid):
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def both_meet(pool, folder):
    """Run two jobs at the same time; return the other process."""
    folder.mkdir()
    first, second = pool.run([functools.partial(meet, folder, "a", "b"), functools.partial(meet, folder, "b", "a")])
    assert second == os.getpid() != first
    return first


def test_results_come_in_the_order_of_the_jobs():
    jobs = [functools.partial(np.add, n, 0.1) for n in range(20)]
    for processes in (1, 2):
        with ProcessPool(processes) as pool:
            assert pool.run(jobs) == [n + 0.1 for n in range(20)]


def test_two_processes_work_at_the_same_time_and_the_worker_ends_with_the_block(tmp_path):
    with ProcessPool(2) as pool:
        worker = both_meet(pool, tmp_path / "first")
        assert both_meet(pool, tmp_path / "second") == worker
        assert running(worker)
    assert not running(worker)


def test_one_job_needs_no_worker():
    with ProcessPool(4) as pool:
        assert pool.run([os.getpid]) == [os.getpid()]
        assert pool.run([]) == []
        assert pool.num_workers == 0


def test_three_jobs_have_two_workers_at_most(tmp_path):
    with ProcessPool(8) as pool:
        both_meet(pool, tmp_path / "two")
        assert pool.num_workers == 1
        pool.run([functools.partial(divmod, n, 2) for n in range(3)])
        assert pool.num_workers == 2


def test_an_error_gives_no_result_and_stops_no_other_job():
    with ProcessPool(2) as pool:
        assert pool.run([functools.partial(int, "x"), functools.partial(int, "3")] * 3) == [None, 3] * 3


def test_a_result_that_cannot_be_pickled_comes_from_this_process(tmp_path):
    with ProcessPool(2) as pool:
        first, second = pool.run([threading.Lock, functools.partial(time.sleep, 0.5)])
        assert (first.locked(), second) == (False, None)


def test_this_process_runs_the_job_of_a_worker_that_dies(tmp_path):
    with ProcessPool(2) as pool:
        jobs = [
            functools.partial(die_elsewhere, tmp_path, os.getpid()),
            functools.partial(wait_for, tmp_path / "dead"),
        ]
        assert pool.run(jobs) == ["run here", None]
        both_meet(pool, tmp_path / "again")  # with another worker


def test_a_worker_that_died_between_two_runs_stops_nothing(tmp_path):
    with ProcessPool(2) as pool:
        os.kill(both_meet(pool, tmp_path / "first"), signal.SIGKILL)
        assert pool.run([functools.partial(divmod, n, 3) for n in range(6)]) == [divmod(n, 3) for n in range(6)]
        both_meet(pool, tmp_path / "second")


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_workers_end_when_this_process_is_killed(tmp_path, state):
    """A parent killed without a chance to clean up leaves no process, neither idle nor in the middle of a job."""
    code = (
        "import functools, os, sys, time; from pathlib import Path; from evaluation.results.process_pool import *\n"
        "folder, here = Path(sys.argv[1]), os.getpid()\n"
        "pool = ProcessPool(2)\n"
        "sys.path.insert(0, sys.argv[2]); from test_process_pool import both_meet\n"
        "(folder / 'worker').write_text(str(both_meet(pool, folder / 'meet')))\n"
        "if sys.argv[3] == 'busy': pool.run([functools.partial(time.sleep, 3600)] * 2)\n"
        "time.sleep(3600)"
    )
    folder = str(Path(__file__).parent)
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), folder, state], cwd=ROOT)
    wait_for(tmp_path / "worker")
    time.sleep(0.2)
    worker = int((tmp_path / "worker").read_text())
    assert running(worker)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 30
    while running(worker):
        assert time.monotonic() < end, "the worker outlives the process that started it"
        time.sleep(0.05)


def test_each_job_works_on_its_own_copy():
    values = [1]
    with ProcessPool(1) as pool:
        pool.run([functools.partial(values.append, 2)])
    assert values == [1]


def test_workers_find_the_modules_and_files_of_this_process(tmp_path):
    """From any folder, whatever files are there; without torch, and without running an unguarded script again."""
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not this one')")
    (tmp_path / "script").mkdir()
    script = tmp_path / "script" / "unguarded.py"
    script.write_text(
        "import functools, os, sys; from pathlib import Path\n"
        "from evaluation.results.process_pool import ProcessPool\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r}); from test_process_pool import both_meet\n"
        "print('started')\n"
        "with ProcessPool(2) as pool:\n"
        f"    both_meet(pool, Path({str(tmp_path)!r}) / 'meet')\n"
        "    assert pool.run([os.getcwd] * 2) == [os.getcwd()] * 2\n"
        "    assert pool.run([functools.partial(eval, \"__import__('sys').modules.get('torch')\")] * 4) == [None] * 4\n"
        "    pool.run([functools.partial(print, 'said in a job')] * 1000)\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("started") == 1
    assert "said in a job" in found.stderr, "a worker prints to standard error"


def test_there_is_at_least_one_process():
    with pytest.raises(ValueError, match="processes must be at least 1, got 0"):
        ProcessPool(0)
    assert cores() >= 1


def test_precomputed_results_are_not_computed_again(tmp_path):
    calls = [[CachedCall("a", n, functools.partial(divmod, 7, n)), CachedCall("b", n, list)] for n in range(3)]
    for cache in (ResultCache(tmp_path / "stored", "code"), ResultCache()):
        with ProcessPool(2) as pool:
            cache.precompute(calls, pool, at_least=7)
            assert cache.precomputed == {}
            cache.precompute(calls, pool, at_least=6)
        assert len(cache.precomputed) == 5  # all but 7 divided by 0
        assert cache.get("a", 2, pytest.fail) == [3, 1]
        assert cache.get("b", 0, pytest.fail) == []
        with pytest.raises(ZeroDivisionError):
            cache.get(*calls[0][0])
    again = ResultCache(tmp_path / "stored", "code")
    with ProcessPool(1) as pool:
        again.precompute(calls[1:], pool)
    assert again.precomputed == {}
    assert again.get("a", 2, pytest.fail) == [3, 1]


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_unusable_shared_memory_is_one_sentence_and_one_process_does_the_work(monkeypatch, number):
    class Context:
        """Makes no semaphore, as on a full or read-only /dev/shm."""

        def Lock(self):
            raise OSError(number, os.strerror(number))

    shared_memory_problem.cache_clear()
    monkeypatch.setattr("multiprocessing.get_context", lambda _: Context())
    try:
        assert f"cannot be used ({os.strerror(number)}), so one process makes the report" in shared_memory_problem()
        with ProcessPool(4) as pool:
            assert pool.run([functools.partial(pow, n, 2) for n in range(5)]) == [0, 1, 4, 9, 16]
            assert (pool.processes, pool.num_workers) == (1, 0)
    finally:
        shared_memory_problem.cache_clear()


def test_shared_memory_can_be_used_here():
    assert shared_memory_problem() == ""
