"""Runs of one suite (again, in parallel, killed and resumed) give the same rank tables bit for bit."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from cli.plan_output import plan_summary
from cli.progress_display import RunDisplay
from evaluation.results.suite_results import read_suite
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest
from harness.system.determinism import prepare_determinism
from tests.evaluation.rank_tables import same_columns

ROOT = Path(__file__).resolve().parent.parent


def run(suite, results, *, jobs=1, fresh=False, **overrides):
    """Run a suite in this process (and its workers); gives the plan's sentence and what was printed."""
    prepare_determinism()
    store = Store.open(results)
    plan = make_plan(RunRequest(str(suite), results, overrides=Overrides(**overrides)).load(), store, fresh=fresh)
    printed = io.StringIO()
    display = RunDisplay(Console(file=printed, width=200), store, len(plan.to_do), "MRR@20")
    outcome = run_session(plan, store, [display], jobs=jobs, fresh=fresh)
    assert not outcome.failed, outcome.failed
    return plan_summary(plan, jobs), [planned.why for planned in plan.cells], printed.getvalue().splitlines()


def start(suite, results, *words):
    """The command line in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ENCORE_", "MLFLOW_"))}
    line = [sys.executable, "benchmark.py", "run", str(suite), "--results", str(results), "--no-mlflow", "--no-report"]
    line += words
    # a shell's background job ignores interruptions, and so would all that is started under it
    hears = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=clean,
                            preexec_fn=hears)  # fmt: skip


def wait_for_epoch(results, epoch, process):
    """Return once an unfinished cell has reported so many epochs."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        texts = [path.read_text() for path in results.glob("partial/*/progress.jsonl")]
        if max((text.count('"event": "epoch"') for text in texts), default=0) >= epoch:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    raise AssertionError("no epoch was reported in time")


def ranks(results):
    """Key and rank table of every cell, by model and seed."""
    found = read_suite(results, "tiny")
    assert not found.failures
    return {(cell.model, cell.seed): (cell.key, cell.ranks) for cell in found.cells}


def assert_equal_bits(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert one[name][0] == two[name][0], f"{name}: another key"
        assert same_columns(one[name][1], two[name][1]), f"{name}: other ranks"


@pytest.fixture(scope="module")
def suite(tmp_path_factory, tiny_text):
    """The tiny suite's file, with a learner that trains for twelve epochs."""
    path = tmp_path_factory.mktemp("suite") / "tiny.py"
    path.write_text(tiny_text.replace("epochs=3, patience=3", "epochs=12, patience=12"))
    return path


@pytest.fixture(scope="module")
def calm(suite, tmp_path_factory):
    """The results of an undisturbed run in one process."""
    results = tmp_path_factory.mktemp("calm")
    words, _, printed = run(suite, results)
    assert words.startswith("3 new; 3 to compute")
    assert [line.split()[0] for line in printed] == ["[1/3]", "[2/3]", "[3/3]"]
    return results


def test_seeds_differ_and_a_second_run_computes_nothing(calm, suite):
    tables = ranks(calm)
    assert set(tables) == {("Popularity", 0), ("GRU", 0), ("GRU", 1)}
    assert not same_columns(tables["GRU", 0][1], tables["GRU", 1][1])
    assert run(suite, calm) == ("3 cached; nothing to compute", ["", "", ""], [])


def test_computed_anew_gives_the_same_bits(calm, suite):
    before, finished = ranks(calm), {cell.key: cell.record["finished"] for cell in read_suite(calm, "tiny").cells}
    run(suite, calm, fresh=True)
    assert_equal_bits(before, ranks(calm))
    assert all(cell.record["finished"] > finished[cell.key] for cell in read_suite(calm, "tiny").cells)


def test_two_processes_at_once_give_the_same_bits(calm, suite, tmp_path):
    run(suite, tmp_path, jobs=2)
    assert_equal_bits(ranks(calm), ranks(tmp_path))


def test_killed_in_the_middle_and_run_again_gives_the_same_bits(calm, suite, tmp_path):
    process = start(suite, tmp_path)
    wait_for_epoch(tmp_path, 2, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = read_suite(tmp_path, "tiny").failures
    assert left, "nothing was left to do"
    _, whys, printed = run(suite, tmp_path)
    told = [why for why in whys if "resumes from a checkpoint after epoch" in why]
    resumed = [line for line in printed if "resumed from its checkpoint after epoch" in line]
    assert len(told) == len(resumed) == 1
    assert int(resumed[0].split()[-1]) >= int(told[0].split()[-1]) >= 2
    assert_equal_bits(ranks(calm), ranks(tmp_path))
    assert list(tmp_path.glob("partial/*")) == []
    record = next(cell.record for cell in read_suite(tmp_path, "tiny").cells if cell.record["resumed_from"])
    assert record["resumed_from"] == int(resumed[0].split()[-1])


def test_two_runs_on_one_store_share_the_work(calm, suite, tmp_path):
    other = start(suite, tmp_path)
    wait_for_epoch(tmp_path, 1, other)
    _, _, printed = run(suite, tmp_path)
    said = other.communicate(timeout=240)[0].splitlines()
    assert other.returncode == 0
    assert_equal_bits(ranks(calm), ranks(tmp_path))
    cells = [line for line in [*printed, *said] if re.match(r"\[\d/\d\] ", line)]
    own = [line.split()[1] for line in cells if "another process" not in line]
    assert sorted(own) == [f"markov-30x25/{cell}" for cell in ("GRU/0", "GRU/1", "Popularity/0")]


def test_an_interruption_keeps_what_is_done(suite, tmp_path):
    process = start(suite, tmp_path, "--set", "epochs=5000", "--set", "patience=5000")
    wait_for_epoch(tmp_path, 1, process)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 130
    assert said.strip() == "interrupted: finished cells are stored; run the same command again to continue"
    found = read_suite(tmp_path, "tiny@epochs=5000,patience=5000")
    assert [cell.model for cell in found.cells] == ["Popularity"]
    assert {failure.state for failure in found.failures} == {"MISSING"}
