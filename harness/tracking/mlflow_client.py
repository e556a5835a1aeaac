"""The connection to MLflow: its address, a suite's experiment, and the runs in it."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.system.environment import process_start
from harness.system.locks import file_lock

SOURCE = {"mlflow.source.name": "benchmark.py"}


def tracking_uri(root: Path) -> str:
    """MLFLOW_TRACKING_URI, or a database in the results folder if it is not set."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.absolute() / 'mlflow.db'}"


def ui_command(root: Path, port: int) -> list[str]:
    """The command that starts MLflow's web server on a results folder."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", tracking_uri(root), "--port", str(port)]


def import_mlflow() -> Any:
    """The mlflow module, with telemetry off, errors only in its log, and short timeouts."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    import mlflow

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


class SuiteExperiment:
    """A suite's MLflow experiment: one parent run per data set × model, one child run per seed."""

    def __init__(self, root: Path, suite: str) -> None:
        """Connect; create database and experiment if they are missing; mark killed runs."""
        self.suite = suite
        self.parents: dict[tuple[str, str], str] = {}  # (data set, model) → run id
        with file_lock(root / "locks" / "mlflow.lock"):  # two processes must not create one database
            self.client = import_mlflow().MlflowClient(tracking_uri=tracking_uri(root))
            self._id = self._experiment_id(root)
        self._close_killed()

    def _experiment_id(self, root: Path) -> str:
        """The id of the suite's experiment, created or restored if needed."""
        found = self.client.get_experiment_by_name(self.suite)
        if found is None:
            local = not os.environ.get("MLFLOW_TRACKING_URI")
            location = (root / "mlartifacts").as_uri() if local else None
            return self.client.create_experiment(self.suite, artifact_location=location)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _close_killed(self) -> None:
        """Mark as KILLED the running runs of this machine whose process no longer exists."""
        for run in self.search("attributes.status = 'RUNNING'"):
            tags = run.data.tags
            if tags.get("owner_host") == _host() and process_start(int(tags["owner_pid"])) != tags["owner_start"]:
                self.client.set_terminated(run.info.run_id, status="KILLED")

    def search(self, query: str) -> Iterator[Any]:
        """Every run of the experiment that matches a filter, newest first."""
        token = None
        while True:
            page = self.client.search_runs(
                [self._id], query, order_by=["attributes.start_time DESC"], max_results=1000, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def parent(self, dataset: str, model: str) -> str:
        """The id of the parent run of a data set × model, created if it is missing."""
        if (dataset, model) not in self.parents:
            tags = {"suite": self.suite, "dataset": dataset, "model": model, **SOURCE}
            run = self.client.create_run(self._id, tags=tags, run_name=f"{model} on {dataset}")
            self.client.set_terminated(run.info.run_id, status="FINISHED")
            self.parents[dataset, model] = run.info.run_id
        return self.parents[dataset, model]

    def create_child(
        self, dataset: str, model: str, seed: int, key: str, owner: Mapping[str, str], start: int | None = None
    ) -> str:
        """The id of a new run for one seed; ``start`` is in milliseconds since 1970, now if None."""
        labels = {"dataset": dataset, "model": model, "seed": str(seed)}
        tags = {"mlflow.parentRunId": self.parent(dataset, model), "suite": self.suite, "cell_key": key,
                **SOURCE, **labels, **owner}  # fmt: skip
        run = self.client.create_run(self._id, start_time=start, tags=tags, run_name=f"{model}, seed {seed}")
        return run.info.run_id


def owner_tags() -> dict[str, str]:
    """The process that computes a run: its machine (hashed), its number, and when it started."""
    return {"owner_host": _host(), "owner_pid": str(os.getpid()), "owner_start": process_start(os.getpid()) or ""}


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def milliseconds(timestamp: str) -> int:
    """A UTC timestamp in milliseconds since 1970."""
    return int(datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() * 1000)
