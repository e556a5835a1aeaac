"""Search: run or resume a tuned model's trials, one line of the ledger each, and return the cell with the best fields.

A search belongs to a model on one split, not to a seed: the first cell that needs it runs it, in its own process.
Trials have no test part: it is removed from the split before the first one. This file is part of a tuned cell's key.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.json_codec import to_json
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE, SearchResult, read_search
from evaluation.stored_files import SCHEMAS
from harness.cells.execute import compute
from harness.cells.keys import search_key
from harness.cells.record import error_message, now
from harness.preparation import Prepared
from harness.spec import Cell, canonical, written_form
from harness.store import Store
from harness.suites.request import LoadedSuite
from harness.tuning import propose
from recsys_data.sealed_json import sealed_line
from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut

Log = Callable[[Mapping[str, Any]], None]


class SearchBusy(Exception):
    """Another process runs the search that a cell needs."""


class NoTrialSucceeded(ValueError):
    """Every trial of a search failed."""


def tuned_cell(
    loaded: LoadedSuite,
    cell: Cell,
    prepared: Prepared,
    parts: Mapping[str, Any],
    store: Store,
    *,
    run: str,
    fresh: bool,
    wait: bool,
    log: Log,
) -> tuple[Cell, dict[str, Any]]:
    """The cell with the fields that its search chose, and the search's part of the cell's record.

    Trials that are missing from the ledger are run first. fresh: discard a search of another run. wait: wait for
    another process that runs the search; without it SearchBusy is raised. Raises NoTrialSucceeded if all trials failed.
    """
    key = search_key(parts)
    with store.lock(key, wait=wait) as owned:
        if not owned:
            raise SearchBusy(key)
        found = read_search(store.search(key))
        if found is None or (fresh and found.record["run"] != run):
            shutil.rmtree(store.search(key), ignore_errors=True)
            found = SearchResult(_search_record(loaded, cell, parts, key, run), [])
            store.write_json(store.search(key) / SEARCH_FILE, found.record)
        found = _run_trials(loaded, cell, prepared, store, found, log)
    return _with_best_trial(cell, found)


def search_record(store: Store, parts: Mapping[str, Any]) -> SearchResult | None:
    """The stored search of a cell with these key parts; None where there is none."""
    return read_search(store.search(search_key(parts)))


def _search_record(loaded: LoadedSuite, cell: Cell, parts: Mapping[str, Any], key: str, run: str) -> dict[str, Any]:
    """The record of a search, without its trials."""
    metric = loaded.metrics[0]
    return to_json({
        "schema": SCHEMAS[SEARCH_FILE], "key": key, "dataset": cell.dataset, "protocol": cell.protocol,
        "model": cell.model_name, "model_fields": written_form(cell.model), **parts["tuning"], "metric": metric.name,
        "higher_is_better": bool(metric.higher_is_better), "key_parts": {n: v for n, v in parts.items() if n != "seed"},
        "device": loaded.request.device, "command": loaded.command(cell), "started": now(), "run": run,
    })  # fmt: skip


def _run_trials(
    loaded: LoadedSuite, cell: Cell, prepared: Prepared, store: Store, found: SearchResult, log: Log
) -> SearchResult:
    """Run the missing trials; the ledger is replaced atomically after each."""
    tuning, trials = cell.experiment.tuning, list(found.trials)
    seed = search_seed(cell)
    untested = without_test(prepared) if len(trials) < tuning.trials else None
    while len(trials) < tuning.trials:
        turn = 1.0 if found.higher_is_better else -1.0
        past = [{"point": t["point"], "score": None if t["validation"] is None else turn * t["validation"]}
                for t in trials]  # fmt: skip
        point = propose(tuning.sampler, cell.space, seed, past)
        same = next((trial for trial in trials if trial["point"] == point), None)
        trial = {"trial": len(trials), "point": point}
        trial |= _repeated_trial(same) if same is not None else _run_trial(loaded, cell, untested, point)
        trials.append(to_json(trial | {"finished": now()}))
        key = found.record["key"]
        store.write_text(store.search(key) / LEDGER_FILE, "".join(sealed_line(line, key) for line in trials))
        best = SearchResult(found.record, trials).best
        log({"event": "trial", "trials": tuning.trials, "metric": found.metric,
             "best": None if best is None else best["validation"], **trials[-1]})  # fmt: skip
    return SearchResult(found.record, trials)


def search_seed(cell: Cell) -> str:
    """The seed of a search's draws: its own seed, the model's fields, and the search space."""
    return canonical([cell.experiment.tuning.seed, written_form(cell.model), written_form(cell.space)])


def _repeated_trial(same: Mapping[str, Any]) -> dict[str, Any]:
    """A trial that repeats an earlier one: the fields are the same, and so are the bits."""
    result = {name: same[name] for name in ("fields", "state", "validation", "reason", "epochs", "stopped")}
    return result | {"seconds": 0.0, "same_as": same["trial"]}


def _run_trial(loaded: LoadedSuite, cell: Cell, untested: Prepared, point: Mapping[str, Any]) -> dict[str, Any]:
    """Fit the model with the fields at ``point`` and score it on the validation part."""
    values = {field: cell.space[field].at(number) for field, number in point.items()}
    trial = {"fields": written_form(values), "state": "DONE", "validation": None, "reason": "", "epochs": None,
             "stopped": None}  # fmt: skip
    metric = loaded.metrics[0]
    started = time.perf_counter()
    try:
        attempt = replace(cell, model=dataclasses.replace(cell.model, **values), seed=cell.experiment.tuning.seed)
        request = loaded.request
        computed = compute(attempt, untested, metrics=[metric], device=request.device, checkpoint=None, log=_no_log,
                           precision=request.precision, engine=request.engine)  # fmt: skip
        if not math.isfinite(computed.validation):
            raise ValueError(f"its validation score is {computed.validation}")
        trial |= {"validation": computed.validation, "epochs": getattr(computed.model, "epochs_", None),
                  "stopped": getattr(computed.model, "stopped_", None)}  # fmt: skip
    except Exception as error:  # a trial that fails is recorded, and the search continues
        trial |= {"state": "FAILED", "reason": error_message(error)}
    return trial | {"seconds": round(time.perf_counter() - started, 4)}


def _no_log(record: Mapping[str, Any]) -> None:
    """Ignore a trial's records: a cell's progress shows only its own fit."""


def without_test(prepared: Prepared) -> Prepared:
    """The same data with an empty test part; its fingerprint differs, so trials have random streams of their own."""
    split = prepared.split
    none, start = np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    empty = Sequences(items=np.empty(0, np.int32), timestamps=np.empty(0), offsets=start, users=np.empty(0, np.int32))
    test = HeldOut(
        sequences=empty,
        sequence_of=none,
        history_lengths=none,
        query_times=np.empty(0),
        targets=np.empty(0, np.int32),
        target_offsets=start,
        clusters=np.empty(0, np.int32),
    )
    untested = replace(split, test=test)
    return replace(prepared, fingerprint=untested.fingerprint, build_split=lambda: untested)


def _with_best_trial(cell: Cell, found: SearchResult) -> tuple[Cell, dict[str, Any]]:
    """The cell with the best trial's fields, and the search's part of the cell's record."""
    best = found.best
    if best is None:
        raise NoTrialSucceeded(f"none of the {len(found.trials)} trials of {cell.model_name} gave a validation score; "
                            f"the first failed with: {found.trials[0]['reason']}")  # fmt: skip
    values = {field: cell.space[field].at(number) for field, number in best["point"].items()}
    record = {"search": found.record["key"], "trials": len(found.trials), "failed": found.failed,
              "sampler": found.record["sampler"], "chosen": best["fields"], "trial": best["trial"],
              "validation": best["validation"], "seconds": round(found.seconds, 4)}  # fmt: skip
    return replace(cell, model=dataclasses.replace(cell.model, **values)), record
