"""One run of a suite, from its plan to the filled store."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.backends.backend import Backend, BackendLost
from harness.backends.processes import ProcessBackend
from harness.cells.add_metrics import add_metrics
from harness.cells.keys import is_read, search_key
from harness.cells.progress import ProgressWatcher
from harness.cells.record import store_failure
from harness.cells.run_cell import CellJob, CellOutcome, run_cell
from harness.running.listener import Listeners, RunListener
from harness.running.plan import Plan, PlannedCell, runs_alone
from harness.running.suite_record import SuiteRecord, refuse_namesake
from harness.store import Store
from harness.system.limits import parse_bytes, parse_seconds
from harness.system.signals import check_terminated

LOCK_TRIES, LOCK_SECONDS = 20, 0.1


@dataclass(frozen=True)
class Limits:
    """Limits of each cell, which are no part of its key; None for none. seconds: of time. memory: bytes."""

    seconds: float | None = None
    memory: int | None = None

    @classmethod
    def read(cls, seconds: str | None, memory: str | None) -> Limits:
        """Read limits such as "10m" and "4GB". Raises ValueError for one that cannot be used."""
        return cls(None if seconds is None else parse_seconds(seconds), None if memory is None else parse_bytes(memory))


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of a run: its plan, and the cells that failed or were skipped, each with the reason.

    states: of the cells that failed, by key.
    """

    plan: Plan
    failed: list[tuple[PlannedCell, str]]
    skipped: list[tuple[PlannedCell, str]]
    states: Mapping[str, str]


def run_session(
    plan: Plan,
    store: Store,
    listeners: Sequence[RunListener] = (),
    *,
    jobs: int = 1,
    fresh: bool = False,
    limits: Limits = Limits(),
    backend: Backend | None = None,
) -> RunOutcome:
    """Run a plan: settle the cells that need no computing, compute the others, ``jobs`` at once, each in a worker.

    backend: that computes them, in place of ``jobs`` processes of this machine.
    limits: of each cell, in place of those of the suite's experiments. The suite's record and the listeners hear of
    every event. A cell that fails does not stop the others. Raises ValueError where new cells could not be compared
    with stored ones, and StoreUnusable when results cannot be written; finished cells are kept, as they are on
    KeyboardInterrupt.
    """
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {jobs}")
    if plan.conflict:
        raise ValueError(plan.conflict)
    refuse_namesake(plan.loaded, store)  # before anything is written
    backend = backend or ProcessBackend(jobs)
    everyone = Listeners([SuiteRecord(plan, store), *listeners])
    completed = False
    try:
        everyone.start()
        _settle(plan, store)
        outcomes = _compute(plan, store, backend, everyone, _jobs(plan, uuid.uuid4().hex, fresh, limits))
        completed = True
    except BackendLost as error:
        raise BackendLost(f"{error}; compute the others with: {plan.loaded.command()} {error.options}") from error
    finally:
        everyone.end(completed)
    failed = [(plan.cells[outcome.index], outcome.reason) for outcome in outcomes if outcome.failed]
    states = {outcome.key: outcome.state for outcome in outcomes if outcome.failed}
    refused = [planned for planned in plan.cells if planned.state == "refused"]
    failed += [(planned, planned.why) for planned in refused]
    states |= {planned.key: "FAILED" for planned in refused}
    skipped = [(planned, planned.why) for planned in plan.cells if planned.state == "skipped"]
    return RunOutcome(plan, failed, skipped, states)


def _settle(plan: Plan, store: Store) -> None:
    """Store the failures of refused cells; add the suite's metrics to cached cells."""
    for planned in plan.cells:
        check_terminated()
        if planned.failure is not None:
            with store.lock(planned.key, wait=True):
                store_failure(store, planned.cell, planned.key, planned.failure)
        elif planned.state == "cached":
            add_metrics(store, planned.key, plan.loaded.metrics)


def _compute(
    plan: Plan, store: Store, backend: Backend, listener: RunListener, waiting: Sequence[CellJob]
) -> list[CellOutcome]:
    """Compute every waiting job; the outcomes, one per planned cell.

    Planned cells of one key are computed once. A cell that another process computes is left for the end and waited for.
    """
    by_key: dict[str, list[PlannedCell]] = {}
    for planned in plan.to_do:
        by_key.setdefault(planned.key, []).append(planned)
    outcomes: list[CellOutcome] = []
    lock = threading.Lock()
    runs = {job.run for job in waiting}  # the id of this run
    own: set[str] = set()  # cells that this run computes, and no other process on the same store
    ended: set[str] = set()

    def progress(key: str, record: Mapping[str, Any]) -> None:
        with lock:
            if key in ended:  # the watcher read it late
                return
            if record.get("event") == "started":
                (own.add if record.get("run") in runs else own.discard)(key)
            if key in own:
                listener.progress(by_key[key][0], record)

    def done(outcome: CellOutcome) -> None:
        _complete(outcome, plan, store)
        with lock:
            ended.add(outcome.key)
            for planned in by_key[outcome.key]:
                outcomes.append(replace(outcome, index=planned.index))
                listener.done(planned, outcomes[-1])

    for job in (job for job in waiting if is_read(job.parts)):  # seconds each, here: a worker would import torch first
        check_terminated()
        done(run_cell(replace(job, wait=True)))
    waiting = [job for job in waiting if not is_read(job.parts)]
    with ProgressWatcher({job.key: store.partial(job.key) for job in waiting}, progress):
        while waiting:
            busy: set[str] = set()
            for outcome in backend.run(waiting, progress):
                if outcome.state == "BUSY":
                    busy.add(outcome.key)
                    continue
                done(outcome)
            waiting = [replace(job, wait=True) for job in waiting if job.key in busy]
    return outcomes


def _jobs(plan: Plan, run: str, fresh: bool, limits: Limits) -> list[CellJob]:
    """One job per key; the first job of each search comes first, so that searches run in parallel."""
    request = plan.loaded.request.portable()
    jobs: dict[str, CellJob] = {}
    for planned in plan.to_do:
        jobs.setdefault(planned.key, CellJob(
            request=request, index=planned.index, key=planned.key, parts=planned.parts, run=run,
            estimate=planned.estimate.seconds, fresh=fresh, alone=runs_alone(planned.cell), memory=limits.memory,
            timeout=planned.cell.experiment.timeout_seconds if limits.seconds is None else limits.seconds,
        ))  # fmt: skip
    first: dict[str, str] = {}
    for job in jobs.values():
        if "tuning" in job.parts:
            first.setdefault(search_key(job.parts), job.key)
    return sorted(jobs.values(), key=lambda job: job.key not in first.values())


def _complete(outcome: CellOutcome, plan: Plan, store: Store) -> None:
    """Store what the job could not: the failure of a dead process, the metrics of a cell that another run computed."""
    if outcome.state == "FOUND":
        add_metrics(store, outcome.key, plan.loaded.metrics)
    if outcome.failure is not None:
        for _ in range(LOCK_TRIES):  # what a dead process started may hold its lock for a moment
            with store.lock(outcome.key) as owned:
                if owned:
                    store_failure(store, plan.cells[outcome.index].cell, outcome.key, outcome.failure)
                    return
            time.sleep(LOCK_SECONDS)  # another run that computes the cell stores its outcome
