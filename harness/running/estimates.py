"""Estimates of a cell's time, memory and disk from measured cells, each with its basis."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.preparation import Prepared
from harness.store import Store
from harness.system.environment import usable_cores


@dataclass(frozen=True)
class Estimate:
    """Wall seconds, peak memory and disk of one cell; None where nothing similar was measured.

    basis: a sentence. kind: the basis in one or two words, for counting. unmeasured: the type of a model that was never
    measured.
    """

    seconds: float | None = None
    memory_mb: float | None = None
    disk_mb: float | None = None
    basis: str = ""
    kind: str = ""
    unmeasured: str = ""


UNKNOWN = Estimate()


@dataclass(frozen=True)
class RunCost:
    """The cost of several cells: sums over the cells that have an estimate.

    seconds: wall time with ``jobs`` at once. memory_mb: of ``jobs`` processes. unknown: the number of cells without an
    estimate, by the model's type.
    """

    cells: int
    seconds: float
    memory_mb: float
    disk_mb: float
    unknown: Mapping[str, int]

    @property
    def known(self) -> int:
        """The number of cells with an estimate of time."""
        return self.cells - sum(self.unknown.values())


def total_cost(estimates: Iterable[Estimate], jobs: int) -> RunCost:
    """The cost of cells, ``jobs`` at a time (at most one per core); the longest cell is a lower bound on time."""
    found = list(estimates)
    seconds = [e.seconds for e in found if e.seconds is not None]
    memory = sorted((e.memory_mb for e in found if e.memory_mb is not None), reverse=True)
    unknown: dict[str, int] = {}
    for estimate in found:
        if estimate.seconds is None:
            unknown[estimate.unmeasured] = unknown.get(estimate.unmeasured, 0) + 1
    return RunCost(
        cells=len(found),
        seconds=max(sum(seconds) / min(jobs, usable_cores()), max(seconds)) if seconds else 0.0,
        memory_mb=sum(memory[:jobs]),
        disk_mb=sum(e.disk_mb for e in found if e.disk_mb is not None),
        unknown=unknown,
    )


@dataclass(frozen=True, eq=False)
class StoredCells:
    """The finished cells of a store, with which the plan finds stale cells and estimates costs."""

    store: Store
    records: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, store: Store) -> StoredCells:
        """Read the finished cells of ``store``."""
        return cls(store, store.records())

    def estimate(self, parts: Mapping[str, Any], prepared: Prepared) -> Estimate:
        """Estimate the cost of the cell with these key parts from the most similar measured cells.

        First choice: the same model fields on the same split; then the same fields on the data set nearest in training
        events; then another model of the same type. Fit time scales with the training events, scoring time with the
        test queries; memory is the largest measured, unscaled.
        """
        fields, kind = parts["model fields"], parts["model fields"]["type"]
        name = kind.rpartition(".")[2]
        alike = [r for r in self.records if r["model_fields"]["type"] == kind and _device(r) == parts["device"]]
        disk = self._disk(prepared)
        equal = [r for r in alike if r["model_fields"] == fields]
        here = [r for r in equal if r["key_parts"].get("split") == prepared.fingerprint]
        if here:
            basis = f"measured on these data, {_run_count(here)}"
            return Estimate(_scaled_seconds(here, prepared), _peak_memory(here), disk, basis, "measured")
        chosen = _nearest(equal or alike, prepared.sizes["train_events"])
        if not chosen:
            return Estimate(None, None, disk, f"no {name} has been run on {parts['device']}", "not known", name)
        changed, tier = ("", "by events") if equal else (f"other fields of {name}, ", "other fields, by events")
        basis = f"{changed}by events from {chosen[0]['dataset']} ({chosen[0]['counts']['train_events']:,}), "
        seconds, memory = _scaled_seconds(chosen, prepared), _peak_memory(chosen)
        return Estimate(seconds, memory, disk, basis + _run_count(chosen), tier)

    def _disk(self, prepared: Prepared) -> float | None:
        """The size of a cell's folder in MB: from cells on the same split, else from the nearest in test queries."""
        here = [r for r in self.records if r["key_parts"].get("split") == prepared.fingerprint]
        queries = prepared.sizes["test_queries"]
        measured = here or sorted(self.records, key=lambda r: _log_distance(r["counts"]["test_queries"], queries))[:1]
        if not measured:
            return None
        rates = [self.store.size(r["key"]) / max(r["counts"]["test_queries"], 1) for r in measured[:8]]
        return statistics.median(rates) * queries / 1e6


def _nearest(records: Sequence[Mapping[str, Any]], events: int) -> list[Mapping[str, Any]]:
    """The records of the one data set whose number of training events is nearest on a log scale."""
    if not records:
        return []
    best = min(records, key=lambda r: _log_distance(r["counts"]["train_events"], events))
    return [r for r in records if r["key_parts"].get("split") == best["key_parts"].get("split")]


def _log_distance(one: int, other: int) -> float:
    """The distance between two counts on a log scale."""
    return abs(math.log(max(one, 1) / max(other, 1)))


def _scaled_seconds(records: Sequence[Mapping[str, Any]], prepared: Prepared) -> float:
    """The median of the records' seconds, each scaled to the size of these data."""
    sizes = prepared.sizes
    return statistics.median(
        r["seconds"]["fit"] * sizes["train_events"] / max(r["counts"]["train_events"], 1)
        + r["seconds"]["score"] * sizes["test_queries"] / max(r["counts"]["test_queries"], 1)
        for r in records
    )


def _peak_memory(records: Sequence[Mapping[str, Any]]) -> float:
    """The largest peak memory of the records, in MB."""
    return max(r["peak_memory_mb"] for r in records)


def _run_count(records: Sequence[Mapping[str, Any]]) -> str:
    """The number of measured cells, as text."""
    return f"{len(records)} run{'s' * (len(records) > 1)}"


def _device(record: Mapping[str, Any]) -> str:
    """The device kind of a stored cell: "cpu" or "cuda"."""
    return record["device"].partition(":")[0]
