"""The process backend gives one outcome per job, from workers that later cells and runs use again."""

import os
import signal
import subprocess

import pytest

from harness.backends import processes
from harness.backends.processes import ProcessBackend, end_idle_workers
from harness.cells.run_cell import CellJob
from harness.running.plan import make_plan
from harness.store import Store
from harness.suites.request import RunRequest


@pytest.fixture
def jobs(tiny_suite, tmp_path):
    """The jobs of the tiny suite on an empty store."""
    request = RunRequest(str(tiny_suite), tmp_path / "results").portable()
    plan = make_plan(request.load(), Store.open(request.results))
    return [CellJob(request, planned.index, planned.key, planned.parts) for planned in plan.to_do]


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_computed_once_and_a_stored_cell_found(jobs, processes):
    first, second = (list(ProcessBackend(processes).run(jobs)) for _ in range(2))
    assert sorted(outcome.key for outcome in first) == sorted(job.key for job in jobs)
    assert {outcome.state for outcome in first} == {"DONE"}
    assert {(outcome.key, outcome.state) for outcome in second} == {(job.key, "FOUND") for job in jobs}
    assert all(Store(jobs[0].request.results).holds(job.key) for job in jobs)


def test_one_worker_keeps_the_order_and_is_started_once(jobs, monkeypatch):
    started = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **kwargs: started.append(args) or start(*args, **kwargs))
    end_idle_workers()
    assert [outcome.key for outcome in ProcessBackend(1).run(jobs)] == [job.key for job in jobs]
    assert len(started) == 1 < len(jobs)


def test_a_worker_that_was_killed_while_idle_is_replaced(jobs):
    end_idle_workers()
    assert [outcome.state for outcome in ProcessBackend(1).run(jobs[:1])] == ["DONE"]
    (worker,) = processes._idle
    os.killpg(worker._process.pid, signal.SIGKILL)
    assert [outcome.state for outcome in ProcessBackend(1).run(jobs[1:2])] == ["DONE"]


def test_an_abandoned_run_ends_its_workers(jobs):
    end_idle_workers()
    run = ProcessBackend(2).run(jobs)
    assert next(run).state == "DONE"
    run.close()
    assert next(ProcessBackend(1).run(jobs[-1:])).state in ("DONE", "FOUND")
