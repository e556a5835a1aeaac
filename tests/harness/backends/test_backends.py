"""Backends give one outcome per job, whether cells are computed in this process or in others."""

import pytest

from harness.backends.processes import ProcessBackend
from harness.backends.serial import SerialBackend
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


def test_the_serial_backend_keeps_the_order_and_finds_stored_cells(jobs):
    keys = [job.key for job in jobs]
    first, second = (list(SerialBackend().run(jobs)) for _ in range(2))
    assert [(outcome.key, outcome.state) for outcome in first] == [(key, "DONE") for key in keys]
    assert [(outcome.key, outcome.state) for outcome in second] == [(key, "FOUND") for key in keys]


def test_the_process_backend_computes_every_job_once(jobs):
    outcomes = list(ProcessBackend(2).run(jobs))
    assert sorted(outcome.key for outcome in outcomes) == sorted(job.key for job in jobs)
    assert {outcome.state for outcome in outcomes} == {"DONE"}
    assert all(Store(jobs[0].request.results).holds(job.key) for job in jobs)


def test_a_single_job_needs_no_process(jobs, monkeypatch):
    monkeypatch.setattr(ProcessBackend, "_pool", None)
    assert [outcome.state for outcome in ProcessBackend(2).run(jobs[:1])] == ["DONE"]
