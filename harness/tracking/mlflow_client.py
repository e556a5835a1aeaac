"""The connection to MLflow: its address, a suite's experiment, and the runs in it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.system.environment import process_start
from harness.system.locks import file_lock
from harness.tracking.database import ensure_database, tracking_uri

Place = tuple[str, str, str]  # data set, protocol, model
VIEW = "encore"  # the name of the view of each experiment that shows its primary metric
SOURCE = {"mlflow.source.name": "benchmark.py"}


def import_mlflow() -> Any:
    """The mlflow module, with telemetry off, errors only in its log, and short timeouts."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    import mlflow

    for name in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # Encore reports an error itself, in one sentence
    return mlflow


def connect(root: Path, warn: Callable[[str], None]) -> Any:
    """A client of MLflow; a missing or broken database in the results folder is made first."""
    client = import_mlflow().MlflowClient
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        ensure_database(root, lambda uri: client(tracking_uri=uri).search_experiments(max_results=1), warn)
    return client(tracking_uri=tracking_uri(root))


def ui_command(root: Path, port: int, warn: Callable[[str], None]) -> list[str]:
    """The command that starts MLflow's web server on a results folder; its database is made first if needed."""
    connect(root, warn)
    one = ["--workers", "1"]  # of several, each that needs over 5 seconds to start is killed
    return [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", tracking_uri(root), "--port", str(port), *one]


def views(root: Path, port: int) -> list[str]:
    """The addresses of the experiments' first views on MLflow's web server, each with its suite."""
    client = import_mlflow().MlflowClient(tracking_uri=tracking_uri(root))
    found = [each for each in client.search_experiments() if f"mlflow.sharedViewState.{VIEW}" in each.tags]
    return [f"{each.name}: http://127.0.0.1:{port}/#/experiments/{each.experiment_id}/runs?viewStateShareKey={VIEW}"
            for each in found]  # fmt: skip


class SuiteExperiment:
    """A suite's MLflow experiment: a parent run per data set, protocol and model, a child per seed, a run of the suite.

    The tag ``kind`` says which: "model", "cell" or "suite".
    """

    def __init__(self, root: Path, suite: str, warn: Callable[[str], None]) -> None:
        """Connect; create database and experiment if they are missing; mark killed runs."""
        self.suite, self._root = suite, root
        self.parents: dict[Place, Any] = {}
        self.starts: dict[Place, int] = {}  # when the first known seed of a place began, in milliseconds since 1970
        self.client = connect(root, warn)
        with self.alone():
            self._id = self._experiment_id(root)
            self._close_killed()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes of this store from writing to MLflow; what is read inside stays true until the end."""
        with file_lock(self._root / "locks" / "mlflow.lock"):
            yield

    def _experiment_id(self, root: Path) -> str:
        """The id of the suite's experiment, created or restored if needed."""
        found = self.client.get_experiment_by_name(self.suite)
        if found is None:
            local = not os.environ.get("MLFLOW_TRACKING_URI")
            location = (root.absolute() / "mlartifacts").as_uri() if local else None
            return self.client.create_experiment(self.suite, artifact_location=location)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _close_killed(self) -> None:
        """Mark as KILLED the running runs of this machine whose process no longer exists."""
        for run in self.runs("attributes.status = 'RUNNING'"):
            if _is_abandoned(run.data.tags):
                self.client.set_terminated(run.info.run_id, status="KILLED")

    def runs(self, query: str = "", deleted: bool = False) -> Iterator[Any]:
        """Every run of Encore in the experiment that matches a filter, newest first; runs of others are left out."""
        view = import_mlflow().entities.ViewType
        for run in self._search(query, view.ALL if deleted else view.ACTIVE_ONLY):
            tags = run.data.tags
            if tags.get("suite") == self.suite and SOURCE.items() <= tags.items() and {"dataset", "model"} <= {*tags}:
                yield run

    def cell_runs(self, key: str = "") -> list[Any]:
        """The runs of cells, or of one cell, newest first; reads the parent runs too where all are asked for."""
        if key:
            return list(self.runs(f"tags.cell_key = '{key}'"))
        found = list(self.runs(deleted=True))
        parents = [run for run in found if "cell_key" not in run.data.tags]
        for run in sorted(parents, key=_is_active):  # newest first: the oldest that is not deleted is kept
            tags = run.data.tags
            self.parents[tags["dataset"], tags.get("protocol", ""), tags["model"]] = run
        return [run for run in found if "cell_key" in run.data.tags and _is_active(run)]

    def usable(self, run: str) -> str:
        """The run's id; a run that was deleted meanwhile is restored."""
        if not _is_active(self.client.get_run(run)):
            self.client.restore_run(run)
        return run

    def _search(self, query: str, view: Any) -> Iterator[Any]:
        """Every run of the experiment that matches a filter, newest first."""
        token = None
        while True:
            page = self.client.search_runs(
                [self._id], query, view, order_by=["attributes.start_time DESC"], max_results=1000, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def parent(self, place: Place) -> str:
        """The id of the parent run of a place, created if it is missing and restored if it was deleted."""
        if place not in self.parents:
            dataset, protocol, model = place
            tags = {"suite": self.suite, "kind": "model", "dataset": dataset, "protocol": protocol, "model": model,
                    **SOURCE, **owner_tags()}  # fmt: skip
            start, name = self.starts.get(place), f"{model} on {dataset}"
            run = self.client.create_run(self._id, start_time=start, tags=tags, run_name=name)
            self.client.set_terminated(run.info.run_id, status="FINISHED")
            self.parents[place] = run
        return self.usable(self.parents[place].info.run_id)

    def suite_run(self) -> Any:
        """The run of the whole suite, created if it is missing."""
        tags = {"suite": self.suite, "kind": "suite", **SOURCE}
        view = import_mlflow().entities.ViewType.ACTIVE_ONLY
        runs = self._search("tags.kind = 'suite'", view)
        found = next((run for run in runs if tags.items() <= run.data.tags.items()), None)
        return found or self.client.create_run(self._id, tags=tags, run_name=f"Report of {self.suite}")

    def describe(self, title: str, primary: str, higher_is_better: bool) -> None:
        """Enter the suite's title, its primary metric, and a view whose columns are that metric and its interval.

        The view has no column of the data set, which would stand before the metric and push it off a small screen; the
        name of each run has the data set.
        """
        columns = [f"metrics.`{primary}{end}`" for end in ("", "_low", "_high", "_sd")]
        view = {"selectedColumns": columns, "orderByKey": "attributes.start_time",
                "orderByAsc": False, "searchFilter": "", "startTime": "ALL", "lifecycleFilter": "Active",
                "datasetsFilter": []}  # fmt: skip
        tags = {f"mlflow.sharedViewState.{VIEW}": json.dumps(view),
                "mlflow.note.content": f"[Show {primary}](#/experiments/{self._id}/runs?viewStateShareKey={VIEW}). "
                f"{title}. A run per data set, protocol and model has the mean of its seeds, which are nested in it; "
                f"the run “Report of {self.suite}” holds the report.",
                "mlflow.experiment.primaryMetric.name": primary,
                "mlflow.experiment.primaryMetric.greaterIsBetter": str(higher_is_better).lower()}  # fmt: skip
        known = self.client.get_experiment(self._id).tags
        for name, value in tags.items():
            if known.get(name) != value:
                self.client.set_experiment_tag(self._id, name, value)

    def create_child(self, place: Place, seed: int, key: str, start: int | None = None) -> str:
        """The id of a new run for one seed; ``start`` is in milliseconds since 1970, now if None.

        Its owner is known from the first moment, so that a run of a killed process is recognised.
        """
        dataset, protocol, model = place
        tags = {"mlflow.parentRunId": self.parent(place), "suite": self.suite, "kind": "cell", "cell_key": key,
                "dataset": dataset, "protocol": protocol, "model": model, "seed": str(seed), **SOURCE,
                **owner_tags()}  # fmt: skip
        run = self.client.create_run(self._id, start_time=start, tags=tags, run_name=f"{model}, seed {seed}")
        return run.info.run_id


def _is_active(run: Any) -> bool:
    return run.info.lifecycle_stage == "active"


def _is_abandoned(tags: Mapping[str, str]) -> bool:
    """Whether a running run has no living owner; a run of another machine may have one."""
    if "owner_host" not in tags:
        return True  # of an earlier version, which named no owner while it entered a finished cell
    pid = tags.get("owner_pid", "")
    alive = pid.isdecimal() and process_start(int(pid)) == tags.get("owner_start")
    return tags["owner_host"] == _host() and not alive


def owner_tags() -> dict[str, str]:
    """The process that computes a run: its machine (hashed), its number, and when it started."""
    return {"owner_host": _host(), "owner_pid": str(os.getpid()), "owner_start": process_start(os.getpid()) or ""}


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def milliseconds(timestamp: str) -> int:
    """A UTC timestamp in milliseconds since 1970."""
    return int(datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() * 1000)
