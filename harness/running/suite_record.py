"""suite.json: the suite's record, from which a report is built without the suite's file and without torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.json_codec import to_json
from evaluation.stored_files import SCHEMAS, read_record
from harness.cells.record import now
from harness.cells.run_cell import CellOutcome
from harness.running.listener import RunListener
from harness.running.plan import Plan, PlannedCell
from harness.running.suite_verdicts import store_verdicts
from harness.store import Store
from harness.suites.overrides import options_record
from harness.suites.request import LoadedSuite

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


@dataclass(frozen=True)
class SuiteRecord(RunListener):
    """Keeps suite.json up to date during a run.

    A run with --only or --protocol amends the record of an earlier run with the same --set and --limit-users: the
    entries of other cells and seeds stay. Any other run replaces the record.
    """

    plan: Plan
    store: Store

    def start(self) -> None:
        """Write the record: the states of the plan."""
        self._write()

    def done(self, planned: PlannedCell, outcome: CellOutcome) -> None:
        """Write the record: one more cell is done."""
        self._write()

    def end(self, completed: bool) -> None:
        """Write the record, since other processes may have finished cells, too, and the verdicts of a complete run."""
        self._write()
        if completed:
            store_verdicts(self.plan.loaded.suite, self.store)

    def _write(self) -> None:
        suite = self.plan.loaded.suite.name
        with self.store.lock(f"suite-{suite}", wait=True):  # two runs with --only may amend one record at once
            self.store.write_json(self.store.suite_file(suite), _amended(self.plan, self.store))


def _amended(plan: Plan, store: Store) -> dict[str, Any]:
    """The suite's record, amended by the entries of an earlier run where this run selects a part of the cells."""
    record = suite_head(plan.loaded) | {"created": now()}
    entries = {}
    for planned in plan.cells:
        labels = planned.cell.labels
        entries[_name(labels)] = {**labels, "key": planned.key, "state": _STATES[planned.state],
                                  "reason": planned.why, "command": planned.command}  # fmt: skip
    earlier = _amendable(plan.loaded, store)
    if earlier is not None:
        left_out = {_name(planned.cell.labels) for planned in plan.cells if planned.state == "left out"}
        known = {_name(entry): entry for entry in earlier["cells"]}
        entries |= {name: entry for name, entry in known.items() if name not in entries or name in left_out}
        record["seeds"] = sorted({*record["seeds"], *earlier["seeds"]})
        record["options"], record["command"] = earlier["options"], earlier["command"]
    for entry in entries.values():
        if entry["key"]:
            entry |= _stored(store, entry["key"], entry)
    places = {_name(planned.cell.labels)[:3]: number for number, planned in reversed([*enumerate(plan.cells)])}
    record["cells"] = sorted(entries.values(), key=lambda e: (places.get(_name(e)[:3], len(places)), e["seed"]))
    return record


def suite_head(loaded: LoadedSuite) -> dict[str, Any]:
    """The part of the record that describes the suite, its published values and claims, and the options of the run."""
    from evaluation.verdicts.claims import claim_to_json

    suite = loaded.suite
    limit = loaded.request.overrides.limit_users
    return {
        "schema": SCHEMAS["suite.json"],
        "name": suite.name,
        "title": suite.title,
        "paper": None if suite.paper is None else dataclasses.asdict(suite.paper),
        "notes": list(suite.notes),
        "metrics": [metric.name for metric in suite.metrics],
        "seeds": list(suite.seeds),
        "baselines": list(suite.baselines),
        "comparisons": [list(pair) for pair in suite.comparisons],
        "published": [to_json(value) for value in suite.published],
        "claims": [claim_to_json(claim) for claim in suite.claims],
        "command": loaded.command(),
        "options": dict(options_record(loaded.request.overrides)),
        "caveats": [] if limit is None else [f"SMOKE RUN: at most {limit:,} users of each data set"],
    }


def _stored(store: Store, key: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """State and reason of a cell in the store."""
    if store.holds(key):
        return {"state": "DONE", "reason": ""}
    failure = store.failure(key)
    if failure is not None:
        return {"state": "FAILED", "reason": failure["reason"]}
    return {"state": entry["state"], "reason": entry["reason"]}


def _amendable(loaded: LoadedSuite, store: Store) -> dict[str, Any] | None:
    """The suite's earlier record, if this run selects a part of its cells and amends it; else None."""
    path = store.suite_file(loaded.suite.name)
    record = read_record(path, ["cells"], "remove it") if loaded.request.overrides.selects_cells else None
    if record is None:
        return None
    mine, theirs = to_json(options_record(loaded.request.overrides)), record.get("options", {})
    return record if all(mine[name] == theirs.get(name) for name in ("set", "limit_users")) else None


def _name(entry: Mapping[str, Any]) -> tuple:
    return tuple(entry[name] for name in ("dataset", "protocol", "model", "seed"))
