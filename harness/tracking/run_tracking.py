"""MLflow as a listener of a run: runs are opened, updated and closed while cells are computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evaluation.results.suite_results import CellFailure, CellResult, read_suite
from harness.cells.run_cell import CellOutcome
from harness.running.listener import RunListener
from harness.running.plan import Plan, PlannedCell
from harness.store import Store
from harness.tracking.mlflow_client import Place
from harness.tracking.mlflow_view import Tracker
from harness.tracking.summaries import TrackedReport


class MlflowListener(RunListener):
    """Enters a plan's cells into MLflow while they are computed."""

    def __init__(self, plan: Plan, store: Store, warn: Callable[[str], None]) -> None:
        self._plan, self._store = plan, store
        self._tracker = Tracker(store, plan.loaded.suite.name, warn)

    def start(self) -> None:
        """Connect, and open the parent runs of the cells to compute."""
        self._tracker.open().begin([_place(planned) for planned in self._plan.to_do])

    def progress(self, planned: PlannedCell, record: Mapping[str, Any]) -> None:
        """Enter a running cell's start or epoch."""
        cell = planned.cell
        metric = self._plan.loaded.metrics[0].name
        self._tracker.progress(planned.key, _place(planned), cell.seed, record, metric)

    def done(self, planned: PlannedCell, outcome: CellOutcome) -> None:
        """Enter the cell as it is stored."""
        self._tracker.enter([_stored(self._store, planned)])

    def end(self, completed: bool) -> None:
        """After a completed run enter the cells that MLflow lacks; close the open runs."""
        if completed:
            found = read_suite(self._store.root, self._plan.loaded.suite.name)
            self._tracker.enter([*found.cells, *found.failures])
        self._tracker.close("FINISHED" if completed else "KILLED")

    def add_report(self, report: TrackedReport) -> None:
        """Enter the suite's report."""
        self._tracker.add_report(report)


def _place(planned: PlannedCell) -> Place:
    return planned.cell.dataset, planned.cell.protocol, planned.cell.model_name


def _stored(store: Store, planned: PlannedCell) -> CellResult | CellFailure:
    """The stored result or failure of a cell."""
    labels, folder = planned.cell.labels, store.folder(planned.key)
    record = store.record(planned.key)
    if record is not None:
        return CellResult(folder=folder, record=record, **labels)
    reason = (store.failure(planned.key) or {}).get("reason", "")
    return CellFailure(**labels, state="FAILED", reason=reason, command=planned.command, key=planned.key, folder=folder)
