"""suite.json: what belongs to a suite, so that a report needs neither the suite's file nor torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from harness.order import Bench
from harness.overrides import options_record
from harness.plan import Plan
from harness.record import now, plain
from harness.store import Store

_STATES = {
    "cached": "DONE",
    "new": "MISSING",
    "stale": "MISSING",
    "skipped": "SKIPPED",
    "refused": "FAILED",
    "left out": "MISSING",
}


def write_suite(plan: Plan, store: Store) -> dict[str, Any]:
    """Write the suite's record with its cells as the store now holds them, and return it.

    Cells left out by --only keep what an earlier run of the same suite with the same options knew of them.
    """
    path = store.suite_file(plan.bench.suite.name)
    earlier = _read(store, plan.bench)
    record = suite_head(plan.bench) | {"created": now(), "cells": []}
    for planned in plan.cells:
        cell = planned.cell
        labels = {"dataset": cell.dataset, "protocol": cell.protocol, "model": cell.model_name, "seed": cell.seed}
        entry = {
            **labels,
            "key": planned.key,
            "state": _STATES[planned.state],
            "reason": planned.why,
            "command": planned.command,
        }
        if planned.state == "left out":
            entry = earlier.get(_name(labels), entry)
        if entry["key"]:
            entry |= _stored(store, entry["key"], entry)
        record["cells"].append(entry)
    store.write_json(path, record)
    return record


def suite_head(bench: Bench) -> dict[str, Any]:
    """The suite's own words, published values and claims, and the options it ran with."""
    from evaluation.claims import to_record

    suite = bench.suite
    limit = bench.order.overrides.limit_users
    return {
        "schema": 1,
        "name": suite.name,
        "title": suite.title,
        "paper": None if suite.paper is None else dataclasses.asdict(suite.paper),
        "notes": list(suite.notes),
        "metrics": [metric.name for metric in suite.metrics],
        "seeds": list(suite.seeds),
        "baselines": list(suite.baselines),
        "comparisons": [list(pair) for pair in suite.comparisons],
        "published": [plain(to_record(value)) for value in suite.published],
        "claims": [plain(to_record(value)) for value in suite.claims],
        "command": bench.command(),
        "options": dict(options_record(bench.order.overrides)),
        "stamps": [] if limit is None else [f"SMOKE RUN: at most {limit:,} users of each data set"],
    }


def _stored(store: Store, key: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """State and reason of a cell as the store holds it."""
    if store.holds(key):
        return {"state": "DONE", "reason": ""}
    failure = store.failure(key)
    if failure is not None:
        return {"state": "FAILED", "reason": failure["reason"]}
    return {"state": entry["state"], "reason": entry["reason"]}


def _read(store: Store, bench: Bench) -> dict[tuple, dict[str, Any]]:
    """The cells of the suite's earlier record, by name, if it was made with the same options."""
    import json

    path = store.suite_file(bench.suite.name)
    if not path.exists():
        return {}
    record = json.loads(path.read_text())
    if record.get("options") != plain(options_record(bench.order.overrides)):
        return {}
    return {_name(entry): entry for entry in record["cells"]}


def _name(entry: Mapping[str, Any]) -> tuple:
    return tuple(entry[name] for name in ("dataset", "protocol", "model", "seed"))
