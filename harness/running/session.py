"""One run of a suite, from plan to the filled store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from cli.progress_display import Announcer
from evaluation.results.suite_results import CellFailure, CellResult, read_suite
from harness.cells.add_metrics import complete_metrics
from harness.cells.record import now
from harness.running.plan import Plan, Planned
from harness.running.runner import Listener, run_plan
from harness.running.suite_record import write_suite
from harness.running.worker import Done
from harness.store import Store


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its plan, the cells that failed and those that were skipped, each with its sentence."""

    plan: Plan
    failed: list[tuple[Planned, str]]
    skipped: list[tuple[Planned, str]]


def run_session(
    plan: Plan,
    store: Store,
    console: Console,
    *,
    jobs: int,
    fresh: bool,
    mlflow: bool,
    warn: Callable[[str], None],
) -> Outcome:
    """Compute all that the plan finds to do, keep the suite's record true throughout, and enter all into MLflow."""
    suite = plan.bench.suite
    _store_refusals(plan, store)
    write_suite(plan, store)
    tracker = None
    if mlflow:
        from harness.tracking.mlflow_view import Tracker

        tracker = Tracker(store, suite.name, warn).open()
        tracker.begin([(p.cell.dataset, p.cell.model_name) for p in plan.to_do])
    metric = plan.bench.metrics[0].name
    status = "KILLED"
    try:
        with Announcer(console, store, len(plan.to_do), metric) as announcer:
            tally = run_plan(plan, store, _listener(plan, store, announcer, tracker, metric), jobs=jobs, fresh=fresh)
        for planned in plan.cells:
            if planned.key:
                complete_metrics(store, planned.key, plan.bench.metrics)
        status = "FINISHED"
    finally:
        write_suite(plan, store)
        if tracker is not None:
            if status == "FINISHED":
                found = read_suite(store.root, suite.name)
                tracker.enter([*found.cells, *found.failures])
            tracker.close(status)
    by_index = {planned.index: planned for planned in plan.cells}
    failed = [(by_index[done.index], done.reason) for done in tally.failed()]
    failed += [(planned, planned.why) for planned in plan.cells if planned.state == "refused"]
    skipped = [(planned, planned.why) for planned in plan.cells if planned.state == "skipped"]
    return Outcome(plan, failed, skipped)


def _listener(plan: Plan, store: Store, announcer: Announcer, tracker: Any, metric: str) -> Listener:
    """Hands what happens to the announcer and to MLflow."""

    def progress(planned: Planned, record: Mapping[str, Any]) -> None:
        announcer.progress(planned, record)
        if tracker is not None:
            cell = planned.cell
            tracker.progress(planned.key, (cell.dataset, cell.model_name, cell.seed), record, metric)

    def done(planned: Planned, done: Done) -> None:
        announcer.done(planned, done)
        write_suite(plan, store)
        if tracker is not None:
            tracker.enter([_stored(store, planned)])

    return Listener(progress, done)


def _stored(store: Store, planned: Planned) -> CellResult | CellFailure:
    """What the store holds of a cell that was just computed."""
    cell, folder = planned.cell, store.folder(planned.key)
    labels = {"dataset": cell.dataset, "protocol": cell.protocol, "model": cell.model_name, "seed": cell.seed}
    record = store.record(planned.key)
    if record is not None:
        return CellResult(folder=folder, record=record, **labels)
    reason = (store.failure(planned.key) or {}).get("reason", "")
    return CellFailure(**labels, state="FAILED", reason=reason, command=planned.command, key=planned.key, folder=folder)


def _store_refusals(plan: Plan, store: Store) -> None:
    """Store a failure for each cell whose data cannot be used, so that it is a row of the report."""
    for planned in plan.cells:
        if planned.state == "refused":
            cell = planned.cell
            failure = {
                "schema": 1,
                "key": planned.key,
                "dataset": cell.dataset,
                "protocol": cell.protocol,
                "model": cell.model_name,
                "seed": cell.seed,
                "reason": planned.why,
                "exception": planned.trace.strip().rpartition("\n")[2].partition(":")[0],
                "finished": now(),
            }
            with store.lock(planned.key, wait=True):
                store.commit_failure(planned.key, failure, planned.trace)
