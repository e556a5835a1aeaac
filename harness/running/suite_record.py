"""suite.json: the suite's record, from which a report is built without the suite's file and without torch."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.json_codec import to_json
from evaluation.stored_files import SCHEMAS, read_record
from harness.cells.record import now
from harness.cells.run_cell import CellOutcome
from harness.running.listener import RunListener
from harness.running.plan import Plan, PlannedCell
from harness.running.suite_verdicts import store_verdicts
from harness.spec import written_form
from harness.store import Store
from harness.suites.parse_overrides import format_seeds
from harness.suites.request import LoadedSuite
from harness.suites.variants import SEPARATOR
from harness.system.determinism import device_kind

WRITE_SECONDS = 1.0  # between two records of a run: a record has an entry for every cell
_STATES = {
    "cached": "DONE",
    "new": "MISSING",
    "stale": "MISSING",
    "shared": "MISSING",
    "skipped": "SKIPPED",
    "to fetch": "MISSING",
    "refused": "FAILED",
    "left out": "MISSING",
}
_NOT_COMPUTED = ("left out", "skipped", "to fetch")  # by this run; the result of an earlier run counts
_DATA_PARTS = ("data", "split", "caveats", "dataset")  # of a key
_CODE_PARTS = ("code", "library version", "engine", "device")  # of a key: not in the suite's file


@dataclass(frozen=True)
class SuiteRecord(RunListener):
    """Keeps suite.json up to date during a run.

    The record has every cell of the suite as its file reads, whichever cells this run computes. A variant has a record
    of its own, since its suite has a name of its own.
    """

    plan: Plan
    store: Store
    _written: list[float] = field(default_factory=lambda: [-math.inf])  # when, of a clock that only rises

    def start(self) -> None:
        """Write the record: the states of the plan."""
        self._write()

    def done(self, planned: PlannedCell, outcome: CellOutcome) -> None:
        """Write the record, unless that was a moment ago: a reader looks for the cells themselves, by their keys."""
        if time.monotonic() - self._written[0] >= WRITE_SECONDS:
            self._write()

    def end(self, completed: bool) -> None:
        """Write the record, since other processes may have finished cells, too, and the verdicts of a complete run."""
        self._write()
        if completed:
            store_verdicts(self.plan.loaded.suite, self.store)

    def _write(self) -> None:
        suite = self.plan.loaded.suite.name
        with self.store.lock(f"suite-{suite}", wait=True):  # two runs with --only may write one record at once
            earlier = _stored_record(suite, self.store)
            record = _record(self.plan, self.store, earlier)
            if earlier is None or record != earlier | {"created": record["created"]}:
                self.store.write_json(self.store.suite_file(suite), record)
        self._written[0] = time.monotonic()


def refuse_namesake(loaded: LoadedSuite, store: Store) -> None:
    """Raise ValueError if the record of this name belongs to another suite's file, or to other options."""
    name = loaded.suite.name
    if loaded.file is not None:
        refuse_other_file(name, loaded.file, store)
    earlier = _stored_record(name, store) or {}
    if earlier.get("variant", list(loaded.variant)) != list(loaded.variant):
        raise ValueError(f"{name!r} already names the results with {', '.join(earlier['variant'])}: "
                         f"{_remedy(name, store)}")  # fmt: skip


def refuse_other_file(name: str, file: Path, store: Store) -> None:
    """Raise ValueError if the record of this name belongs to another suite's file that is still there."""
    earlier = _stored_record(name, store) or {}
    stored = store.root.resolve() / earlier.get("file", "")
    if earlier.get("file") and stored.is_file() and not stored.samefile(file):
        raise ValueError(f"{file} and {stored.resolve()} both define a suite called {earlier['suite']!r}, and "
                         f"{store.root} holds results of the second: rename one of them, "
                         f"{_remedy(name, store)}")  # fmt: skip


def _remedy(name: str, store: Store) -> str:
    return f"choose another folder with --results, or remove {store.suite_file(name).parent} if its record is obsolete"


def _stored_record(name: str, store: Store) -> dict[str, Any] | None:
    return read_record(store.suite_file(name), ["cells"], "remove it", {"name": name})


def _record(plan: Plan, store: Store, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """The suite's record: an entry per cell, with the stored result if there is one."""
    record = suite_head(plan.loaded, store) | {"created": now()}
    known = {_name(entry): entry for entry in (earlier or {}).get("cells", ())}
    entries, outdated = [], 0
    for planned in plan.cells:
        labels = planned.cell.labels
        entry = {**labels, "key": planned.key, "state": _STATES[planned.state],
                 "reason": planned.why or "not computed yet", "command": planned.command}  # fmt: skip
        entry |= _stored(store, planned.key, entry) if planned.key else {}
        if planned.state in _NOT_COMPUTED and entry["state"] != "DONE":
            before = known.get(_name(labels), {"key": ""})
            result = _earlier_result(planned, before, store)
            if result is not None:
                entry |= {"key": result["key"], "state": "DONE", "reason": ""}
                outdated += any(result["key_parts"].get(name) != planned.parts.get(name) for name in _CODE_PARTS)
            elif not planned.key and before["key"] and store.failure(before["key"]) is not None:
                entry |= _stored(store, before["key"], entry) | {"key": before["key"]}
        entries.append(entry)
    if outdated:
        record["caveats"].append(f"EARLIER CODE: {outdated} of {len(entries)} cells were computed with other code, "
                                 "libraries or hardware; run the whole suite to compute them again")  # fmt: skip
    claims, blank = (earlier or {}).get("claims", []), {"verdicts": ()}  # verdicts of the suite's own kinds of claim
    if [claim | blank for claim in claims] == [claim | blank for claim in record["claims"]]:
        record["claims"] = claims
    return to_json(record | {"cells": entries})


def _earlier_result(planned: PlannedCell, entry: Mapping[str, Any], store: Store) -> dict[str, Any] | None:
    """The record of a cell's result as an earlier run entered it, if it is still a cell of the suite's file."""
    result = store.record(entry["key"]) if entry["key"] else None
    if result is None or result["dataset_fields"] != to_json(written_form(planned.cell.experiment.dataset)):
        return None
    parts, earlier = to_json(dict(planned.parts)), result["key_parts"]
    ignored = (*_CODE_PARTS, *(_DATA_PARTS if parts["split"] is None else ()))
    same = all(parts.get(name) == earlier.get(name) for name in {**parts, **earlier} if name not in ignored)
    return result if same else None


def suite_head(loaded: LoadedSuite, store: Store) -> dict[str, Any]:
    """The part of the record that describes the suite or its variant, its published values and its claims."""
    from evaluation.verdicts.claims import claim_to_json

    suite, request = loaded.suite, loaded.request
    limit, seeds = request.overrides.limit_users, list(suite.seeds)
    return {
        "schema": SCHEMAS["suite.json"],
        "name": suite.name,
        "suite": suite.name.partition(SEPARATOR)[0],
        "file": "" if loaded.file is None else os.path.relpath(loaded.file, store.root.resolve()),
        "variant": list(loaded.variant),
        "title": suite.title,
        "paper": None if suite.paper is None else dataclasses.asdict(suite.paper),
        "notes": list(suite.notes),
        "metrics": [metric.name for metric in suite.metrics],
        "seeds": seeds,
        "baselines": list(suite.baselines),
        "comparisons": [list(pair) for pair in suite.comparisons],
        "labels": [
            {"dataset": e.dataset.name, "protocol": e.protocol.name, "label": e.label}
            for e in suite.experiments
            if e.label
        ],
        "published": [to_json(value) for value in suite.published],
        "claims": [claim_to_json(claim) for claim in suite.claims],
        "command": loaded.command(),
        "options": {
            "sets": list(request.overrides.sets),
            "limit_users": limit,
            "seeds": format_seeds(seeds) if loaded.other_seeds else "",
            "device": device_kind(request.device) if request.other_device else "auto",
            "threads": request.threads,
            "precision": request.precision,
            "engine": request.engine,
        },
        "caveats": [] if limit is None else [f"SMOKE RUN: at most {limit:,} users of each data set"],
    }


def _stored(store: Store, key: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """State and reason of a cell in the store."""
    if store.holds(key):
        return {"state": "DONE", "reason": ""}
    failure = store.failure(key)
    if failure is not None:
        return {"state": failure.get("state", "FAILED"), "reason": failure["reason"]}
    return {"state": entry["state"], "reason": entry["reason"]}


def _name(entry: Mapping[str, Any]) -> tuple:
    return tuple(entry[name] for name in ("dataset", "protocol", "model", "seed"))
