"""Stored results of a suite: CellResult, CellFailure, SuiteResults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.frames import Record, frame_of
from evaluation.metrics.accuracy import Metric
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.sums_file import read_sums
from evaluation.ranking.rank_table import RankTable
from evaluation.results.tuning_results import SearchResult, read_search
from evaluation.stored_files import check_fields, checked_bytes, name_damaged, read_record, safe_part
from recsys_data.sealed_json import SealBroken, parse_object

if TYPE_CHECKING:
    from evaluation.frames import DataFrame

CURVE = "curve.jsonl"
ELSEWHERE = "COMPUTED ELSEWHERE: by "  # begins the caveat of a cell whose ranks other code computed
ADOPTED = "ADOPTED: "  # begins the caveat of an adopted cell
FAILED_STATES = ("FAILED", "TIMEOUT", "OUT OF MEMORY")  # of a cell that was tried; the last two: a limit ended it


_CELL = ("key", "files", "metrics", "deterministic", "caveats")
_ENTRY = {"dataset": str, "protocol": str, "model": str, "seed": int}
_ENTRY_DETAILS = {"key": str | None, "state": str, "reason": str, "command": str}


class RanksWithheld(ValueError):
    """A bundle made for sharing lacks what was asked for."""


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
    def files(self) -> Mapping[str, str]:
        """The SHA-256 of each of the cell's files, by name."""
        return self.record["files"]

    def check_files(self) -> None:
        """Compare every file of the cell with its checksum. Raises ValueError naming one that is damaged or missing."""
        for name in self.files:
            checked_bytes(self.folder / safe_part(name), self.files)

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

    @property
    def withholds_ranks(self) -> bool:
        """Whether the cell is of a bundle made for sharing: it has sums by user, in a drawn order, and no ranks."""
        return "withheld" in self.record

    @cached_property
    def ranks(self) -> RankTable:
        """The stored ranks. Raises ValueError naming damaged or missing files, and RanksWithheld."""
        if self.withholds_ranks:
            raise RanksWithheld(f"the ranks of {self.dataset}/{self.model}/{self.seed} are withheld, since its bundle "
                                "was made for sharing: what needs them takes the full bundle or a rerun")  # fmt: skip
        with name_damaged(path := self.folder / "ranks.parquet"):
            ranks = RankTable.read(path, self.files)
            if ranks.meta.get("key", self.key) != self.key:
                raise SealBroken(f"its ranks are of the cell {ranks.meta['key']}")
        return ranks

    @cached_property
    def sums(self) -> dict[str, ClusterSums]:
        """The stored sums per cluster by metric; empty where none were stored. Errors as for ``ranks``."""
        return read_sums(self.folder, self.files)

    def sums_of(self, metric: Metric) -> ClusterSums:
        """The sums per cluster of a metric: the stored ones, else from the ranks. Errors as for ``ranks``."""
        return self.sums.get(metric.name) or metric.per_cluster(self.ranks)

    @property
    def core_seconds(self) -> float:
        """Seconds of the fit and the evaluation, times the threads."""
        seconds = sum(value for value in self.record["seconds"].values() if value)
        return seconds * (self.record["threads"] or 1)  # ranks of other programs have neither

    @cached_property
    def search(self) -> SearchResult | None:
        """The search that chose this cell's fields; None for a model that was not tuned."""
        tuning = self.record.get("tuning")
        if tuning is None:
            return None
        with name_damaged(self.folder / "cell.json"):
            check_fields(tuning, {"search": str, "trials": int}, {})
            folder = self.folder.parent.parent / "tuning" / safe_part(tuning["search"])
        found = read_search(folder)
        if found is None or len(found.trials) < tuning["trials"]:
            trials = f"{0 if found is None else len(found.trials)} of the {tuning['trials']} trials"
            raise ValueError(f"{folder} has {trials} that chose the fields of {self.folder}: "
                             "remove both folders and run again")  # fmt: skip
        return found

    @cached_property
    def curve(self) -> list[dict[str, Any]]:
        """One record per epoch; empty for models without epochs."""
        path = self.folder / CURVE
        if CURVE not in self.files:
            return []
        data = checked_bytes(path, self.files)
        with name_damaged(path):
            return [parse_object(line) for line in data.splitlines()]


def adoption_text(record: Mapping[str, Any]) -> str:
    """How a cell whose result is by earlier code came under its key; empty for one that its own code computed."""
    if "adopted" not in record:
        return ""
    environment = record["environment"]
    commit = f"commit {environment['commit'][:10]}" if environment.get("commit") else "an unknown commit"
    changes = " with changes" if environment.get("dirty") else ""
    steps = [f"after {step['recomputed']} of {step['of']} recomputed bit-equal" for step in record["adopted"]]
    return f"computed by {commit}{changes}, adopted {', then '.join(steps)}"


@dataclass(frozen=True)
class CellFailure:
    """A cell without a result: its state, the reason, and the command to run it again.

    state: one of FAILED_STATES, SKIPPED or MISSING.
    """

    dataset: str
    protocol: str
    model: str
    seed: int
    state: str
    reason: str
    command: str
    key: str = ""
    folder: Path | None = None

    @property
    def failed(self) -> bool:
        """Whether the cell was tried and failed."""
        return self.state in FAILED_STATES


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

    def core_seconds(self) -> float:
        """Seconds of all fits, evaluations and searches, times the threads; a search of several seeds counts once."""
        total, searches = 0.0, set()
        for cell in self.cells:
            total += cell.core_seconds
            if cell.search is not None and (key := cell.record["tuning"]["search"]) not in searches:
                searches.add(key)
                total += cell.search.seconds * (cell.record["threads"] or 1)
        return total

    def records(self) -> list[Record]:
        """One record per finished cell and metric of the suite: the value of one seed on the test part."""
        return [
            {"dataset": cell.dataset, "protocol": cell.protocol, "model": cell.model, "metric": metric,
             "seed": cell.seed, "value": cell.metrics[metric], "deterministic": cell.deterministic,
             "caveats": "; ".join(cell.caveats), "key": cell.key}
            for cell in self.cells for metric in self.record["metrics"] if metric in cell.metrics
        ]  # fmt: skip

    def to_frame(self) -> DataFrame:
        """The records as a pandas frame: one row per data set, protocol, model, metric and seed."""
        return frame_of(self.records())


def stored_names(root: Path) -> list[str]:
    """The names of the suites and variants with results in the store ``root``, sorted."""
    return sorted(path.parent.name for path in (root / "suites").glob("*/suite.json"))


def read_suite(root: Path, name: str) -> SuiteResults:
    """Read the results of suite ``name`` from the store ``root``, in the suite's order.

    A cell without a finished result is a CellFailure. Raises FileNotFoundError if the store has no such suite, and
    ValueError naming a damaged file.
    """
    path = root / "suites" / safe_part(name) / "suite.json"
    if not path.exists():
        plain, at, _ = name.partition("@")
        raise FileNotFoundError(
            f"no results of suite {name!r} in {root}: it holds {', '.join(stored_names(root)) or 'no suite'}; "
            f"run it first: python benchmark.py run {plain}{' with the options of the variant' if at else ''}"
        )
    record = read_record(path, ["cells"], "remove it", {"name": name}) or {}
    with name_damaged(path, "remove it"):
        for entry in record["cells"]:
            check_fields(entry, _ENTRY, _ENTRY_DETAILS)
            safe_part(entry.get("key") or "-")
    results = SuiteResults(root=root, record=record)
    for entry in record["cells"]:
        labels = {k: entry[k] for k in ("dataset", "protocol", "model", "seed")}
        folder = root / "cells" / entry["key"] if entry.get("key") else None
        cell = None if folder is None else read_record(folder / "cell.json", _CELL, belongs={"key": folder.name})
        if cell is not None:
            results.cells.append(CellResult(folder=folder, record=cell, **labels))
            continue
        state, reason = entry.get("state", "MISSING"), entry.get("reason", "not computed yet")
        failure = (
            None if folder is None else read_record(folder / "failure.json", ["reason"], belongs={"key": folder.name})
        )
        if failure is not None:
            state, reason = failure.get("state", "FAILED"), failure["reason"]
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
