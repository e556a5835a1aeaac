"""Estimates of a cell's time, memory and disk from measured cells, each with its basis."""

from __future__ import annotations

import functools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.preparation import Prepared
from harness.store import Store
from harness.system.compiled_kernels import has_compiled_kernels
from harness.system.probe import machine_speed


@dataclass(frozen=True)
class Estimate:
    """Wall seconds, peak memory and disk of one cell; None where nothing similar was measured.

    basis: a sentence. kind: the basis in one or two words, for counting. unmeasured: the type of a model that was never
    measured. alone: whether it has a process of its own. once: further seconds by name, which cells of a run share.
    """

    seconds: float | None = None
    memory_mb: float | None = None
    disk_mb: float | None = None
    basis: str = ""
    kind: str = ""
    unmeasured: str = ""
    alone: bool = False
    once: Mapping[str, float] = field(default_factory=dict)


UNKNOWN = Estimate()
ROOT = Path(__file__).resolve().parents[2]
OF_THE_REPORT = ("evaluation/statistics/resampling.py",)  # kernels that the report of any suite needs
REFERENCE = Path(__file__).with_name("reference_timings.json")  # made by python -m speed.reference_timings
# in products of numbers that take as long; checked by python -m speed.published_estimates
STEP_AT_ANY_SIZE, AT_BATCH = 600_000, 16  # a target's share of a step whatever the model's size; of larger batches less
SAMPLED_ROW = 200  # to look up, change and store one number of an item that all targets of a step share as a negative


@functools.cache
def reference_timings() -> Mapping[str, Any]:
    """The shipped timings: the speed of the machine that took them, and records like those of stored cells."""
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


def reference_ratio(folder: Path) -> float:
    """The seconds of this machine, whose speed ``folder`` keeps, for one of the machine that took the timings."""
    return reference_timings()["speed"] / machine_speed(folder)


@dataclass(frozen=True, eq=False)
class StoredCells:
    """The finished cells of a store, with which the plan finds stale cells and estimates costs."""

    store: Store
    records: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, store: Store) -> StoredCells:
        """Read the finished cells of ``store``."""
        return cls(store, store.records())

    @functools.cached_property
    def ratio(self) -> float:
        """The seconds of this machine for one of the reference timings."""
        return reference_ratio(self.store.root / "derived")

    @functools.cached_property
    def uncompiled(self) -> Mapping[str, float]:
        """The files whose kernels were never compiled, each with the seconds that this takes."""
        known = reference_timings()["kernels"].items()
        return {name: seconds * self.ratio for name, seconds in known if not has_compiled_kernels(ROOT / name)}

    def estimate(self, parts: Mapping[str, Any], prepared: Prepared) -> Estimate:
        """Estimate the cost of the cell with these key parts."""
        events = prepared.data["events"] * reference_timings()["run"]["event"]
        compiled = {n: s for n, s in self.uncompiled.items() if n in parts["code"] or n in OF_THE_REPORT}
        once = {f"split {prepared.fingerprint}": events * self.ratio, **compiled}
        return replace(self._of_cell(parts, prepared), once=once)

    def _of_cell(self, parts: Mapping[str, Any], prepared: Prepared) -> Estimate:
        """The estimate for a fit and its ranking from the most similar measured cells.

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
        known = _references(name, prepared)
        if not known or device != "cpu":
            return Estimate(None, None, disk, f"no {name} has been run on {device}", "not known", name)
        seconds = _scaled_seconds(known, fields, prepared) * self.ratio
        basis = f"from reference timings, × {self.ratio:.2f} for this machine's speed"
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


def reference_seconds(fields: Mapping[str, Any], prepared: Prepared, epochs: int) -> float | None:
    """The seconds of so many epochs on the machine of the shipped timings; None for a type that has none."""
    known = _references(fields["type"].rpartition(".")[2], prepared)
    until = [r | {"model_fields": r["model_fields"] | {"epochs": r["epochs"]}} for r in known]  # as if at their limits
    return _scaled_seconds(until, {**fields, "epochs": epochs}, prepared) if known else None


def _references(name: str, prepared: Prepared) -> list[Mapping[str, Any]]:
    """The shipped timings of a type of model.

    Sessions are short and users' histories long, which is most of the cost of models that read back at each event:
    where there are timings on data of the same unit, only those are given.
    """
    known = [r for r in reference_timings()["records"] if r["model_fields"]["type"].rpartition(".")[2] == name]
    return [r for r in known if r["unit"] == prepared.data["unit"]] or known


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
        ranked = sizes["test_queries"] + sizes["validation_queries"]  # the latter once more than in the fit
        queries = ranked / max(counts["test_queries"], 1)
        width = fields.get("dim", 1) / max(own.get("dim", 1), 1)
        size = _step_work(fields, items) / _step_work(own, known_items)
        epochs = _epochs(record, fields, sizes["validation_queries"] > 0)
        fit = record["seconds"]["fit"] * events * size * epochs / max(record.get("epochs") or 1, 1)
        return fit + record["seconds"]["score"] * queries * width * items / max(known_items, 1)

    return statistics.median(map(scaled, records))


def _epochs(record: Mapping[str, Any], fields: Mapping[str, Any], validated: bool) -> float:
    """The epochs to expect: the record's best one and the patience after it, or the limit.

    The limit where the record reached its own, where it is lower, and where no validation part can stop the training.
    """
    ran, limit = record.get("epochs"), fields.get("epochs")
    if not ran or not limit:
        return ran or 1
    own, patience = record["model_fields"], fields.get("patience")
    if ran >= own.get("epochs", ran) or (patience and not validated):
        return limit
    if patience and "patience" in own:
        ran = max(ran - own["patience"], 1) + patience
    return min(ran, limit)


def _step_work(fields: Mapping[str, Any], items: int) -> float:
    """The work of a training step for one target, up to a factor: the state's products and the scores.

    A loss over the whole catalogue scores every item, any other its negatives; a model without ``dim`` has no step. A
    batch of segments has many targets, however small it is.
    """
    dim = fields.get("dim")
    if not dim:
        return 1.0
    batch, loss = fields.get("batch_size") or AT_BATCH, fields.get("loss") or {}
    sampled = loss.get("num_negatives") if isinstance(loss, Mapping) else None
    scored = 1.0 if "loss" not in fields else items if sampled is None else sampled * (1 + SAMPLED_ROW / batch)
    share = 1.0 if "segments" in fields else (AT_BATCH / batch) ** 0.5
    return dim * (16 * dim + scored) + STEP_AT_ANY_SIZE * share


def _peak_memory(records: Sequence[Mapping[str, Any]]) -> float:
    """The largest peak memory of the records, in MB."""
    return max(r["peak_memory_mb"] for r in records)


def _run_count(records: Sequence[Mapping[str, Any]]) -> str:
    """The number of measured cells, as text."""
    return f"{len(records)} run{'s' * (len(records) > 1)}"


def _device(record: Mapping[str, Any]) -> str:
    """The device kind of a stored cell: "cpu" or "cuda"."""
    return record["device"].partition(":")[0]
