"""One run of a suite, from its plan to the filled store."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.backends.backend import Backend
from harness.backends.processes import ProcessBackend
from harness.backends.serial import SerialBackend
from harness.cells.add_metrics import add_metrics
from harness.cells.keys import search_key
from harness.cells.progress import ProgressWatcher
from harness.cells.record import store_failure
from harness.cells.run_cell import CellJob, CellOutcome
from harness.running.listener import Listeners, RunListener
from harness.running.plan import Plan, PlannedCell
from harness.running.suite_record import SuiteRecord
from harness.store import Store
from harness.suites.request import RunRequest


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of a run: its plan, and the cells that failed or were skipped, each with the reason."""

    plan: Plan
    failed: list[tuple[PlannedCell, str]]
    skipped: list[tuple[PlannedCell, str]]


def run_session(
    plan: Plan, store: Store, listeners: Sequence[RunListener] = (), *, jobs: int = 1, fresh: bool = False
) -> RunOutcome:
    """Run a plan: settle the cells that need no computing, compute the others, ``jobs`` at once.

    The suite's record and the listeners hear of every event. A cell that fails does not stop the others. Raises
    StoreUnusable when results cannot be written; finished cells are kept, as they are on KeyboardInterrupt.
    """
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {jobs}")
    backend = SerialBackend() if jobs == 1 else ProcessBackend(jobs)
    everyone = Listeners([SuiteRecord(plan, store), *listeners])
    completed = False
    try:
        everyone.start()
        _settle(plan, store)
        outcomes = _compute(plan, store, backend, everyone, fresh)
        completed = True
    finally:
        everyone.end(completed)
    failed = [(plan.cells[outcome.index], outcome.reason) for outcome in outcomes if outcome.failed]
    failed += [(planned, planned.why) for planned in plan.cells if planned.state == "refused"]
    skipped = [(planned, planned.why) for planned in plan.cells if planned.state == "skipped"]
    return RunOutcome(plan, failed, skipped)


def _settle(plan: Plan, store: Store) -> None:
    """Store the failures of refused cells; add the suite's metrics to cached cells."""
    for planned in plan.cells:
        if planned.failure is not None:
            with store.lock(planned.key, wait=True):
                store_failure(store, planned.cell, planned.key, planned.failure)
        elif planned.state == "cached":
            add_metrics(store, planned.key, plan.loaded.metrics)


def _compute(plan: Plan, store: Store, backend: Backend, listener: RunListener, fresh: bool) -> list[CellOutcome]:
    """Compute every cell that is to do; the outcomes, one per planned cell.

    Planned cells of one key are computed once. A cell that another process computes is left for the end and waited for.
    """
    run = uuid.uuid4().hex
    by_key: dict[str, list[PlannedCell]] = {}
    for planned in plan.to_do:
        by_key.setdefault(planned.key, []).append(planned)
    waiting = _jobs(plan, run, fresh)
    outcomes: list[CellOutcome] = []
    lock = threading.Lock()
    own: set[str] = set()  # cells that this run computes, and no other process on the same store

    def progress(key: str, record: Mapping[str, Any]) -> None:
        if record.get("event") == "started":
            (own.add if record.get("run") == run else own.discard)(key)
        if key in own:
            with lock:
                listener.progress(by_key[key][0], record)

    with ProgressWatcher({job.key: store.partial(job.key) for job in waiting}, progress):
        while waiting:
            busy: set[str] = set()
            for outcome in backend.run(waiting):
                if outcome.state == "BUSY":
                    busy.add(outcome.key)
                    continue
                _complete(outcome, plan, store)
                with lock:
                    for planned in by_key[outcome.key]:
                        outcomes.append(replace(outcome, index=planned.index))
                        listener.done(planned, outcomes[-1])
            waiting = [replace(job, wait=True) for job in waiting if job.key in busy]
    return outcomes


def _jobs(plan: Plan, run: str, fresh: bool) -> list[CellJob]:
    """One job per key; the first job of each search comes first, so that searches run in parallel."""
    request = plan.loaded.request.portable()
    jobs: dict[str, CellJob] = {}
    for number, planned in enumerate(plan.to_do):
        placed = _placed(request, number)
        jobs.setdefault(planned.key, CellJob(placed, planned.index, planned.key, planned.parts, run, fresh))
    first: dict[str, str] = {}
    for job in jobs.values():
        if "tuning" in job.parts:
            first.setdefault(search_key(job.parts), job.key)
    return sorted(jobs.values(), key=lambda job: job.key not in first.values())


def _placed(request: RunRequest, number: int) -> RunRequest:
    """The request on the GPU for its ``number``-th cell, where cells are spread over several GPUs."""
    if not request.spread or request.device == "cpu":
        return request
    import torch

    return replace(request, device=f"cuda:{number % torch.cuda.device_count()}")


def _complete(outcome: CellOutcome, plan: Plan, store: Store) -> None:
    """Store what the job could not: the failure of a dead process, the metrics of a cell that another run computed."""
    if outcome.state == "FOUND":
        add_metrics(store, outcome.key, plan.loaded.metrics)
    if outcome.failure is not None:
        with store.lock(outcome.key) as owned:
            if owned:  # else another run computes the cell now and stores its outcome
                store_failure(store, plan.cells[outcome.index].cell, outcome.key, outcome.failure)
