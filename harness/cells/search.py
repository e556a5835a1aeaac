"""Search: a tuned model's trials, done or gone on with, each a line of its ledger; the cell with what they chose.

A search belongs to a model on one split, not to a seed: the first cell that needs it does it, in its own process.
Trials see no test part: it is taken out of the split before the first one. This file is part of a tuned cell's key.
"""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.json_codec import to_json
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE, SearchResult, read_search
from harness.cells.execute import compute
from harness.cells.keys import search_key
from harness.cells.record import error_message, now
from harness.preparation import Prepared
from harness.spec import Cell, canonical, written_form
from harness.store import Store
from harness.suites.request import LoadedSuite
from harness.tuning import propose
from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut

Log = Callable[[Mapping[str, Any]], None]


class SearchBusy(Exception):
    """Another process is doing the search that a cell waits for."""


class NothingChosen(ValueError):
    """No trial of a search gave a score."""


def chosen_cell(
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
    """The cell with the fields that its search chose, and what its record says of the search.

    Trials that the ledger lacks are done first. fresh: a search that another run did is thrown away. Raises SearchBusy
    if another process is at it (with ``wait`` that is waited for), NothingChosen if every trial failed.
    """
    key = search_key(parts)
    with store.lock(key, wait=wait) as owned:
        if not owned:
            raise SearchBusy(key)
        found = read_search(store.search(key))
        if found is None or (fresh and found.record["run"] != run):
            shutil.rmtree(store.search(key), ignore_errors=True)
            found = SearchResult(_head(loaded, cell, parts, key, run), [])
            store.write_json(store.search(key) / SEARCH_FILE, found.record)
        found = _finish(loaded, cell, prepared, store, found, log)
    return _with_chosen(cell, found)


def search_record(store: Store, parts: Mapping[str, Any]) -> SearchResult | None:
    """What the store holds of the search that a cell with these key parts rests on."""
    return read_search(store.search(search_key(parts)))


def _head(loaded: LoadedSuite, cell: Cell, parts: Mapping[str, Any], key: str, run: str) -> dict[str, Any]:
    """What is kept of a search beside its trials."""
    metric = loaded.metrics[0]
    return to_json({
        "schema": 1, "key": key, "dataset": cell.dataset, "protocol": cell.protocol, "model": cell.model_name,
        "model_fields": written_form(cell.model), **parts["tuning"], "metric": metric.name,
        "higher_is_better": bool(metric.higher_is_better), "key_parts": {n: v for n, v in parts.items() if n != "seed"},
        "device": loaded.request.device, "command": loaded.command(cell), "started": now(), "run": run,
    })  # fmt: skip


def _finish(
    loaded: LoadedSuite, cell: Cell, prepared: Prepared, store: Store, found: SearchResult, log: Log
) -> SearchResult:
    """The search with all its trials; after each the ledger is written anew, whole or not at all."""
    tuning, trials = cell.experiment.tuning, list(found.trials)
    seed = search_seed(cell)
    blind = without_test(prepared) if len(trials) < tuning.trials else None
    while len(trials) < tuning.trials:
        turn = 1.0 if found.higher_is_better else -1.0
        past = [{"point": t["point"], "score": None if t["validation"] is None else turn * t["validation"]}
                for t in trials]  # fmt: skip
        point = propose(tuning.sampler, cell.space, seed, past)
        same = next((trial for trial in trials if trial["point"] == point), None)
        trial = {"trial": len(trials), "point": point}
        trial |= _repeated(same) if same is not None else _tried(loaded, cell, blind, point)
        trials.append(to_json(trial | {"finished": now()}))
        lines = "".join(json.dumps(line, allow_nan=False) + "\n" for line in trials)
        store.write_text(store.search(found.record["key"]) / LEDGER_FILE, lines)
        best = SearchResult(found.record, trials).best
        log({"event": "trial", "trials": tuning.trials, "metric": found.metric,
             "best": None if best is None else best["validation"], **trials[-1]})  # fmt: skip
    return SearchResult(found.record, trials)


def search_seed(cell: Cell) -> str:
    """What decides the draws of a cell's search: the search's seed, the model's fields and what they may be."""
    return canonical([cell.experiment.tuning.seed, written_form(cell.model), written_form(cell.space)])


def _repeated(same: Mapping[str, Any]) -> dict[str, Any]:
    """A trial that was drawn before: its fields, and so its bits, are the same."""
    kept = {name: same[name] for name in ("fields", "state", "validation", "reason", "epochs", "stopped")}
    return kept | {"seconds": 0.0, "same_as": same["trial"]}


def _tried(loaded: LoadedSuite, cell: Cell, blind: Prepared, point: Mapping[str, Any]) -> dict[str, Any]:
    """One trial: the model with these fields fitted and judged on the validation part."""
    values = {field: cell.space[field].at(number) for field, number in point.items()}
    trial = {"fields": written_form(values), "state": "DONE", "validation": None, "reason": "", "epochs": None,
             "stopped": None}  # fmt: skip
    metric = loaded.metrics[0]
    started = time.perf_counter()
    try:
        attempt = replace(cell, model=dataclasses.replace(cell.model, **values), seed=cell.experiment.tuning.seed)
        computed = compute(attempt, blind, metrics=[metric], device=loaded.request.device, checkpoint=None, log=_silent)
        if not math.isfinite(computed.validation):
            raise ValueError(f"its validation score is {computed.validation}")
        trial |= {"validation": computed.validation, "epochs": getattr(computed.model, "epochs_", None),
                  "stopped": getattr(computed.model, "stopped_", None)}  # fmt: skip
    except Exception as error:  # fields that break a model are a finding, and the search goes on
        trial |= {"state": "FAILED", "reason": error_message(error)}
    return trial | {"seconds": round(time.perf_counter() - started, 4)}


def _silent(record: Mapping[str, Any]) -> None:
    """Drop a trial's epochs: a cell's progress tells of its own fit alone."""


def without_test(prepared: Prepared) -> Prepared:
    """The same data with an empty test part. Its fingerprint is another, so trials have random streams of their own."""
    split = prepared.split
    none, start = np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    nobody = Sequences(items=np.empty(0, np.int32), timestamps=np.empty(0), offsets=start, users=np.empty(0, np.int32))
    test = HeldOut(
        sequences=nobody,
        sequence_of=none,
        history_lengths=none,
        query_times=np.empty(0),
        targets=np.empty(0, np.int32),
        target_offsets=start,
        clusters=np.empty(0, np.int32),
    )
    blind = replace(split, test=test)
    return replace(prepared, fingerprint=blind.fingerprint, make=lambda: blind)


def _with_chosen(cell: Cell, found: SearchResult) -> tuple[Cell, dict[str, Any]]:
    """The cell with the best trial's fields, and what its record says of the search."""
    best = found.best
    if best is None:
        raise NothingChosen(f"none of the {len(found.trials)} trials of {cell.model_name} gave a validation score; "
                            f"the first failed with: {found.trials[0]['reason']}")  # fmt: skip
    values = {field: cell.space[field].at(number) for field, number in best["point"].items()}
    record = {"search": found.record["key"], "trials": len(found.trials), "failed": found.failed,
              "sampler": found.record["sampler"], "chosen": best["fields"], "trial": best["trial"],
              "validation": best["validation"], "seconds": round(found.seconds, 4)}  # fmt: skip
    return replace(cell, model=dataclasses.replace(cell.model, **values)), record
