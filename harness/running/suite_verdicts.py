"""Verdicts of claims whose kind the suite's file defines, stored in suite.json, since a report reads no suite file."""

from __future__ import annotations

from evaluation.stored_files import read_record
from harness.spec import Suite
from harness.store import Store


def store_verdicts(suite: Suite, store: Store) -> None:
    """Judge the suite's claims by what is stored; write the verdicts of those of its own kinds into suite.json."""
    from evaluation.verdicts.claims import is_built_in

    if all(map(is_built_in, suite.claims)):
        return
    from evaluation.results.cache import ResultCache
    from evaluation.results.suite_results import read_suite
    from evaluation.verdicts.judge import judged_records

    cache = ResultCache.for_packages(store.root / "derived", ("recsys_data", "evaluation", "reports"))
    path = store.suite_file(suite.name)
    with store.lock(f"suite-{suite.name}", wait=True):
        record = read_record(path, ["cells"], "remove it", {"name": suite.name}) or {}
        claims = judged_records(read_suite(store.root, suite.name), list(suite.claims), cache)
        if claims != record.get("claims"):
            store.write_json(path, record | {"claims": claims})
