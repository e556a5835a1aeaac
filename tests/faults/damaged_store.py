"""A small store with every kind of stored file, and what each command reads from it."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.rank_files.comparison.compare import compare_files
from evaluation.results.suite_results import read_suite
from evaluation.stored_files import SCHEMAS
from harness import preparation
from harness.cells.execute import compute
from harness.cells.progress import progress_writer
from harness.cells.run_cell import CellJob, run_cell
from harness.running.plan import Plan, PlannedCell, make_plan
from harness.running.suite_record import SuiteRecord
from harness.store import Store
from harness.suites.request import RunRequest
from reports.bundles.write import write_bundle
from reports.output.bundle import open_bundle
from reports.report import Report, build

SUITE = """
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from harness.spec import Experiment, Suite
from harness.tuning import Choice, Tuning
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU


class Failing(Popularity):
    def fit(self, train, run):
        raise RuntimeError("it fails")


MODELS = {"Popularity": Popularity(), "Tuned": GRU(dim=4, embedding_dim=4, epochs=1, batch_size=8),
          "GRU": GRU(dim=4, embedding_dim=4, epochs=2, batch_size=8), "Failing": Failing()}
SUITE = Suite(name="small", title="Small", seeds=[0], metrics=[MRR(20), Recall(20)], baselines=["Popularity"],
              experiments=[Experiment(InteractionFile(FILE), PerUserFractions(train=0.7, validation=0.1, test=0.2),
                                      MODELS, tuning=Tuning(3, {"Tuned": {"learning_rate": Choice(0.001, 0.1)}}))])
"""
NAME = "small"


class _Killed(BaseException):
    """Ends a fit in its middle, as a kill would."""


@dataclass
class DamagedStore:
    """The store, the request of its suite, and a bundle of it."""

    request: RunRequest
    store: Store
    bundle: Path

    @classmethod
    def make(cls, folder: Path) -> DamagedStore:
        """Run the suite in ``folder``, and leave one cell unfinished in another store."""
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(3)
        rows = [f"{user},{item},{time},{1 + time % 5}\n" for user in range(24)
                for time, item in enumerate(rng.integers(0, 15, 18))]  # fmt: skip
        (folder / "events.csv").write_text("user,item,timestamp,rating\n" + "".join(rows))
        (folder / "small.py").write_text(SUITE.replace("FILE", repr(str(folder / "events.csv"))))
        request = RunRequest(str(folder / "small.py"), folder / "results")
        made = cls(request, Store.open(request.results), folder / "small.zip")
        plan = made.plan()
        record = SuiteRecord(plan, made.store)
        record.start()
        for planned in plan.to_do:
            run_cell(made.job(planned))
        record.end(True)
        made.write_views(plan)
        made.report()
        write_bundle(made.store.root, NAME, made.bundle)
        return made

    def plan(self) -> Plan:
        """The plan, made without what this process prepared before."""
        preparation._prepared.clear()
        return make_plan(self.request.load(), self.store)

    def job(self, planned: PlannedCell) -> CellJob:
        """The job of a planned cell."""
        return CellJob(replace(self.request, results=self.store.root), planned.index, planned.key, planned.parts)

    def write_views(self, plan: Plan) -> None:
        """Write what MLflow and ``verify`` leave in the store."""
        cells = [planned for planned in plan.cells if self.store.holds(planned.key)]
        runs = {planned.key: f"{planned.index:032x}" for planned in cells}
        rows = [{**p.cell.labels, "key": p.key, "state": "same", "reason": "", "rows": 72} for p in cells]
        self.store.write_json(self.store.suite_file(NAME, "mlflow.json"),
                              {"schema": SCHEMAS["mlflow.json"], "suite": NAME, "runs": runs})  # fmt: skip
        self.store.write_json(self.store.suite_file(NAME, "certificate.json"),
                              {"schema": SCHEMAS["certificate.json"], "suite": NAME, "created": "2026-01-01T00:00:00Z",
                               "cells": rows, "environment": {}})  # fmt: skip

    def interrupted(self, folder: Path, model: str) -> tuple[DamagedStore, PlannedCell]:
        """A store of its own in which a kill ended the first epoch of ``model``, or the second trial of its search."""
        other = replace(self, store=Store.open(folder))
        shutil.copytree(self.store.root / "prepared", folder / "prepared", dirs_exist_ok=True)
        planned = next(p for p in other.plan().cells if p.cell.model_name == model)
        if planned.cell.space:
            source = next((self.store.root / "tuning").iterdir())
            shutil.copytree(source, folder / "tuning" / source.name)
            ledger = folder / "tuning" / source.name / "ledger.jsonl"
            ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:2]))
            return other, planned
        partial = other.store.partial(planned.key)
        write = progress_writer(partial)

        def log(record: dict[str, Any]) -> None:
            write(record)
            if record["event"] == "epoch":
                raise _Killed

        loaded = self.request.load()
        with contextlib.suppress(_Killed):
            compute(planned.cell, loaded.prepare(planned.cell), metrics=loaded.metrics, device="cpu",
                    checkpoint=partial, log=log)  # fmt: skip
        return other, planned

    def resume(self, planned: PlannedCell) -> Any:
        """Compute an unfinished cell: its ranks and fields, or the reason of its failure as an error."""
        shutil.rmtree(self.store.folder(planned.key), ignore_errors=True)
        outcome = run_cell(self.job(planned))
        if outcome.failed:
            raise ValueError(outcome.reason)
        record = self.store.record(planned.key)
        ranks = (self.store.folder(planned.key) / "ranks.parquet").read_bytes()
        return ranks, record["metrics"], record["model_fields"]

    def report(self) -> tuple[Report, list[Any]]:
        """The report, and every number that it can be made from."""
        results = read_suite(self.store.root, NAME)
        return build(self.store.root, NAME), [_numbers(cell) for cell in results.cells]

    def packed(self) -> int:
        """The number of files that a bundle packs."""
        return len(write_bundle(self.store.root, NAME, self.bundle.with_name("again.zip")).names)

    def compared(self) -> Any:
        """The comparison of the first two cells' ranks."""
        first, second = read_suite(self.store.root, NAME).cells[:2]
        return compare_files([first.folder, second.folder], ["mrr@20"])

    def planned(self) -> list[Any]:
        """The plan: state, reason and key of every cell."""
        return [(planned.key, planned.state, planned.why) for planned in self.plan().cells]

    def prepared(self) -> list[Any]:
        """What is prepared of the data: every array of the split's events, the audit, the fingerprints."""
        preparation._prepared.clear()
        loaded = self.request.load()
        found = loaded.prepare(loaded.cells[0])
        split = found.split
        return [found.record(), split.fingerprint, split.train.item_counts.tolist(), split.test.targets.tolist()]

    def unpacked(self) -> Report:
        """The report of the bundle."""
        with open_bundle(self.bundle) as (root, name):
            return build(root, name)


def _numbers(cell: Any) -> list[Any]:
    """Everything stored of a cell."""
    ranks = cell.ranks
    columns = [getattr(ranks, name).tolist() for name in ("cluster", "query", "target", "history", "greater", "tied")]
    sums = {name: found.sums.tolist() for name, found in cell.sums.items()}
    trials = None if cell.search is None else cell.search.trials
    return [cell.record, columns, ranks.item_counts.tolist(), sums, cell.curve, trials]
