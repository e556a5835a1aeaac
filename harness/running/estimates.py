"""Estimates: what a cell will cost in time, memory and disk, from cells that were measured; each says its basis."""

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
    """Wall seconds, peak memory and disk of one cell, each None where nothing like it was measured.

    basis: in words. kind: the basis in one or two words, to be counted. unmeasured: the kind of model of which nothing
    was measured, if so.
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
    """What several cells come to: the sums of those that are known, and what is not known.

    seconds: wall time with ``jobs`` at once; memory_mb: of ``jobs`` such processes; unknown: the number of cells of
    each kind of model of which nothing was measured.
    """

    cells: int
    seconds: float
    memory_mb: float
    disk_mb: float
    unknown: Mapping[str, int]

    @property
    def known(self) -> int:
        """The number of cells whose time is known."""
        return self.cells - sum(self.unknown.values())


def total_cost(estimates: Iterable[Estimate], jobs: int) -> RunCost:
    """The cost of cells, ``jobs`` at a time (no more than the machine has cores); the longest cell is a lower bound."""
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
    """The finished cells of a store."""

    store: Store
    records: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, store: Store) -> StoredCells:
        """All that ``store`` holds now."""
        return cls(store, store.records())

    def estimate(self, parts: Mapping[str, Any], prepared: Prepared) -> Estimate:
        """The cost of the cell with these key parts on this data, from the nearest cells that were measured.

        In this order: the same model with the same fields on the same split; on other data, of those the nearest in
        training events; the same kind of model with other fields. On other data fitting is taken to grow with the
        training events and scoring with the test queries; memory is the largest seen, unscaled.
        """
        fields, kind = parts["model fields"], parts["model fields"]["type"]
        name = kind.rpartition(".")[2]
        alike = [r for r in self.records if r["model_fields"]["type"] == kind and _device(r) == parts["device"]]
        disk = self._disk(prepared)
        equal = [r for r in alike if r["model_fields"] == fields]
        here = [r for r in equal if r["key_parts"].get("split") == prepared.fingerprint]
        if here:
            words = f"measured on these data, {_runs(here)}"
            return Estimate(_scaled(here, prepared), _memory(here), disk, words, "measured")
        chosen = _nearest(equal or alike, prepared.sizes["train_events"])
        if not chosen:
            return Estimate(None, None, disk, f"no {name} has been run on {parts['device']}", "not known", name)
        changed, tier = ("", "by events") if equal else (f"other fields of {name}, ", "other fields, by events")
        words = f"{changed}by events from {chosen[0]['dataset']} ({chosen[0]['counts']['train_events']:,}), "
        return Estimate(_scaled(chosen, prepared), _memory(chosen), disk, words + _runs(chosen), tier)

    def _disk(self, prepared: Prepared) -> float | None:
        """The size of a cell's folder in MB: as on the same split, else by test queries from the nearest in size."""
        here = [r for r in self.records if r["key_parts"].get("split") == prepared.fingerprint]
        queries = prepared.sizes["test_queries"]
        measured = here or sorted(self.records, key=lambda r: _apart(r["counts"]["test_queries"], queries))[:1]
        if not measured:
            return None
        rates = [self.store.size(r["key"]) / max(r["counts"]["test_queries"], 1) for r in measured[:8]]
        return statistics.median(rates) * queries / 1e6


def _nearest(records: Sequence[Mapping[str, Any]], events: int) -> list[Mapping[str, Any]]:
    """The records of the one data set whose number of training events is nearest on a log scale."""
    if not records:
        return []
    best = min(records, key=lambda r: _apart(r["counts"]["train_events"], events))
    return [r for r in records if r["key_parts"].get("split") == best["key_parts"].get("split")]


def _apart(one: int, other: int) -> float:
    """How far two counts are apart on a log scale."""
    return abs(math.log(max(one, 1) / max(other, 1)))


def _scaled(records: Sequence[Mapping[str, Any]], prepared: Prepared) -> float:
    """The median of the records' seconds, each brought to these data's size."""
    sizes = prepared.sizes
    return statistics.median(
        r["seconds"]["fit"] * sizes["train_events"] / max(r["counts"]["train_events"], 1)
        + r["seconds"]["score"] * sizes["test_queries"] / max(r["counts"]["test_queries"], 1)
        for r in records
    )


def _memory(records: Sequence[Mapping[str, Any]]) -> float:
    """The largest memory that one of them took, in MB."""
    return max(r["peak_memory_mb"] for r in records)


def _runs(records: Sequence[Mapping[str, Any]]) -> str:
    """How many cells an estimate rests on."""
    return f"{len(records)} run{'s' * (len(records) > 1)}"


def _device(record: Mapping[str, Any]) -> str:
    """The kind of device of a stored cell."""
    return record["device"].partition(":")[0]
