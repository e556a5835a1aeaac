"""The plan: which cells the store holds, which are new or stale and why, what the rest will cost."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.cells.keys import cell_parts, differences, key_of, search_key
from harness.cells.progress import last_epoch
from harness.cells.record import Failure, error_message
from harness.cells.search import search_record
from harness.preparation import Prepared
from harness.running.estimates import UNKNOWN, Estimate, RunCost, StoredCells, total_cost
from harness.spec import Cell
from harness.store import Store, StoreUnusable
from harness.suites.request import LoadedSuite
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import Source

BY_A_RUN = "a run fetches it"
DUPLICATE = Estimate(0.0, 0.0, 0.0, "one cell with another of this suite", "twin")


@dataclass(frozen=True, eq=False)
class PlannedCell:
    """A cell, its key, and what is to be done about it.

    state: "cached" (the store holds it), "new", "stale" (the store holds it computed with something else), "shared"
    (an earlier suite of the same command computes it), "skipped" (its data are not there), "to fetch" (a run would
    fetch them), "refused" (its data cannot be used), "left out" (by --only or --protocol). why: in words, empty for
    cached cells. estimate: of a cell to be computed. failure: of a refused cell. parts: the parts of the key.
    """

    index: int
    cell: Cell
    key: str
    state: str
    why: str
    command: str
    estimate: Estimate = UNKNOWN
    failure: Failure | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def to_do(self) -> bool:
        """Whether the cell is to be computed."""
        return self.state in ("new", "stale")


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run would do, cell by cell in the suite's order."""

    loaded: LoadedSuite
    cells: list[PlannedCell]

    @property
    def to_do(self) -> list[PlannedCell]:
        """The cells to be computed."""
        return [planned for planned in self.cells if planned.to_do]

    def cost(self, jobs: int) -> RunCost:
        """What all that is to do will take, ``jobs`` cells at a time."""
        return total_cost((planned.estimate for planned in self.to_do), jobs)


@dataclass
class PlanContext:
    """What the plans of one command share, so that a file is looked for once and a cell computed once.

    fetch: whether absent data are fetched; a plan that is only shown fetches nothing. missing: files that were looked
    for in vain and what was said of them. cells: the suite that is the first to have a cell, by key.
    """

    fetch: bool = True
    missing: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)


def make_plan(loaded: LoadedSuite, store: Store, *, fresh: bool = False, shared: PlanContext | None = None) -> Plan:
    """The plan of an opened order against a store; with ``fresh`` nothing counts as cached but what this command did.

    A key holds fingerprints of the data, so data sets are prepared for it where they were not before. ``shared``: what
    the plans of earlier suites of the same command found.
    """
    past, shared = StoredCells.of(store), shared or PlanContext()
    cells: list[PlannedCell] = []
    own: set[str] = set()
    searched: set[str] = set()  # searches that an earlier cell of this plan does
    for index in range(len(loaded.cells)):
        planned = _planned(loaded, past, index, fresh, shared)
        twin = planned.to_do and planned.key in own
        planned = replace(planned, estimate=DUPLICATE) if twin else _with_search(planned, store, fresh, searched)
        cells.append(planned)
        own |= {planned.key} if planned.to_do else set()
    shared.cells |= dict.fromkeys(own, loaded.suite.name)
    return Plan(loaded, cells)


def _planned(loaded: LoadedSuite, past: StoredCells, index: int, fresh: bool, shared: PlanContext) -> PlannedCell:
    cell, store = loaded.cells[index], past.store
    command = loaded.command(cell)
    if not loaded.chosen[index]:
        return PlannedCell(index, cell, "", "left out", "not chosen by --only or --protocol", command)
    prepared, state, why, failure = _prepared(loaded, cell, shared)
    parts = cell_parts(loaded, index, prepared)
    key = key_of(parts)
    if prepared is None:
        return PlannedCell(index, cell, key, state, why, command, failure=failure)
    if cell.space and not prepared.validates:
        failure = Failure.of(_nothing_to_tune_on(cell))
        return PlannedCell(index, cell, key, "refused", failure.reason, command, failure=failure)
    if store.holds(key) and (not fresh or key in shared.cells):
        return PlannedCell(index, cell, key, "cached", "", command)
    if key in shared.cells:
        return PlannedCell(index, cell, key, "shared", f"{shared.cells[key]} computes it", command)
    state, why = _reason(cell, parts, past.records) if not fresh else ("new", "computed anew, as --fresh asks")
    earlier = store.failure(key)
    if earlier is not None:
        why = f"failed before: {earlier['reason']}"
    epoch = None if fresh else last_epoch(store.partial(key))
    if epoch is not None:
        why += f"; goes on from a checkpoint after epoch {epoch}"
    return PlannedCell(index, cell, key, state, why, command, past.estimate(parts, prepared), parts=parts)


def _nothing_to_tune_on(cell: Cell) -> ValueError:
    return ValueError(f"{cell.model_name} is to be tuned, but {cell.protocol} leaves no validation part of "
                      f"{cell.dataset}: give the protocol one, or the model fields")  # fmt: skip


def _with_search(planned: PlannedCell, store: Store, fresh: bool, searched: set[str]) -> PlannedCell:
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


def _prepared(loaded: LoadedSuite, cell: Cell, shared: PlanContext) -> tuple[Prepared | None, str, str, Failure | None]:
    """The cell's data, or None with the state, the reason and, for refused data, the failure."""
    dataset, folder = cell.experiment.dataset, loaded.request.data
    source = getattr(dataset, "source", None)
    files = repr(source or getattr(dataset, "dataset", dataset))  # the whole of a smoke run's part
    if files not in shared.missing and not shared.fetch and isinstance(source, Source) and not source.present(folder):
        shared.missing[files] = source.missing_message(folder, dataset.title, _who_fetches(source))
    if files in shared.missing:
        fetched = not shared.fetch and isinstance(source, Source) and _who_fetches(source) == BY_A_RUN
        return None, "to fetch" if fetched else "skipped", shared.missing[files], None
    try:
        return loaded.prepare(cell), "", "", None
    except StoreUnusable:
        raise
    except DataMissing as error:
        shared.missing[files] = error_message(error)
        return None, "skipped", shared.missing[files], None
    except Exception as error:  # an error of one data set or protocol does not stop the other cells
        failure = Failure.of(error)
        return None, "refused", failure.reason, failure


def _reason(cell: Cell, parts: Mapping[str, Any], past: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """New or stale, and why: compared with the stored cell of the same names and seed that differs least."""
    same = [r for r in past if (r["dataset"], r["model"], r["seed"]) == (cell.dataset, cell.model_name, cell.seed)]
    if not same:
        return "new", "never computed"
    changes = min((differences(r.get("key_parts", {}), parts) for r in reversed(same)), key=len)
    return "stale", f"changed: {'; '.join(changes)}"
