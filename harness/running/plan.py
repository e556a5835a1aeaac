"""The plan of a run: which cells are stored, which are new or stale and why, and what the rest will cost."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.results.suite_results import adoption_text
from harness.cells.keys import cell_parts, differences, is_read, key_of, search_key
from harness.cells.progress import last_epoch
from harness.cells.record import Failure, error_message
from harness.cells.search import search_record
from harness.preparation import Prepared
from harness.running.estimates import UNKNOWN, Estimate, StoredCells
from harness.running.run_cost import RunCost, run_cost
from harness.spec import Cell
from harness.store import Store, StoreUnusable
from harness.suites.request import LoadedSuite
from harness.system.blame import is_encore_class
from harness.system.signals import check_terminated
from harness.system.sources import classes_in
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import Source

BY_A_RUN = "a run fetches it"
PreparedState = tuple[Prepared | None, str, str, Failure | None]
_NOT_PREPARED: PreparedState = None, "", "", None
READING = Estimate(1.0, 0.0, 0.0, "ranks are read from a file", "read")
DUPLICATE = Estimate(0.0, 0.0, 0.0, "the same cell as another of this suite", "duplicate")


@dataclass(frozen=True, eq=False)
class PlannedCell:
    """A cell, its key, and its state before the run.

    state: "cached" (stored), "new", "stale" (stored, but computed with something else), "shared" (an earlier suite of
    the same command computes it), "skipped" (its data are missing), "to fetch" (a run would fetch them), "refused" (its
    data cannot be used), "left out" (by --only, --protocol or --seeds). key: "" where a left-out cell's data were not
    prepared before. why: the reason; of a cached cell, how it was adopted. estimate: of a cell to compute. failure: of
    a refused cell. parts: the parts of the key, those of the data None where the data are not known.
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
        """Whether a run computes the cell."""
        return self.state in ("new", "stale")


@dataclass(frozen=True, eq=False)
class Plan:
    """The cells of a suite in its order, each with its state before the run."""

    loaded: LoadedSuite
    cells: list[PlannedCell]

    @property
    def to_do(self) -> list[PlannedCell]:
        """The cells to compute."""
        return [planned for planned in self.cells if planned.to_do]

    @property
    def selected(self) -> list[PlannedCell]:
        """The cells that --only, --protocol and --seeds select: all where none of these is given."""
        return [planned for planned in self.cells if planned.state != "left out"]

    def cost(self, jobs: int) -> RunCost:
        """The cost of computing what is left, ``jobs`` cells at a time, with start-up and report."""
        return run_cost((planned.estimate for planned in self.to_do), jobs, self.speed_folder)

    @property
    def speed_folder(self) -> Path:
        """The folder that keeps this machine's speed."""
        return self.loaded.request.results / "derived"


@dataclass
class PlanContext:
    """State that the plans of one command share: a file is looked for once, and a cell computed once.

    fetch: whether missing data are fetched; a plan that is only shown fetches nothing. missing: the message for each
    file that was not found. cells: the first suite that has a cell, by key.
    """

    fetch: bool = True
    missing: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)


def make_plan(loaded: LoadedSuite, store: Store, *, fresh: bool = False, context: PlanContext | None = None) -> Plan:
    """Plan a loaded suite against a store.

    A key holds fingerprints of the data, so data sets that were not prepared before are prepared here. fresh: only
    cells that this command computed count as cached. context: shared with the earlier suites of the same command.
    """
    stored, context = StoredCells.of(store), context or PlanContext()
    adopted = {record["key"]: text for record in stored.records if (text := adoption_text(record))}
    cells: list[PlannedCell] = []
    own: set[str] = set()
    searched: set[str] = set()  # searches that an earlier cell of this plan runs
    alone: dict[tuple[int, str], bool] = {}  # by experiment and model
    experiment, data = None, _NOT_PREPARED
    for index, cell in enumerate(loaded.cells):
        check_terminated()
        if loaded.chosen[index] and cell.experiment is not experiment:  # cells are ordered by experiment
            experiment, data = cell.experiment, _prepared(loaded, cell, context)
        planned = _planned(loaded, stored, index, fresh, context, data)
        planned = replace(planned, why=adopted.get(planned.key, "")) if planned.state == "cached" else planned
        name = id(cell.experiment), cell.model_name
        if planned.to_do and (alone[name] if name in alone else alone.setdefault(name, runs_alone(cell))):
            planned = replace(planned, estimate=replace(planned.estimate, alone=True))
        duplicate = planned.to_do and planned.key in own
        planned = replace(planned, estimate=DUPLICATE) if duplicate else _with_search(planned, store, fresh, searched)
        cells.append(planned)
        own |= {planned.key} if planned.to_do else set()
    context.cells |= dict.fromkeys(own, loaded.suite.name)
    return Plan(loaded, cells)


def runs_alone(cell: Cell) -> bool:
    """Whether a cell needs a process of its own: it runs code that is not of this checkout."""
    values = (cell.model, cell.space, cell.experiment.dataset, cell.experiment.protocol)
    return not all(map(is_encore_class, classes_in(values)))


def _planned(
    loaded: LoadedSuite, stored: StoredCells, index: int, fresh: bool, context: PlanContext, data: PreparedState
) -> PlannedCell:
    cell, store = loaded.cells[index], stored.store
    command = loaded.command(cell)
    if not loaded.chosen[index]:
        known = loaded.prepared_before(cell)
        parts = cell_parts(loaded, index, known)
        return PlannedCell(index, cell, "" if known is None else key_of(parts), "left out", "", command, parts=parts)
    prepared, state, why, failure = data
    parts = cell_parts(loaded, index, prepared)
    key = key_of(parts)
    if prepared is None:
        return PlannedCell(index, cell, key, state, why, command, failure=failure, parts=parts)
    if cell.space and not prepared.has_validation:
        failure = Failure.of(_nothing_to_tune_on(cell))
        return PlannedCell(index, cell, key, "refused", failure.reason, command, failure=failure)
    if store.holds(key) and (not fresh or key in context.cells):
        return PlannedCell(index, cell, key, "cached", "", command, parts=parts)
    if key in context.cells:
        return PlannedCell(index, cell, key, "shared", f"{context.cells[key]} computes it", command, parts=parts)
    state, why = ("new", "computed anew (--fresh)") if fresh else _new_or_stale(cell, parts, stored.records)
    earlier = store.failure(key)
    if earlier is not None:
        why = f"{earlier.get('state', 'FAILED')} before: {earlier['reason']}"
    epoch = None if fresh else last_epoch(store.partial(key))
    if epoch is not None:
        why += f"; resumes from a checkpoint after epoch {epoch}"
    estimate = READING if is_read(parts) else stored.estimate(parts, prepared)
    return PlannedCell(index, cell, key, state, why, command, estimate, parts=parts)


def _nothing_to_tune_on(cell: Cell) -> ValueError:
    return ValueError(f"{cell.model_name} cannot be tuned: {cell.protocol} leaves no validation part of "
                      f"{cell.dataset}; use a protocol with a validation part, or do not tune the model")  # fmt: skip


def _with_search(planned: PlannedCell, store: Store, fresh: bool, searched: set[str]) -> PlannedCell:
    """The planned cell with its search in ``why``; the first cell of a search also gets the cost of its trials."""
    if not (planned.to_do and planned.cell.space):
        return planned
    search, trials = search_key(planned.parts), planned.cell.experiment.tuning.trials
    found = None if fresh else search_record(store, planned.parts)
    left = trials - (0 if found is None else len(found.trials))
    if not left:
        return replace(planned, why=f"{planned.why}; its {trials} trials are done")
    if search in searched:
        return replace(planned, why=f"{planned.why}; after the search of {trials} trials")
    searched.add(search)
    fit = planned.estimate
    trial_seconds = found.seconds / len(found.trials) if found is not None and found.trials else fit.seconds
    seconds = None if fit.seconds is None or trial_seconds is None else fit.seconds + left * trial_seconds
    first = f"{left} trials first" if left == trials else f"{left} of {trials} trials first"
    basis = f"{fit.basis}, {left + 1} fits" if fit.seconds is not None else fit.basis
    return replace(planned, why=f"{planned.why}; {first}", estimate=replace(fit, seconds=seconds, basis=basis))


def _who_fetches(source: Source) -> str:
    """The end of the message on missing files: a run fetches them, or why it cannot."""
    if not source.urls:
        return "it cannot be downloaded automatically"
    return "ENCORE_OFFLINE forbids downloads" if os.environ.get("ENCORE_OFFLINE") else BY_A_RUN


def _prepared(loaded: LoadedSuite, cell: Cell, context: PlanContext) -> PreparedState:
    """The cell's data, or None with the state, the reason and, for refused data, the failure."""
    dataset, folder = cell.experiment.dataset, loaded.request.data
    source = getattr(dataset, "source", None)
    files = repr(source or getattr(dataset, "dataset", dataset))  # a smoke run's part has the files of the whole
    if files not in context.missing and not context.fetch and isinstance(source, Source) and not source.present(folder):
        context.missing[files] = source.missing_message(folder, dataset.title, _who_fetches(source))
    if files in context.missing:
        fetched = not context.fetch and isinstance(source, Source) and _who_fetches(source) == BY_A_RUN
        return None, "to fetch" if fetched else "skipped", context.missing[files], None
    try:
        return _loaded(loaded, cell, context), "", "", None
    except StoreUnusable:
        raise
    except DataMissing as error:
        context.missing[files] = error_message(error)
        return None, "skipped", context.missing[files], None
    except Exception as error:  # an error of one data set or protocol does not stop the other cells
        failure = Failure.of(error)
        return None, "refused", failure.reason, failure


def _loaded(loaded: LoadedSuite, cell: Cell, context: PlanContext) -> Prepared:
    """The cell's data; a plan that is only shown does without the cache where that cannot be written."""
    try:
        return loaded.prepare(cell)
    except StoreUnusable:
        if context.fetch:
            raise
        return loaded.prepare(cell, cached=False)


def _new_or_stale(cell: Cell, parts: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """State and reason: what differs from the most similar stored cell of the same data set, model and seed."""
    same = [r for r in records if (r["dataset"], r["model"], r["seed"]) == (cell.dataset, cell.model_name, cell.seed)]
    if not same:
        return "new", "never computed"
    changes = min((differences(r.get("key_parts", {}), parts) for r in reversed(same)), key=len)
    return "stale", f"changed: {'; '.join(changes)}"
