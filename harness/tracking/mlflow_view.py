"""MLflow as a view of the store: filled while a suite runs, rebuilt from stored cells at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evaluation.metrics.accuracy import metric_named
from evaluation.results.suite_results import CellFailure, CellResult
from evaluation.stored_files import SCHEMAS
from harness.store import Store
from harness.tracking.database import tracking_uri
from harness.tracking.fields import MAX_LENGTH, metric_key, params_of, tags_of
from harness.tracking.mlflow_client import Place, SuiteExperiment, import_mlflow, milliseconds, owner_tags
from harness.tracking.summaries import TrackedReport, enter_report, summarise_seeds

_MAX_PARAMS = 100  # per request
_CURVE = ("loss", "seconds", "targets_per_second", "learning_rate")


@dataclass
class Tracker:
    """Writes one suite's cells into MLflow.

    The parent process is the only writer. The first error of MLflow calls ``warn`` and ends the tracking; results
    never depend on it.
    """

    store: Store
    suite: str
    warn: Callable[[str], None]
    failed: bool = False  # whether MLflow raised an error
    _experiment: Any = None
    _runs: dict[str, Any] = field(default_factory=dict)  # cell key → its newest run
    _open: dict[str, str] = field(default_factory=dict)  # cell key → id of the run that this process has open
    _logged_epochs: dict[str, set[int]] = field(default_factory=dict)  # cell key → epochs
    _finished: dict[str, str] = field(default_factory=dict)  # cell key → id of its finished run, kept in the store
    running_elsewhere: set[str] = field(default_factory=set)  # cell keys that other living processes have open
    _begun: set[str] = field(default_factory=set)  # ids of the parent runs that this process has opened
    _entered: set[Place] = field(default_factory=set)  # the places of the finished cells that this process entered

    @contextlib.contextmanager
    def _safe(self) -> Iterator[None]:
        """Turn the first error of MLflow into a warning."""
        try:
            yield
        except Exception as error:
            if not self.failed:
                text = " ".join(str(error).split()).partition(" [SQL")[0]  # SQLAlchemy adds the statement
                what = f"{type(error).__name__}: {text[:160]}"
                self.warn(
                    f"warning: MLflow at {tracking_uri(self.store.root)} cannot be used ({what}); results are "
                    f"stored; enter them later with python benchmark.py track {self.suite}"
                )
            self.failed = True

    def open(self) -> Tracker:
        """Connect to MLflow and read which runs exist."""
        with self._safe():
            self._experiment = SuiteExperiment(self.store.root, self.suite, self.warn)
            self._refresh()
        return self

    def _refresh(self, key: str = "") -> None:
        """Read the existing runs, or those of one cell; other processes may have added some."""
        self._runs = {other: run for other, run in self._runs.items() if key and other != key}
        for run in self._experiment.cell_runs(key):
            self._runs.setdefault(run.data.tags["cell_key"], run)  # newest first
        statuses = {key: run.info.status for key, run in self._runs.items()}
        self._finished |= {key: self._runs[key].info.run_id for key, status in statuses.items() if status == "FINISHED"}
        self.running_elsewhere = {key for key, status in statuses.items() if status == "RUNNING"} - set(self._open)

    def close(self, status: str = "FINISHED") -> None:
        """End every run that this process has open; write the run ids into the store."""
        if self.failed:
            return
        with self._safe(), self._experiment.alone():
            client = self._experiment.client
            for run in [*self._open.values(), *self._begun]:
                if client.get_run(self._experiment.usable(run)).info.status == "RUNNING":
                    client.set_terminated(run, status=status)
            self._refresh()
            self._summarise()
            runs = dict(sorted(self._finished.items()))  # MLflow's order depends on the time of entry
            record = {"schema": SCHEMAS["mlflow.json"], "suite": self.suite, "runs": runs}
            self.store.write_json(self.store.suite_file(self.suite, "mlflow.json"), record)

    def _summarise(self) -> None:
        """Enter into the parent runs what their seeds have in common, where this process entered a seed."""
        for place in sorted(self._entered):
            parent = self._experiment.parent(place)
            seeds = [self._runs[key] for key in self._finished if key in self._runs]
            seeds = [run for run in seeds if run.data.tags.get("mlflow.parentRunId") == parent]
            if seeds:
                summarise_seeds(self._experiment, parent, seeds)

    def add_report(self, report: TrackedReport) -> None:
        """Enter the suite's report: intervals into the parent runs, verdicts and files into the suite's run."""
        if self.failed:
            return
        with self._safe(), self._experiment.alone():
            self._experiment.cell_runs()  # parents that others created
            primary = metric_named(report.record["metrics"][0])
            title = report.record["title"]
            self._experiment.describe(title, f"test/{metric_key(primary.name)}", primary.higher_is_better)
            enter_report(self._experiment, report)

    def begin(self, places: Sequence[Place]) -> None:
        """Open the parent runs of some data sets, protocols and models."""
        if self.failed:
            return
        entities = import_mlflow().entities if places else None
        with self._safe(), self._experiment.alone():
            self._refresh()  # another process may have created parent runs
            for place in dict.fromkeys(places):
                run = self._experiment.parent(place)
                owner = [entities.RunTag(name, value) for name, value in owner_tags().items()]
                self._experiment.client.log_batch(run, tags=owner)
                self._experiment.client.update_run(run, status="RUNNING")
                self._begun.add(run)

    def progress(self, key: str, place: Place, seed: int, record: Mapping[str, Any], metric: str) -> None:
        """Enter a progress record of a running cell: its start, or an epoch."""
        if self.failed:
            return
        with self._safe():
            if key not in self._open:
                with self._experiment.alone():
                    self._open[key] = self._experiment.create_child(place, seed, key)
                self._logged_epochs[key] = set()
            if record.get("event") == "epoch":
                self._log_epochs(key, self._experiment.usable(self._open[key]), [record], metric)

    def enter(self, cells: Iterable[CellResult | CellFailure]) -> int:
        """Enter the finished and failed cells that MLflow lacks; return their number.

        Cells that another living process computes are left to it.
        """
        if self.failed:
            return 0
        entered, cells = 0, list(cells)
        with self._safe():
            if len(cells) > 1:
                self._refresh()
                cells = [cell for cell in cells if self._lacks(cell)]
            for cell in cells:
                if isinstance(cell, CellResult):
                    starts, began = self._experiment.starts, milliseconds(cell.record["started"])
                    starts[_place(cell)] = min(began, starts.get(_place(cell), began))
            for cell in cells:
                with self._experiment.alone():  # another process must not enter it between the look and the entry
                    self._refresh(cell.key)
                    if self._lacks(cell):
                        (self._enter_failure if isinstance(cell, CellFailure) else self._enter_cell)(cell)
                        entered += 1
        return entered

    def _lacks(self, cell: CellResult | CellFailure) -> bool:
        """Whether a cell is to be entered: MLflow has neither it nor a run of it in another living process."""
        if cell.key in self._open:
            return True
        if cell.key in self.running_elsewhere:
            return False
        if isinstance(cell, CellResult):
            return cell.key not in self._finished
        known, record = self._runs.get(cell.key), self.store.failure(cell.key) if cell.key else None
        return record is not None and (known is None or known.data.tags.get("finished") != record.get("finished"))

    def _failed_at(self, failure: CellFailure) -> str:
        """When a cell failed, as its record says."""
        return (self.store.failure(failure.key) or {}).get("finished", "")

    def _child(self, cell: CellResult | CellFailure, start: int | None = None) -> str:
        """The id of the open run of a cell, or of a new one."""
        if cell.key in self._open:
            return self._experiment.usable(self._open[cell.key])
        return self._experiment.create_child(_place(cell), cell.seed, cell.key, start)

    def _enter_cell(self, cell: CellResult) -> None:
        """Enter a finished cell: curve, metrics, parameters, tags, data set and files."""
        entities, client, record = import_mlflow().entities, self._experiment.client, cell.record
        run = self._child(cell, milliseconds(record["started"]))
        self._log_epochs(cell.key, run, cell.curve, next(iter(cell.metrics)))
        end = milliseconds(record["finished"])
        values = {f"test/{metric_key(name)}": value for name, value in record["metrics"].items()}
        values |= {f"best_validation/{metric_key(name)}": value for name, value in record["validation"].items()}
        values |= {f"seconds/{name}": value for name, value in record["seconds"].items()}
        values["peak_memory_mb"] = record["peak_memory_mb"]
        metrics = [entities.Metric(name, float(value), end, 0) for name, value in values.items() if value is not None]
        params = [entities.Param(name, value) for name, value in params_of(record)]
        tags = [entities.RunTag(name, value) for name, value in tags_of(record).items()]
        client.log_batch(run, metrics=metrics, params=params[:_MAX_PARAMS], tags=tags)
        for start in range(_MAX_PARAMS, len(params), _MAX_PARAMS):
            client.log_batch(run, params=params[start : start + _MAX_PARAMS])
        data = entities.Dataset(
            name=cell.dataset,
            digest=record["fingerprints"]["data"][:36],
            source_type="encore",
            source=record["edition"] or cell.dataset,
        )
        client.log_inputs(run, datasets=[entities.DatasetInput(data)])
        for name in ("cell.json", "ranks.parquet"):
            client.log_artifact(run, str(cell.folder / name))
        client.set_terminated(run, status="FINISHED", end_time=end)
        self._open.pop(cell.key, None)
        self._finished[cell.key] = run
        self._entered.add(_place(cell))

    def _enter_failure(self, failure: CellFailure) -> None:
        """Enter a failed cell with its reason."""
        client, run = self._experiment.client, self._child(failure)
        for name, value in (("reason", failure.reason[:MAX_LENGTH]), ("finished", self._failed_at(failure))):
            client.set_tag(run, name, value)
        if failure.folder is not None and (failure.folder / "traceback.txt").exists():
            client.log_artifact(run, str(failure.folder / "traceback.txt"))
        client.set_terminated(run, status="FAILED")
        self._open.pop(failure.key, None)

    def _log_epochs(self, key: str, run: str, records: Sequence[Mapping[str, Any]], metric: str) -> None:
        """Log the epochs that are not logged yet, one request per epoch."""
        logged = self._logged_epochs.setdefault(key, set())
        for record in records:
            epoch = record["epoch"]
            if epoch in logged:
                continue
            logged.add(epoch)
            values = {name: record[name] for name in _CURVE if record.get(name) is not None}
            if record.get("validation") is not None:
                values[f"validation/{metric_key(metric)}"] = record["validation"]
            now = int(datetime.now().timestamp() * 1000)
            metrics = [import_mlflow().entities.Metric(name, float(v), now, epoch) for name, v in values.items()]
            self._experiment.client.log_batch(run, metrics=metrics)


def _place(cell: CellResult | CellFailure) -> Place:
    return cell.dataset, cell.protocol, cell.model
