"""MLflow as a view of the store: filled while a suite runs, rebuilt from stored cells at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evaluation.results.suite_results import CellFailure, CellResult
from harness.store import Store
from harness.tracking.fields import MAX_LENGTH, metric_key, params_of, tags_of
from harness.tracking.mlflow_client import SuiteExperiment, import_mlflow, milliseconds, owner_tags, tracking_uri

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
    _running_elsewhere: set[str] = field(default_factory=set)  # cell keys that other living processes have open

    @contextlib.contextmanager
    def _safe(self) -> Iterator[None]:
        """Turn the first error of MLflow into a warning."""
        try:
            yield
        except Exception as error:
            if not self.failed:
                what = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
                self.warn(
                    f"warning: MLflow at {tracking_uri(self.store.root)} cannot be used ({what}); results are "
                    f"stored; enter them later with python benchmark.py track {self.suite}"
                )
            self.failed = True

    def open(self) -> Tracker:
        """Connect to MLflow and read which runs exist."""
        with self._safe():
            self._experiment = SuiteExperiment(self.store.root, self.suite)
            self._refresh()
        return self

    def _refresh(self, key: str = "") -> None:
        """Read the existing runs, or those of one cell; other processes may have added some."""
        self._runs = {other: run for other, run in self._runs.items() if key and other != key}
        query = f"tags.suite = '{self.suite}'" + (f" and tags.cell_key = '{key}'" if key else "")
        for run in self._experiment.search(query):
            tags = run.data.tags
            if "cell_key" not in tags:
                self._experiment.parents[tags["dataset"], tags["model"]] = run.info.run_id
            else:
                self._runs.setdefault(tags["cell_key"], run)  # newest first
        statuses = {key: run.info.status for key, run in self._runs.items()}
        self._finished |= {key: self._runs[key].info.run_id for key, status in statuses.items() if status == "FINISHED"}
        self._running_elsewhere = {key for key, status in statuses.items() if status == "RUNNING"} - set(self._open)

    def close(self, status: str = "FINISHED") -> None:
        """End every run that this process has open; write the run ids into the store."""
        if self.failed:
            return
        with self._safe():
            client = self._experiment.client
            for run in [*self._open.values(), *self._experiment.parents.values()]:
                if client.get_run(run).info.status == "RUNNING":
                    client.set_terminated(run, status=status)
            runs = dict(sorted(self._finished.items()))  # MLflow's order depends on the time of entry
            self.store.write_json(self.store.suite_file(self.suite, "mlflow.json"), runs)

    def begin(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Open the parent runs of (data set, model) pairs."""
        if self.failed:
            return
        with self._safe():
            for pair in dict.fromkeys(pairs):
                run = self._experiment.parent(*pair)
                self._experiment.client.update_run(run, status="RUNNING")
                for name, value in owner_tags().items():
                    self._experiment.client.set_tag(run, name, value)

    def progress(self, key: str, labels: tuple[str, str, int], record: Mapping[str, Any], metric: str) -> None:
        """Enter a progress record of a running cell: its start, or an epoch."""
        if self.failed:
            return
        with self._safe():
            if key not in self._open:
                self._open[key] = self._experiment.create_child(*labels, key, owner_tags())
                self._logged_epochs[key] = set()
            if record.get("event") == "epoch":
                self._log_epochs(key, self._open[key], [record], metric)

    def enter(self, cells: Iterable[CellResult | CellFailure]) -> int:
        """Enter the finished and failed cells that MLflow lacks; return their number.

        Cells that another living process computes are left to it.
        """
        if self.failed:
            return 0
        entered, cells = 0, list(cells)
        with self._safe():
            self._refresh(cells[0].key if len(cells) == 1 else "")
            for cell in cells:
                if isinstance(cell, CellFailure):
                    entered += cell.state == "FAILED" and bool(cell.key) and self._enter_failure(cell)
                elif cell.key in self._open or not (cell.key in self._finished or cell.key in self._running_elsewhere):
                    self._enter_cell(cell)
                    entered += 1
        return entered

    def _enter_cell(self, cell: CellResult) -> None:
        """Enter a finished cell: curve, metrics, parameters, tags, data set and files."""
        entities, client, record = import_mlflow().entities, self._experiment.client, cell.record
        run = self._open.get(cell.key)
        if run is None:
            started = milliseconds(record["started"])
            run = self._experiment.create_child(cell.dataset, cell.model, cell.seed, cell.key, {}, started)
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

    def _enter_failure(self, failure: CellFailure) -> bool:
        """Enter a failed cell with its reason; False if the same failure is already there."""
        client, stored = self._experiment.client, self.store.failure(failure.key) or {}
        known = self._runs.get(failure.key)
        if known is not None and known.data.tags.get("finished") == stored.get("finished"):
            return False
        run = self._open.pop(failure.key, None)
        if run is None:
            run = self._experiment.create_child(failure.dataset, failure.model, failure.seed, failure.key, {})
        for name, value in (("reason", failure.reason[:MAX_LENGTH]), ("finished", stored.get("finished", ""))):
            client.set_tag(run, name, value)
        if failure.folder is not None and (failure.folder / "traceback.txt").exists():
            client.log_artifact(run, str(failure.folder / "traceback.txt"))
        client.set_terminated(run, status="FAILED")
        return True

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
