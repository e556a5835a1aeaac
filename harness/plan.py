"""The plan: which cells the store holds, which are new or stale and why, what the rest will cost."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.environment import usable_cores
from harness.keys import differences, key_of, key_parts
from harness.order import Bench
from harness.preparation import Prepared
from harness.progress import last_epoch
from harness.record import sentence, trace_text
from harness.spec import Cell
from harness.store import Store
from recsys_data.download import DataMissing


@dataclass(frozen=True, eq=False)
class Planned:
    """A cell, its key, and what is to be done about it.

    state: "cached" (the store holds it), "new", "stale" (the store holds it computed with something else), "skipped"
    (its data are not there), "refused" (its data cannot be used), "left out" (by --only). why: in words, empty for
    cached cells. seconds, memory_mb: estimated from past cells, None where there are none. parts: what the key is made
    of.
    """

    index: int
    cell: Cell
    key: str
    state: str
    why: str
    command: str
    seconds: float | None = None
    memory_mb: float | None = None
    trace: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def to_do(self) -> bool:
        """Whether the cell is to be computed."""
        return self.state in ("new", "stale")


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run would do, cell by cell in the suite's order."""

    bench: Bench
    cells: list[Planned]

    @property
    def to_do(self) -> list[Planned]:
        """The cells to be computed."""
        return [planned for planned in self.cells if planned.to_do]

    def seconds(self, jobs: int) -> float | None:
        """The estimated wall time of all that is to do, None unless every cell has an estimate."""
        known = [p.seconds for p in self.to_do]
        if not known or any(s is None for s in known):
            return None
        return max(sum(known) / min(jobs, usable_cores()), max(known))


def make_plan(bench: Bench, store: Store, *, fresh: bool = False) -> Plan:
    """The plan of an opened order against a store; with ``fresh`` nothing counts as cached.

    Data sets are loaded and split for it, since a key holds their fingerprints.
    """
    past = store.records()
    missing: dict[str, str] = {}
    return Plan(bench, [_planned(bench, store, past, index, fresh, missing) for index in range(len(bench.cells))])


def _planned(
    bench: Bench, store: Store, past: Sequence[Mapping[str, Any]], index: int, fresh: bool, missing: dict[str, str]
) -> Planned:
    cell = bench.cells[index]
    command = bench.command(cell)
    if not bench.chosen[index]:
        return Planned(index, cell, "", "left out", "not chosen by --only", command)
    prepared, state, why, trace = _prepared(bench, cell, missing)
    parts = cell_parts(bench, index, prepared)
    key = key_of(parts)
    if prepared is None:
        return Planned(index, cell, key, state, why, command, trace=trace)
    if store.record(key) is not None and not fresh:
        return Planned(index, cell, key, "cached", "", command)
    state, why = _reason(cell, parts, past) if not fresh else ("new", "computed anew, as --fresh asks")
    failure = store.failure(key)
    if failure is not None:
        why = f"failed before: {failure['reason']}"
    epoch = None if fresh else last_epoch(store.partial(key))
    if epoch is not None:
        why += f"; goes on from a checkpoint after epoch {epoch}"
    seconds, memory = _estimate(parts, len(prepared.split.train), past)
    return Planned(index, cell, key, state, why, command, seconds, memory, parts=parts)


def _prepared(bench: Bench, cell: Cell, missing: dict[str, str]) -> tuple[Prepared | None, str, str, str]:
    """The cell's data, or None with state, sentence and traceback.

    missing: the files that were looked for in vain and what was said of them, so that a plan of many cells asks an
    address once.
    """
    whole = getattr(cell.experiment.dataset, "dataset", cell.experiment.dataset)  # the whole of a smoke run's part
    source = repr(getattr(whole, "source", whole))
    if source in missing:
        return None, "skipped", missing[source], ""
    try:
        return bench.prepare(cell), "", "", ""
    except DataMissing as error:
        missing[source] = sentence(error)
        return None, "skipped", missing[source], ""
    except (ValueError, OSError, MemoryError) as error:
        return None, "refused", sentence(error), trace_text(error)


def cell_parts(bench: Bench, index: int, prepared: Prepared | None) -> dict[str, Any]:
    """The parts of the key of a bench's cell under this order."""
    return key_parts(
        bench.cells[index],
        prepared,
        sources=bench.sources[index],
        metric=bench.metrics[0].name,
        device=bench.order.device,
        threads=bench.order.threads,
    )


def _reason(cell: Cell, parts: Mapping[str, Any], past: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """New or stale, and why: compared with the stored cell of the same names and seed that differs least."""
    same = [r for r in past if (r["dataset"], r["model"], r["seed"]) == (cell.dataset, cell.model_name, cell.seed)]
    if not same:
        return "new", "never computed"
    changes = min((differences(r.get("key_parts", {}), parts) for r in reversed(same)), key=len)
    return "stale", f"changed: {'; '.join(changes)}"


def _estimate(
    parts: Mapping[str, Any], train_events: int, past: Sequence[Mapping[str, Any]]
) -> tuple[float | None, float | None]:
    """Seconds and memory of a cell, from past cells of its model type: those with equal fields where there are any.

    Time is taken to grow with the training events, memory to be the largest seen.
    """
    kind = parts["model fields"]["type"]
    alike = [r for r in past if r["model_fields"]["type"] == kind and _kind(r) == parts["device"]]
    equal = [r for r in alike if r["model_fields"] == parts["model fields"]]
    chosen = equal or alike
    if not chosen:
        return None, None
    rates = [sum(r["seconds"].values()) / max(r["counts"]["train_events"], 1) for r in chosen]
    return statistics.median(rates) * train_events, max(r["peak_memory_mb"] for r in chosen)


def _kind(record: Mapping[str, Any]) -> str:
    """The kind of device of a stored cell."""
    return record["device"].partition(":")[0]
