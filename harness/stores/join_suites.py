"""Join the records of one suite in two stores, so that a report of the merged store has the cells of both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from evaluation.json_codec import to_json
from evaluation.stored_files import read_record
from harness.store import Store

_OF_THE_FILE = ("suite", "variant", "title", "paper", "notes", "metrics", "seeds", "baselines", "comparisons", "labels",
                "published", "claims")  # fmt: skip
_ALIKE = ("code", "library version", "device")  # parts of a key that all cells of one run share
_MIXED = "MIXED CODE: "
_CERTIFICATE = "certificate.json"
_LABELS = ("dataset", "protocol", "model", "seed")


def join_suite(store: Store, source: Store, name: str, label: str) -> list[str]:
    """Join the source's suite.json and certificate into those of ``store``; return what a reader should know.

    Call it when the cells have entered. Raises ValueError where the two records are not of one suite.
    """
    theirs = _record(source, name)
    assert theirs is not None
    with store.lock(f"suite-{name}", wait=True):
        mine = _record(store, name)
        if mine is None:
            mine = theirs | {"file": _moved(theirs["file"], source, store)}
        _check_same_suite(mine, theirs, store, label)
        others = {_name(entry): entry for entry in theirs["cells"]}
        pairs = [(entry, others[_name(entry)]) for entry in mine["cells"]]
        entries = [_joined(store, *pair) for pair in pairs]
        joined = mine | {"cells": entries, "caveats": _caveats(store, mine, theirs, entries)}
        if entries != mine["cells"]:  # a verdict of a suite's own kind of claim needs the suite's file
            joined["claims"] = [_unjudged(claim) for claim in mine["claims"]]
        if joined != _record(store, name):
            store.write_json(store.suite_file(name), to_json(joined))
        _join_certificate(store, source, name)
    both = sum(len({e["key"] for e in pair if e["key"] and store.holds(e["key"])}) == 2 for pair in pairs)
    note = (f"{name}: {label} has other results of the same data set, model and seed ({both}), computed with other "
            f"code, libraries or devices; the report shows those of {store.root}")  # fmt: skip
    return [note] if both else []


def _record(store: Store, name: str) -> dict[str, Any] | None:
    return read_record(store.suite_file(name), ["cells", "claims", "caveats", "file"], "remove it", {"name": name})


def _name(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[label] for label in _LABELS)


def _moved(file: str, source: Store, store: Store) -> str:
    """The path of the suite's file relative to the other store; unchanged where it is not on this machine."""
    path = source.root.resolve() / file
    return os.path.relpath(path.resolve(), store.root.resolve()) if file and path.is_file() else file


def _check_same_suite(mine: Mapping[str, Any], theirs: Mapping[str, Any], store: Store, label: str) -> None:
    """Raise ValueError naming what differs in two records that are not of one suite."""
    heads = [{n: record.get(n) for n in _OF_THE_FILE} | {"claims": [_unjudged(c) for c in record["claims"]]}
             for record in (mine, theirs)]  # fmt: skip
    changed = [name for name in _OF_THE_FILE if heads[0][name] != heads[1][name]]
    changed += ["cells"] * ({_name(e) for e in mine["cells"]} != {_name(e) for e in theirs["cells"]})
    if changed:
        raise ValueError(f"the suite {mine['name']} of {store.root} and that of {label} are of different files (they "
                         f"differ in {', '.join(changed)}): its cells are merged, its record is that of {store.root}; "
                         "run the suite to enter them")  # fmt: skip


def _unjudged(claim: Mapping[str, Any]) -> dict[str, Any]:
    """A claim without stored verdicts."""
    return {**claim, "verdicts": []} if "verdicts" in claim else dict(claim)


def _joined(store: Store, *entries: Mapping[str, Any]) -> dict[str, Any]:
    """One cell's entry: the first with a result, else the first with a failure, else the first with a key."""
    keyed = [entry for entry in entries if entry["key"]]
    for entry in keyed:
        if store.holds(entry["key"]):
            return {**entry, "state": "DONE", "reason": ""}
    for entry in keyed:
        failure = store.failure(entry["key"])
        if failure is not None:
            return {**entry, "state": failure["state"], "reason": failure["reason"]}
    first = dict((keyed or list(entries))[0])
    return first | (
        {"state": "MISSING", "reason": "its result is not in this store"} if first["state"] == "DONE" else {}
    )


def _caveats(
    store: Store, mine: Mapping[str, Any], theirs: Mapping[str, Any], entries: list[dict[str, Any]]
) -> list[str]:
    """The caveats of both records, and one if the cells were computed by different code, libraries or devices."""
    kept = [text for text in dict.fromkeys([*mine["caveats"], *theirs["caveats"]]) if not text.startswith(_MIXED)]
    return [*kept, *_mixed(store, entries)]


def _mixed(store: Store, entries: list[dict[str, Any]]) -> list[str]:
    """A caveat that names what differs between the cells; none if nothing does."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        record = store.record(entry["key"]) if entry["state"] == "DONE" else None
        for part in _ALIKE if record is not None else ():
            value = record["key_parts"][part]
            for name, version in value.items() if isinstance(value, dict) else [(part, value)]:
                found.setdefault(name, set()).add(str(version))
    several = [name for name, versions in found.items() if len(versions) > 1]
    if not several:
        return []
    more = f" and {len(several) - 3} more" if len(several) > 3 else ""
    return [f"{_MIXED}the cells were computed with different {', '.join(several[:3])}{more}; run the whole suite to "
            "compute them alike"]  # fmt: skip


def _join_certificate(store: Store, source: Store, name: str) -> None:
    """Add the rows of the source's certificate; one from another environment does not replace that of ``store``."""
    mine, theirs = (
        read_record(each.suite_file(name, _CERTIFICATE), ["cells", "environment"], "remove it", {"suite": name})
        for each in (store, source)
    )
    if theirs is None or (mine is not None and mine["environment"] != theirs["environment"]):
        return
    rows = {_name(row): row for record in (theirs, mine) for row in ([] if record is None else record["cells"])}
    joined = (mine or theirs) | {"cells": list(rows.values())}
    if joined != mine:
        store.write_json(store.suite_file(name, _CERTIFICATE), joined)
