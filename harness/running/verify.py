"""The determinism certificate: stored cells are computed again in a temporary store and compared bit for bit."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.json_codec import to_json
from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.rank_files.ranked import Ranked
from evaluation.ranking.rank_table import RankTable
from evaluation.results.shared_sums import rank_digest
from evaluation.results.suite_results import CellResult
from evaluation.stored_files import SCHEMAS, read_record
from harness.backends.processes import ProcessBackend
from harness.cells.keys import is_read
from harness.cells.record import now
from harness.cells.run_cell import CellJob, CellOutcome, run_cell
from harness.running.plan import Plan, PlannedCell, make_plan
from harness.running.suite_record import refuse_namesake
from harness.store import Store
from harness.suites.request import RunRequest
from harness.system.determinism import prepare_determinism
from harness.system.environment import environment_record

FILE = "certificate.json"
_TIMES = ("seconds", "targets_per_second", "time")  # of a curve: they differ in every run
_RECORDED = ("validation", "epochs", "best_epoch", "stopped", "parameters")


def certify(request: RunRequest, *, on_cell: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """Compute the request's stored cells again, compare, and write suites/<suite>/certificate.json; return its path.

    Each cell is computed in a fresh process, in the opposite order. Compared are all columns of the ranks, the item
    counts, the stored lists, the losses and validation scores of the epochs, and the record's epochs; the stored sums
    and metrics with those that follow from the ranks; not the times. A cell whose data or code changed since is listed
    as not compared, with the reason. A tuned cell is computed again with the fields that its search chose; the search
    is not repeated. A cell of other code is read again from its file. ``on_cell`` gets each row of the certificate.
    Raises ValueError if no chosen cell is stored.
    """
    store, loaded = Store.open(request.results), request.load()
    refuse_namesake(loaded, store)
    plan = make_plan(loaded, store)
    cells = plan.selected
    if not any(planned.state == "cached" for planned in cells):
        raise ValueError(f"no stored cell of suite {loaded.suite.name!r} can be compared: run the suite first")
    rows = []
    for row in _rows(request, cells, store):
        rows.append(row)
        on_cell(row)
    path = store.suite_file(loaded.suite.name, FILE)
    environment = environment_record(_settings(request, cells))
    rows += _earlier_rows(plan, path, to_json(environment))
    places = {planned.key: planned.index for planned in reversed(plan.cells)}
    store.write_json(path, to_json({
        "schema": SCHEMAS[FILE], "suite": loaded.suite.name, "created": now(),
        "cells": sorted(rows, key=lambda row: places[row["key"]]), "environment": environment,
    }))  # fmt: skip
    return path


def _settings(request: RunRequest, cells: Sequence[PlannedCell]) -> dict[str, Any]:
    """The settings under which cells are computed again; none where all are read from files, without torch."""
    read = all(isinstance(planned.cell.model, Ranked) for planned in cells)
    return {} if read else prepare_determinism(request.threads, request.device, request.precision)


def _earlier_rows(plan: Plan, path: Path, environment: Any) -> list[dict[str, Any]]:
    """The rows of an earlier certificate from the same environment, for cells that are not selected now."""
    earlier = read_record(
        path, ["cells", "environment"], "remove it, verify the suite", {"suite": plan.loaded.suite.name}
    )
    left_out = {planned.key for planned in plan.cells if planned.state == "left out"}
    if earlier is None or earlier["environment"] != environment:
        return []
    return [row for row in earlier["cells"] if row["key"] in left_out - {""}]


def _rows(request: RunRequest, cells: Sequence[PlannedCell], store: Store) -> Iterator[dict[str, Any]]:
    """The rows of the certificate: "same", "different" with the first difference, or "not compared" with the reason.

    Each cell is computed in a process of its own, the last one first, so that nothing that an earlier cell left behind
    in the run is there again.
    """
    with tempfile.TemporaryDirectory(dir=store.root / "partial", prefix="verify-") as folder:
        again = Store.open(Path(folder))
        placed = replace(request, results=again.root).portable()
        stored = {planned.key: planned for planned in reversed(cells) if planned.state == "cached"}
        jobs = [CellJob(placed, planned.index, key, planned.parts, alone=True) for key, planned in stored.items()]
        for planned in stored.values():
            _copy_search(store, again, planned)
        found = {}
        read = (run_cell(job) for job in jobs if is_read(job.parts))
        computed = ProcessBackend(1).run([job for job in jobs if not is_read(job.parts)])
        for outcome in itertools.chain(computed, read):
            found[outcome.key] = _compared(stored[outcome.key], outcome, store, again)
            shutil.rmtree(again.folder(outcome.key), ignore_errors=True)
            yield from (_labels(p) | found[p.key] for p in cells if p.key == outcome.key)
    for planned in cells:
        if planned.key not in found:
            yield _labels(planned) | {"state": "not compared", "reason": planned.why or planned.state, "rows": 0}


def _labels(planned: PlannedCell) -> dict[str, Any]:
    adopted = planned.why if planned.state == "cached" else ""
    return {**planned.cell.labels, "key": planned.key, "adopted": adopted}


def _compared(planned: PlannedCell, outcome: CellOutcome, store: Store, again: Store) -> dict[str, Any]:
    """State, reason and number of rows for a cell that was computed again."""
    if outcome.state != "DONE":
        return {"state": "different", "reason": f"it failed when computed again: {outcome.reason}", "rows": 0}
    first, second = (_result(each, planned) for each in (store, again))
    try:
        found, rows = difference(first, second), len(second.ranks)
    except ValueError as error:  # a stored file is damaged
        found, rows = str(error), 0
    if not found and is_read(planned.parts):
        return {"state": "not compared", "reason": _not_verified(first.record["elsewhere"]), "rows": rows}
    return {"state": "different" if found else "same", "reason": found, "rows": rows}


def _not_verified(elsewhere: Mapping[str, Any]) -> str:
    """The part of a cell of other code that cannot be verified, in words."""
    return (f"computed elsewhere by {elsewhere['by']}: read again from {elsewhere['file']} (SHA-256 "
            f"{elsewhere['sha256'][:12]}…), ranks and metrics are the same; that this program computed them cannot be "
            "verified here")  # fmt: skip


def _copy_search(store: Store, other: Store, planned: PlannedCell) -> None:
    """Copy a tuned cell's search to the other store, so that the cell is computed with the same fields."""
    search = store.record(planned.key).get("tuning", {}).get("search")
    if search is not None and store.search(search).is_dir():
        shutil.copytree(store.search(search), other.search(search), dirs_exist_ok=True)


def _result(store: Store, planned: PlannedCell) -> CellResult:
    cell, record = planned.cell, store.record(planned.key)
    return CellResult(store.folder(planned.key), cell.dataset, cell.protocol, cell.model_name, cell.seed, record)


def difference(first: CellResult, second: CellResult) -> str:
    """The first difference between two results of one cell, in words; empty if every bit is the same.

    first: where it withholds its ranks, the SHA-256 of these is compared.
    """
    if first.withholds_ranks:
        return _withheld_difference(first, second)
    for name, a, b in _columns(first.ranks, second.ranks):
        if a.shape != b.shape:
            return f"{name}: {len(a)} rows before, {len(b)} again"
        if not np.array_equal(a, b):
            where = int(np.flatnonzero((a != b).reshape(len(a), -1).any(axis=1))[0])
            return f"{name}: first at row {where}, {a[where]} before, {b[where]} again"
    sums = _sums_difference(first)
    if sums:
        return sums
    for name in _RECORDED:
        if first.record.get(name) != second.record.get(name):
            return f"{name}: {first.record.get(name)} before, {second.record.get(name)} again"
    before, again = _untimed(first), _untimed(second)
    if len(before) != len(again):
        return f"the curve: {len(before)} epochs before, {len(again)} again"
    for number, (a, b) in enumerate(zip(before, again, strict=True), start=1):
        if a != b:
            return f"the curve's record {number}: {a} before, {b} again"
    return ""


def _withheld_difference(first: CellResult, second: CellResult) -> str:
    if first.record["withheld"]["ranks"] == rank_digest(second.ranks):
        return ""
    name, value = next(iter(first.metrics.items()))
    now = second.metrics.get(name, float("nan"))
    return f"the ranks, which the bundle withholds; {name}: {value:.6f} before, {now:.6f} again"


def _sums_difference(cell: CellResult) -> str:
    """The first stored sum or metric that does not follow from the cell's ranks, in words; empty if all do."""
    for name, stored in cell.sums.items():
        again = metric_named(name).per_cluster(cell.ranks)
        for what in ("clusters", "counts", "sums"):
            if not np.array_equal(getattr(stored, what), getattr(again, what)):
                return f"sums.parquet: the {what} of {name} are not those of ranks.parquet"
    for name, value in cell.metrics.items():
        again = (whole_table_metric_named(name) or metric_named(name)).measure(cell.ranks)
        if float(again) != value:
            return f"metrics: {name} is {value} in the record, {float(again)} from ranks.parquet"
    return ""


def _columns(first: RankTable, second: RankTable) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The arrays of two rank tables, paired by name; absent lists are an empty array."""
    names = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied", "item_counts")
    both = [(name, getattr(first, name), getattr(second, name)) for name in names]
    lists = [np.empty(0) if ranks.top_items is None else ranks.top_items for ranks in (first, second)]
    return [*both, ("top_items", *lists)]


def _untimed(result: CellResult) -> list[dict[str, Any]]:
    """A cell's curve without its times, one record per epoch (the last one of a resumed epoch)."""
    epochs = {line["epoch"]: line for line in result.curve if "epoch" in line and "loss" in line}
    return [{k: v for k, v in line.items() if k not in _TIMES} for line in epochs.values()]
