"""The plan of a run: which cells are stored, which are new or stale and why, and what the rest will cost."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.results.suite_results import adoption_text
from harness.cells.keys import CellKeys, differences, is_read, search_key
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
_CHOICES = ("device", "threads", "precision")
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

    loaded: LoadedSuite
    index: int
    key: str
    state: str
    why: str
    estimate: Estimate = UNKNOWN
    failure: Failure | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.loaded.cells[self.index]

    @functools.cached_property
    def command(self) -> str:
        """The command that computes this cell alone."""
        return self.loaded.command(self.cell)

    @property
    def to_do(self) -> bool:
        """Whether a run computes the cell."""
        return self.state in ("new", "stale")


@dataclass(frozen=True, eq=False)
class Plan:
    """The cells of a suite in its order, each with its state before the run.

    conflict: why a run would compute cells that cannot be compared with stored ones, "" if it would not.
    """

    loaded: LoadedSuite
    cells: list[PlannedCell]
    conflict: str = ""

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
    planner = _Planner(loaded, stored, fresh, context, CellKeys(loaded))
    cells: list[PlannedCell] = []
    experiment, data, known = None, _NOT_PREPARED, None
    for index, cell in enumerate(loaded.cells):
        check_terminated()
        if cell.experiment is not experiment:  # cells are ordered by experiment
            experiment, data, known = cell.experiment, _NOT_PREPARED, None
        if not loaded.chosen[index]:
            known = known or (loaded.prepared_before(cell),)
            cells.append(planner.left_out(index, *known))
            continue
        if data is _NOT_PREPARED:
            data = _prepared(loaded, cell, context)
        cells.append(planner.planned(index, data))
    context.cells |= dict.fromkeys(planner.own, loaded.suite.name)
    return Plan(loaded, cells, _conflict(cells, stored))


def _conflict(cells: Sequence[PlannedCell], stored: StoredCells) -> str:
    """A sentence if a cell to compute has the test set of a kept one whose users a shared bundle numbered anew.

    Kept are the suite's other cells, which its report compares with the new ones.
    """
    kept = [p for p in cells if not p.to_do]
    keys, names = {p.key for p in kept}, {tuple(p.cell.labels.values()) for p in kept}  # some left out have no key
    shared = {
        r["fingerprints"]["split"]: r for r in stored.records
        if "withheld" in r and (r["key"] in keys or (r["dataset"], r["protocol"], r["model"], r["seed"]) in names)
    }  # fmt: skip
    found = next((p for p in cells if p.to_do and p.parts["split"] in shared), None)
    if found is None:
        return ""
    record, folder = shared[found.parts["split"]], stored.store.root
    return (f"{found.cell.label} could not be compared with {record['dataset']}/{record['model']}/{record['seed']} in "
            f"{folder}, which is of a bundle made for sharing: its users are numbered in an order of its own. Choose "
            "another folder with --results; bundle --share and merge join both, "
            "and rerun --from BUNDLE --results FOLDER computes the bundle's cells there")  # fmt: skip


def runs_alone(cell: Cell) -> bool:
    """Whether a cell needs a process of its own: it runs code that is not of this checkout."""
    values = (cell.model, cell.space, cell.experiment.dataset, cell.experiment.protocol)
    return not all(map(is_encore_class, classes_in(values)))


@dataclass
class _Planner:
    """Plans the cells of one suite one after the other.

    own: keys of the cells to compute. searched: searches that an earlier cell runs. estimates: by experiment and model,
    which the seeds share.
    """

    loaded: LoadedSuite
    stored: StoredCells
    fresh: bool
    context: PlanContext
    keys: CellKeys
    own: set[str] = field(default_factory=set)
    searched: set[str] = field(default_factory=set)
    estimates: dict[tuple[int, str], Estimate] = field(default_factory=dict)

    @functools.cached_property
    def adopted(self) -> Mapping[str, str]:
        """How a stored cell was adopted, by key."""
        return {record["key"]: text for record in self.stored.records if (text := adoption_text(record))}

    @functools.cached_property
    def protocols(self) -> Set[tuple[str, str]]:
        """The names of data set and protocol of the suite's experiments."""
        return {(cell.dataset, cell.protocol) for cell in self.loaded.cells}

    def left_out(self, index: int, known: Prepared | None) -> PlannedCell:
        """A cell that the options leave out."""
        parts, key = self.keys.of(index, known)
        return PlannedCell(self.loaded, index, "" if known is None else key, "left out", "", parts=parts)

    def planned(self, index: int, data: PreparedState) -> PlannedCell:
        """A cell that the options select."""
        loaded, store, cell = self.loaded, self.stored.store, self.loaded.cells[index]
        prepared, state, why, failure = data
        parts, key = self.keys.of(index, prepared)
        if prepared is None:
            return PlannedCell(loaded, index, key, state, why, failure=failure, parts=parts)
        if cell.space and not prepared.has_validation:
            failure = Failure.of(_nothing_to_tune_on(cell))
            return PlannedCell(loaded, index, key, "refused", failure.reason, failure=failure)
        if store.holds(key) and (not self.fresh or key in self.context.cells):
            return PlannedCell(loaded, index, key, "cached", self.adopted.get(key, ""), parts=parts)
        if key in self.context.cells:
            return PlannedCell(loaded, index, key, "shared", f"{self.context.cells[key]} computes it", parts=parts)
        state, why = self._to_do(cell, key, parts)
        if key in self.own:
            return PlannedCell(loaded, index, key, state, why, DUPLICATE, parts=parts)
        self.own.add(key)
        planned = PlannedCell(loaded, index, key, state, why, self._estimate(cell, parts, prepared), parts=parts)
        return _with_search(planned, store, self.fresh, self.searched) if cell.space else planned

    def _to_do(self, cell: Cell, key: str, parts: Mapping[str, Any]) -> tuple[str, str]:
        """State and reason of a cell to compute."""
        store, records = self.stored.store, self.stored.records
        others = self.protocols - {(cell.dataset, cell.protocol)}
        state, why = ("new", "computed anew (--fresh)") if self.fresh else _new_or_stale(cell, parts, records, others)
        earlier = store.failure(key)
        if earlier is not None:
            why = f"{earlier.get('state', 'FAILED')} before: {earlier['reason']}"
        epoch = None if self.fresh else last_epoch(store.partial(key))
        if epoch is not None:
            why += f"; resumes from a checkpoint after epoch {epoch}"
        return state, why

    def _estimate(self, cell: Cell, parts: Mapping[str, Any], prepared: Prepared) -> Estimate:
        """The cost of a cell, whatever its seed."""
        name = id(cell.experiment), cell.model_name
        if name not in self.estimates:
            estimate = READING if is_read(parts) else self.stored.estimate(parts, prepared)
            self.estimates[name] = replace(estimate, alone=True) if runs_alone(cell) else estimate
        return self.estimates[name]


def _nothing_to_tune_on(cell: Cell) -> ValueError:
    return ValueError(f"{cell.model_name} cannot be tuned: {cell.protocol} leaves no validation part of "
                      f"{cell.dataset}; use a protocol with a validation part, or do not tune the model")  # fmt: skip


def _with_search(planned: PlannedCell, store: Store, fresh: bool, searched: set[str]) -> PlannedCell:
    """The planned cell with its search in ``why``; the first cell of a search also gets the cost of its trials."""
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


def _new_or_stale(
    cell: Cell, parts: Mapping[str, Any], records: Sequence[Mapping[str, Any]], others: Set[tuple[str, str]]
) -> tuple[str, str]:
    """State and reason: what differs from the most similar stored cell of the same data set, model and seed.

    others: data sets and protocols of the suite's other experiments, whose cells are no earlier forms of this one; nor
    are cells with another device, number of threads or precision, which a user chooses.
    """
    same = [
        r for r in records
        if (r["dataset"], r["model"], r["seed"]) == (cell.dataset, cell.model_name, cell.seed)
        and (r["dataset"], r["protocol"]) not in others
    ]  # fmt: skip
    earlier = [r for r in same if all(r.get("key_parts", {}).get(name) == parts.get(name) for name in _CHOICES)]
    if not earlier:
        return "new", "never computed; another variant is stored" if same else "never computed"
    changes = min((differences(r.get("key_parts", {}), parts) for r in reversed(earlier)), key=len)
    return "stale", f"changed: {'; '.join(changes)}"
