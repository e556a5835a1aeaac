"""Stored results of a suite: CellResult, CellFailure, SuiteResults."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from evaluation.ranking.rank_table import RankTable
from evaluation.results.tuning_results import SearchResult, read_search
from evaluation.stored_files import name_damaged, read_record


@dataclass(frozen=True, eq=False)
class CellResult:
    """A finished cell: ``record`` is its cell.json; ranks and curve are read on first use.

    The labels (dataset, protocol, model, seed) are the suite's: suites that share a cell may label it differently.
    """

    folder: Path
    dataset: str
    protocol: str
    model: str
    seed: int
    record: dict[str, Any]

    @property
    def key(self) -> str:
        """The content-addressed key, which is also the folder's name."""
        return self.record["key"]

    @property
    def metrics(self) -> dict[str, float]:
        """Test metrics by displayed name, such as MRR@20."""
        return self.record["metrics"]

    @property
    def deterministic(self) -> bool:
        """Whether the seed has no effect on this model."""
        return self.record["deterministic"]

    @property
    def caveats(self) -> list[str]:
        """Sentences to show wherever this result is shown (NOT CONVERGED, smoke size, …)."""
        return self.record["caveats"]

    @cached_property
    def ranks(self) -> RankTable:
        """The stored ranks. Raises ValueError naming damaged or missing files."""
        with name_damaged(path := self.folder / "ranks.parquet"):
            return RankTable.read(path)

    @cached_property
    def search(self) -> SearchResult | None:
        """The search that chose this cell's fields; None for a model that was not tuned."""
        tuning = self.record.get("tuning")
        return None if tuning is None else read_search(self.folder.parent.parent / "tuning" / tuning["search"])

    @cached_property
    def curve(self) -> list[dict[str, Any]]:
        """One record per epoch; empty for models without epochs."""
        path = self.folder / "curve.jsonl"
        with name_damaged(path):
            return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass(frozen=True)
class CellFailure:
    """A cell without a result: its state (FAILED, SKIPPED or MISSING), the reason, and the command to run it again."""

    dataset: str
    protocol: str
    model: str
    seed: int
    state: str
    reason: str
    command: str
    key: str = ""
    folder: Path | None = None


@dataclass(frozen=True, eq=False)
class SuiteResults:
    """All stored results of one suite: ``record`` is its suite.json."""

    root: Path
    record: dict[str, Any]
    cells: list[CellResult] = field(default_factory=list)
    failures: list[CellFailure] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.record["name"]


def stored_names(root: Path) -> list[str]:
    """The names of the suites and variants with results in the store ``root``, sorted."""
    return sorted(path.parent.name for path in (root / "suites").glob("*/suite.json"))


def read_suite(root: Path, name: str) -> SuiteResults:
    """Read the results of suite ``name`` from the store ``root``, in the suite's order.

    A cell without a finished result is a CellFailure. Raises FileNotFoundError if the store has no such suite, and
    ValueError naming a damaged file.
    """
    path = root / "suites" / name / "suite.json"
    if not path.exists():
        plain, at, _ = name.partition("@")
        raise FileNotFoundError(
            f"no results of suite {name!r} in {root}: it holds {', '.join(stored_names(root)) or 'no suite'}; "
            f"run it first: python benchmark.py run {plain}{' with the options of the variant' if at else ''}"
        )
    record = read_record(path, ["cells"], "remove it") or {}
    results = SuiteResults(root=root, record=record)
    for entry in record["cells"]:
        labels = {k: entry[k] for k in ("dataset", "protocol", "model", "seed")}
        folder = root / "cells" / entry["key"] if entry.get("key") else None
        cell = None if folder is None else read_record(folder / "cell.json", ["key"])
        if cell is not None:
            results.cells.append(CellResult(folder=folder, record=cell, **labels))
            continue
        state, reason = entry.get("state", "MISSING"), entry.get("reason", "not computed yet")
        failure = None if folder is None else read_record(folder / "failure.json", ["reason"])
        if failure is not None:
            state, reason = "FAILED", failure["reason"]
        elif state == "DONE":
            state, reason = "MISSING", "its result is no longer in the store"
        results.failures.append(
            CellFailure(
                **labels,
                state=state,
                reason=reason,
                command=entry.get("command", ""),
                key=entry.get("key") or "",
                folder=folder,
            )
        )
    return results
