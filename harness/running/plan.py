"""The plan: which cells the store holds, which are new or stale and why, what the rest will cost."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.cells.keys import differences, key_of, key_parts, search_key
from harness.cells.record import sentence, trace_text
from harness.cells.search import search_record
from harness.preparation import Prepared
from harness.running.estimates import UNKNOWN, Cost, Estimate, Past, total
from harness.running.progress import last_epoch
from harness.spec import Cell
from harness.store import Store, StoreUnusable
from harness.suites.request import Bench
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import Source

BY_A_RUN = "a run fetches it"
TWIN = Estimate(0.0, 0.0, 0.0, "one cell with another of this suite", "twin")


@dataclass(frozen=True, eq=False)
class Planned:
    """A cell, its key, and what is to be done about it.

    state: "cached" (the store holds it), "new", "stale" (the store holds it computed with something else), "shared"
    (an earlier suite of the same command computes it), "skipped" (its data are not there), "to fetch" (a run would
    fetch them), "refused" (its data cannot be used), "left out" (by --only or --protocol). why: in words, empty for
    cached cells. estimate: of a cell to be computed. parts: what the key is made of.
    """

    index: int
    cell: Cell
    key: str
    state: str
    why: str
    command: str
    estimate: Estimate = UNKNOWN
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

    def cost(self, jobs: int) -> Cost:
        """What all that is to do will take, ``jobs`` cells at a time."""
        return total((planned.estimate for planned in self.to_do), jobs)


@dataclass
class Round:
    """What the plans of one command share, so that a file is looked for once and a cell computed once.

    fetch: whether absent data are fetched; a plan that is only shown fetches nothing. missing: files that were looked
    for in vain and what was said of them. cells: the suite that is the first to have a cell, by key.
    """

    fetch: bool = True
    missing: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)


def make_plan(bench: Bench, store: Store, *, fresh: bool = False, shared: Round | None = None) -> Plan:
    """The plan of an opened order against a store; with ``fresh`` nothing counts as cached but what this command did.

    A key holds fingerprints of the data, so data sets are prepared for it where they were not before. ``shared``: what
    the plans of earlier suites of the same command found.
    """
    past, shared = Past.of(store), shared or Round()
    cells: list[Planned] = []
    own: set[str] = set()
    searched: set[str] = set()  # searches that an earlier cell of this plan does
    for index in range(len(bench.cells)):
        planned = _planned(bench, past, index, fresh, shared)
        twin = planned.to_do and planned.key in own
        planned = replace(planned, estimate=TWIN) if twin else _with_search(planned, store, fresh, searched)
        cells.append(planned)
        own |= {planned.key} if planned.to_do else set()
    shared.cells |= dict.fromkeys(own, bench.suite.name)
    return Plan(bench, cells)


def _planned(bench: Bench, past: Past, index: int, fresh: bool, shared: Round) -> Planned:
    cell, store = bench.cells[index], past.store
    command = bench.command(cell)
    if not bench.chosen[index]:
        return Planned(index, cell, "", "left out", "not chosen by --only or --protocol", command)
    prepared, state, why, trace = _prepared(bench, cell, shared)
    parts = cell_parts(bench, index, prepared)
    key = key_of(parts)
    if prepared is None:
        return Planned(index, cell, key, state, why, command, trace=trace)
    if cell.space and not prepared.validates:
        return Planned(index, cell, key, "refused", _nothing_to_tune_on(cell), command)
    if store.holds(key) and (not fresh or key in shared.cells):
        return Planned(index, cell, key, "cached", "", command)
    if key in shared.cells:
        return Planned(index, cell, key, "shared", f"{shared.cells[key]} computes it", command)
    state, why = _reason(cell, parts, past.records) if not fresh else ("new", "computed anew, as --fresh asks")
    failure = store.failure(key)
    if failure is not None:
        why = f"failed before: {failure['reason']}"
    epoch = None if fresh else last_epoch(store.partial(key))
    if epoch is not None:
        why += f"; goes on from a checkpoint after epoch {epoch}"
    return Planned(index, cell, key, state, why, command, past.estimate(parts, prepared), parts=parts)


def _nothing_to_tune_on(cell: Cell) -> str:
    return (f"{cell.model_name} is to be tuned, but {cell.protocol} leaves no validation part of {cell.dataset}: give "
            "the protocol one, or the model fields")  # fmt: skip


def _with_search(planned: Planned, store: Store, fresh: bool, searched: set[str]) -> Planned:
    """The planned cell with the trials that it has to wait for or to do, in words and, for the first, in its cost."""
    if not (planned.to_do and planned.cell.space):
        return planned
    search, total = search_key(planned.parts), planned.cell.experiment.tuning.trials
    found = None if fresh else search_record(store, planned.parts)
    left = total - (0 if found is None else len(found.trials))
    if not left:
        return replace(planned, why=f"{planned.why}; its {total} trials are done")
    if search in searched:
        return replace(planned, why=f"{planned.why}; after the search of {total} trials")
    searched.add(search)
    one = planned.estimate
    each = found.seconds / len(found.trials) if found is not None and found.trials else one.seconds
    seconds = None if one.seconds is None or each is None else one.seconds + left * each
    words = f"{left} trials to do first" if left == total else f"{left} of {total} trials to do first"
    basis = f"{one.basis}, {left + 1} fits" if one.seconds is not None else one.basis
    return replace(planned, why=f"{planned.why}; {words}", estimate=replace(one, seconds=seconds, basis=basis))


def _who_fetches(source: Source) -> str:
    """Whether a run would fetch what is absent, or why not."""
    if not source.urls:
        return "it cannot be fetched by a program"
    return "ENCORE_OFFLINE forbids fetching it" if os.environ.get("ENCORE_OFFLINE") else BY_A_RUN


def _prepared(bench: Bench, cell: Cell, shared: Round) -> tuple[Prepared | None, str, str, str]:
    """The cell's data, or None with state, sentence and traceback."""
    dataset, folder = cell.experiment.dataset, bench.order.data
    source = getattr(dataset, "source", None)
    files = repr(source or getattr(dataset, "dataset", dataset))  # the whole of a smoke run's part
    if files not in shared.missing and not shared.fetch and isinstance(source, Source) and not source.present(folder):
        shared.missing[files] = source.sentence(folder, dataset.title, _who_fetches(source))
    if files in shared.missing:
        fetched = not shared.fetch and isinstance(source, Source) and _who_fetches(source) == BY_A_RUN
        return None, "to fetch" if fetched else "skipped", shared.missing[files], ""
    try:
        return bench.prepare(cell), "", "", ""
    except StoreUnusable:
        raise
    except DataMissing as error:
        shared.missing[files] = sentence(error)
        return None, "skipped", shared.missing[files], ""
    except Exception as error:  # whatever a data set or a protocol does wrong, the other cells go on
        return None, "refused", sentence(error), trace_text(error)


def cell_parts(bench: Bench, index: int, prepared: Prepared | None) -> dict[str, Any]:
    """The parts of the key of a bench's cell under this order."""
    return key_parts(
        bench.cells[index],
        prepared,
        sources=bench.sources[index],
        metrics=bench.metrics,
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
