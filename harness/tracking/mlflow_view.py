"""MLflow as a view of the store: filled while a suite runs, rebuilt from finished cells at any time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from evaluation.results.suite_results import CellFailure, CellResult
from harness.store import Store
from harness.system.environment import process_start
from harness.tracking.fields import LONGEST, metric_key, params_of, tags_of

_MOST_PARAMS = 100
_CURVE = ("loss", "seconds", "targets_per_second", "learning_rate")


def tracking_uri(root: Path) -> str:
    """Where runs are entered: MLFLOW_TRACKING_URI, else a database in the results folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.absolute() / 'mlflow.db'}"


def ui_command(root: Path, port: int) -> list[str]:
    """The command that serves MLflow's pages on the store."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", tracking_uri(root), "--port", str(port)]


def _mlflow() -> Any:
    """The mlflow module, imported with its telemetry off, quiet, and impatient with servers that do not answer."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    import mlflow

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


@dataclass
class Tracker:
    """Enters one suite's cells into MLflow: experiment = suite, parent run = data set × model, child = seed.

    The parent process is the only writer. Every error of MLflow ends the tracking with one call of ``warn``; results
    never depend on it.
    """

    store: Store
    suite: str
    warn: Callable[[str], None]
    _client: Any = None
    _experiment: str = ""
    _parents: dict[tuple[str, str], str] = field(default_factory=dict)
    _runs: dict[str, Any] = field(default_factory=dict)  # cell key → its newest run
    _open: dict[str, str] = field(default_factory=dict)  # cell key → the run that this process has opened
    _logged: dict[str, set[int]] = field(default_factory=dict)  # cell key → epochs entered
    _ids: dict[str, str] = field(default_factory=dict)  # cell key → run id, as the store keeps it
    _running: set[str] = field(default_factory=set)  # cell keys that other living processes have open
    _dead: bool = False

    @contextlib.contextmanager
    def _safe(self) -> Iterator[None]:
        """Turn an error of MLflow into one warning and silence."""
        try:
            yield
        except Exception as error:
            if not self._dead:
                what = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
                self.warn(
                    f"warning: MLflow at {tracking_uri(self.store.root)} cannot be used ({what}); results are "
                    f"kept, and python benchmark.py track {self.suite} enters them later"
                )
            self._dead = True

    @property
    def failed(self) -> bool:
        """Whether MLflow could not be used."""
        return self._dead

    def open(self) -> Tracker:
        """Connect, make database and experiment where they are missing, and mark killed runs."""
        with self._safe():
            mlflow = _mlflow()
            with (self.store.root / "locks" / "mlflow.lock").open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)  # two processes must not create one database
                self._client = mlflow.MlflowClient(tracking_uri=tracking_uri(self.store.root))
                self._experiment = self._experiment_id()
            self._close_killed()
            self._learn()
        return self

    def _learn(self, cell: str = "") -> None:
        """See which runs there are, or those of one ``cell``: other processes may have entered some meanwhile."""
        self._runs = {key: run for key, run in self._runs.items() if cell and key != cell}
        for run in self._all_runs(f"tags.suite = '{self.suite}'" + (f" and tags.cell_key = '{cell}'" if cell else "")):
            key = run.data.tags.get("cell_key")
            if key is None:
                self._parents[run.data.tags["dataset"], run.data.tags["model"]] = run.info.run_id
            else:
                self._runs.setdefault(key, run)  # newest first
        statuses = {key: run.info.status for key, run in self._runs.items()}
        self._ids |= {key: self._runs[key].info.run_id for key, status in statuses.items() if status == "FINISHED"}
        self._running = {key for key, status in statuses.items() if status == "RUNNING"} - set(self._open)

    def close(self, status: str = "FINISHED") -> None:
        """End every run that this process has open, and keep the run ids in the store."""
        if self._dead:
            return
        with self._safe():
            for run in [*self._open.values(), *self._parents.values()]:
                if self._client.get_run(run).info.status == "RUNNING":
                    self._client.set_terminated(run, status=status)
            self.store.write_json(self.store.suite_file(self.suite, "mlflow.json"), self._ids)

    def begin(self, labels: Sequence[tuple[str, str]]) -> None:
        """Open the parent runs of these (data set, model) pairs."""
        if self._dead:
            return
        with self._safe():
            for pair in dict.fromkeys(labels):
                run = self._parent(*pair)
                self._client.update_run(run, status="RUNNING")
                for name, value in _owner().items():
                    self._client.set_tag(run, name, value)

    def progress(self, key: str, labels: tuple[str, str, int], record: Mapping[str, Any], metric: str) -> None:
        """Enter what a running cell reports: its start, or an epoch in one batch."""
        if self._dead:
            return
        with self._safe():
            if key not in self._open:
                self._open[key] = self._child(*labels, key, _owner()).info.run_id
                self._logged[key] = set()
            if record.get("event") == "epoch":
                self._log_epochs(key, self._open[key], [record], metric)

    def enter(self, cells: Iterable[CellResult | CellFailure]) -> int:
        """Enter every finished or failed cell that MLflow does not have yet; returns how many.

        A cell that another living process is computing is left to it.
        """
        if self._dead:
            return 0
        entered, cells = 0, list(cells)
        with self._safe():
            self._learn(cells[0].key if len(cells) == 1 else "")
            for cell in cells:
                if isinstance(cell, CellFailure):
                    entered += cell.state == "FAILED" and bool(cell.key) and self._enter_failure(cell)
                elif cell.key in self._open or not (cell.key in self._ids or cell.key in self._running):
                    self._enter_cell(cell)
                    entered += 1
        return entered

    def _enter_cell(self, cell: CellResult) -> None:
        """A finished cell: curve, metrics, parameters, tags, data set and files."""
        mlflow, record, metric = _mlflow(), cell.record, next(iter(cell.metrics))
        run = self._open.get(cell.key)
        if run is None:
            run = self._child(cell.dataset, cell.model, cell.seed, cell.key, {}, _millis(record["started"])).info.run_id
        self._log_epochs(cell.key, run, cell.curve, metric)
        end = _millis(record["finished"])
        values = {f"test/{metric_key(name)}": value for name, value in record["metrics"].items()}
        values |= {f"best_validation/{metric_key(name)}": value for name, value in record["validation"].items()}
        values |= {f"seconds/{name}": value for name, value in record["seconds"].items()}
        values["peak_memory_mb"] = record["peak_memory_mb"]
        metrics = [mlflow.entities.Metric(name, float(v), end, 0) for name, v in values.items() if v is not None]
        params = [mlflow.entities.Param(name, value) for name, value in params_of(record)]
        tags = [mlflow.entities.RunTag(name, value) for name, value in tags_of(record).items()]
        self._client.log_batch(run, metrics=metrics, params=params[:_MOST_PARAMS], tags=tags)
        for start in range(_MOST_PARAMS, len(params), _MOST_PARAMS):
            self._client.log_batch(run, params=params[start : start + _MOST_PARAMS])
        data = mlflow.entities.Dataset(
            name=cell.dataset,
            digest=record["fingerprints"]["data"][:36],
            source_type="encore",
            source=record["edition"] or cell.dataset,
        )
        self._client.log_inputs(run, datasets=[mlflow.entities.DatasetInput(data)])
        for name in ("cell.json", "ranks.parquet"):
            self._client.log_artifact(run, str(cell.folder / name))
        self._client.set_terminated(run, status="FINISHED", end_time=end)
        self._open.pop(cell.key, None)
        self._ids[cell.key] = run

    def _enter_failure(self, failure: CellFailure) -> bool:
        """A failed cell with its reason, unless this very failure is there already."""
        stored = self.store.failure(failure.key) or {}
        known = self._runs.get(failure.key)
        if known is not None and known.data.tags.get("finished") == stored.get("finished"):
            return False
        run = self._open.pop(failure.key, None)
        if run is None:
            run = self._child(failure.dataset, failure.model, failure.seed, failure.key, {}).info.run_id
        for name, value in (("reason", failure.reason[:LONGEST]), ("finished", stored.get("finished", ""))):
            self._client.set_tag(run, name, value)
        if failure.folder is not None and (failure.folder / "traceback.txt").exists():
            self._client.log_artifact(run, str(failure.folder / "traceback.txt"))
        self._client.set_terminated(run, status="FAILED")
        return True

    def _log_epochs(self, key: str, run: str, records: Sequence[Mapping[str, Any]], metric: str) -> None:
        """Epochs of a curve that are not entered yet, one batch an epoch."""
        mlflow, logged = _mlflow(), self._logged.setdefault(key, set())
        for record in records:
            if record["epoch"] in logged:
                continue
            logged.add(record["epoch"])
            values = {name: record[name] for name in _CURVE if record.get(name) is not None}
            if record.get("validation") is not None:
                values[f"validation/{metric_key(metric)}"] = record["validation"]
            now = int(datetime.now().timestamp() * 1000)
            self._client.log_batch(
                run,
                metrics=[
                    mlflow.entities.Metric(name, float(value), now, record["epoch"]) for name, value in values.items()
                ],
            )

    def _experiment_id(self) -> str:
        """The suite's experiment, made or brought back where needed."""
        found = self._client.get_experiment_by_name(self.suite)
        if found is None:
            own = not os.environ.get("MLFLOW_TRACKING_URI")
            place = (self.store.root / "mlartifacts").as_uri() if own else None
            return self._client.create_experiment(self.suite, artifact_location=place)
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _parent(self, dataset: str, model: str) -> str:
        """The run of a data set × model, made where it is missing."""
        if (dataset, model) not in self._parents:
            tags = {"suite": self.suite, "dataset": dataset, "model": model, "mlflow.source.name": "benchmark.py"}
            run = self._client.create_run(self._experiment, tags=tags, run_name=f"{model} on {dataset}")
            self._client.set_terminated(run.info.run_id, status="FINISHED")
            self._parents[dataset, model] = run.info.run_id
        return self._parents[dataset, model]

    def _child(
        self, dataset: str, model: str, seed: int, key: str, owner: Mapping[str, str], start: int | None = None
    ) -> Any:
        """A new run for one seed under its parent."""
        tags = {
            "mlflow.parentRunId": self._parent(dataset, model),
            "mlflow.source.name": "benchmark.py",
            "suite": self.suite,
            "cell_key": key,
            "dataset": dataset,
            "model": model,
            "seed": str(seed),
            **owner,
        }
        return self._client.create_run(self._experiment, start_time=start, tags=tags, run_name=f"{model}, seed {seed}")

    def _all_runs(self, words: str) -> Iterator[Any]:
        """Every run of the experiment that fits a filter, newest first."""
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment], words, order_by=["attributes.start_time DESC"], max_results=1000, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _close_killed(self) -> None:
        """Mark as KILLED the runs of this machine whose process is gone."""
        for run in self._all_runs("attributes.status = 'RUNNING'"):
            tags = run.data.tags
            if tags.get("owner_host") == _host() and process_start(int(tags["owner_pid"])) != tags["owner_start"]:
                self._client.set_terminated(run.info.run_id, status="KILLED")


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def _owner() -> dict[str, str]:
    """Who computes a run: machine (hashed), process number, and when that process began."""
    return {"owner_host": _host(), "owner_pid": str(os.getpid()), "owner_start": process_start(os.getpid()) or ""}


def _millis(stamp: str) -> int:
    """A UTC time stamp in milliseconds since 1970."""
    return int(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000)
