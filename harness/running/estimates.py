"""Estimates of a cell's time, memory and disk from measured cells, each with its basis."""

from __future__ import annotations

import functools
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.preparation import Prepared
from harness.store import Store
from harness.system.environment import usable_cores
from harness.system.probe import machine_speed


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
REFERENCE = Path(__file__).with_name("reference_timings.json")  # made by python -m speed.reference_timings
WORKER_START = 4.0  # seconds: a process that imports torch; workers start side by side
STEP_AT_ANY_SIZE = 20_000  # products of numbers that take as long as a step of an empty model, for each target
REPORT = (2.0, 0.03)  # seconds: of any first report, and of each cell in it


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


def run_cost(estimates: Iterable[Estimate], jobs: int) -> RunCost:
    """The cost of a run: that of its cells, and the seconds in which it starts its workers and writes its report."""
    cost = total_cost(estimates, jobs)
    return (
        replace(cost, seconds=cost.seconds + WORKER_START + REPORT[0] + REPORT[1] * cost.cells) if cost.known else cost
    )


@functools.cache
def reference_timings() -> Mapping[str, Any]:
    """The shipped timings: the speed of the machine that took them, and records like those of stored cells."""
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


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
        events; then another model of the same type; then the reference timings of another machine, scaled by the
        speeds of both. Seconds are scaled by epochs, events, queries, items and dim; memory is the largest measured.
        """
        fields, kind = parts["model fields"], parts["model fields"]["type"]
        name, disk = kind.rpartition(".")[2], self._disk(prepared)
        alike = [r for r in self.records if r["model_fields"]["type"] == kind and _device(r) == parts["device"]]
        equal = [r for r in alike if r["model_fields"] == fields]
        here = [r for r in equal if r["key_parts"].get("split") == prepared.fingerprint]
        if here:
            basis = f"measured on these data, {_run_count(here)}"
            return Estimate(_scaled_seconds(here, fields, prepared), _peak_memory(here), disk, basis, "measured")
        chosen = _nearest(equal or alike, prepared.sizes["train_events"])
        if not chosen:
            return self._from_reference(fields, parts["device"], prepared, disk, name)
        changed, tier = ("", "by events") if equal else (f"other fields of {name}, ", "other fields, by events")
        basis = f"{changed}by events from {chosen[0]['dataset']} ({chosen[0]['counts']['train_events']:,}), "
        seconds, memory = _scaled_seconds(chosen, fields, prepared), _peak_memory(chosen)
        return Estimate(seconds, memory, disk, basis + _run_count(chosen), tier)

    def _from_reference(
        self, fields: Mapping[str, Any], device: str, prepared: Prepared, disk: float | None, name: str
    ) -> Estimate:
        """An estimate from the shipped timings of the same type of model, which were taken on a CPU."""
        reference = reference_timings()
        known = [r for r in reference["records"] if r["model_fields"]["type"].rpartition(".")[2] == name]
        if not known or device != "cpu":
            return Estimate(None, None, disk, f"no {name} has been run on {device}", "not known", name)
        ratio = reference["speed"] / machine_speed(self.store.root / "derived")
        seconds = _scaled_seconds(known, fields, prepared) * ratio
        basis = f"from reference timings, × {ratio:.2f} for this machine's speed"
        return Estimate(seconds, _peak_memory(known), disk, basis, "reference timings")

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


def _scaled_seconds(records: Sequence[Mapping[str, Any]], fields: Mapping[str, Any], prepared: Prepared) -> float:
    """The median of the records' seconds, each scaled to these fields and the size of these data."""
    sizes, items = prepared.sizes, prepared.data["items"]

    def scaled(record: Mapping[str, Any]) -> float:
        counts, own = record["counts"], record["model_fields"]
        known_items = counts.get("items", items)
        events = sizes["train_events"] / max(counts["train_events"], 1)
        queries = sizes["test_queries"] / max(counts["test_queries"], 1)
        width = fields.get("dim", 1) / max(own.get("dim", 1), 1)
        size = _step_work(fields, items) / _step_work(own, known_items)
        fit = record["seconds"]["fit"] * events * size * _epochs(record, fields) / max(record.get("epochs") or 1, 1)
        return fit + record["seconds"]["score"] * queries * width * items / max(known_items, 1)

    return statistics.median(map(scaled, records))


def _epochs(record: Mapping[str, Any], fields: Mapping[str, Any]) -> float:
    """The epochs to expect: those of the record, or the limit where that was reached or is lower now."""
    ran, limit = record.get("epochs") or 1, fields.get("epochs")
    if not limit:
        return ran
    return limit if ran >= record["model_fields"].get("epochs", ran) else min(ran, limit)


def _step_work(fields: Mapping[str, Any], items: int) -> float:
    """The work of a training step for one target, up to a factor: the state's products and the scores.

    A loss over the whole catalogue scores every item, any other its negatives; a model without ``dim`` has no step.
    """
    dim = fields.get("dim")
    if not dim:
        return 1.0
    loss = fields.get("loss") or {}
    scored = loss.get("num_negatives", items) if isinstance(loss, Mapping) else items
    return dim * (16 * dim + (scored if "loss" in fields else 1)) + STEP_AT_ANY_SIZE


def _peak_memory(records: Sequence[Mapping[str, Any]]) -> float:
    """The largest peak memory of the records, in MB."""
    return max(r["peak_memory_mb"] for r in records)


def _run_count(records: Sequence[Mapping[str, Any]]) -> str:
    """The number of measured cells, as text."""
    return f"{len(records)} run{'s' * (len(records) > 1)}"


def _device(record: Mapping[str, Any]) -> str:
    """The device kind of a stored cell: "cpu" or "cuda"."""
    return record["device"].partition(":")[0]
