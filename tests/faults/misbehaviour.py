"""Trials of misbehaving models: each gets its own record, and the others keep their bits, at one job and at two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.results.suite_results import CellResult, SuiteResults, read_suite
from harness.running.plan import make_plan
from harness.running.session import Limits, run_session
from harness.store import Store
from harness.suites.request import RunRequest
from tests.faults.misbehaving_models import DEEDS, MEMORY, WELL
from tests.faults.trial import Trial

_COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied", "item_counts")


def trials(folder: Path, scale: float, seed: int) -> Iterator[Trial]:
    """Every deed (a part of them at a smaller scale), each at --jobs 1 and 2."""
    names = list(DEEDS)
    chosen = np.random.default_rng(seed).permutation(names)[: math.ceil(scale * len(names))]
    deeds = [name for name in names if name in chosen]
    undisturbed = run(folder / "undisturbed", [], jobs=1)
    for jobs in (1, 2):
        found = run(folder / f"jobs-{jobs}", deeds, jobs=jobs)
        told = Trial(f"a model misbehaves, {len(DEEDS)} ways, --jobs {jobs}: one record, the right reason")
        kept = Trial(f"the cells of other models beside them, --jobs {jobs}: ranks equal to the bit to a run without")
        for name in deeds:
            told.count(wrong_record(found, name))
        for name in WELL:
            kept.count(difference(cell_of(undisturbed, name), cell_of(found, name)))
        yield from (told, kept)


def run(folder: Path, deeds: Sequence[str], *, jobs: int) -> SuiteResults:
    """Run the suite with these deeds on a store of its own."""
    folder.mkdir(parents=True)
    path = folder / "misbehaving.py"
    path.write_text(f"from tests.faults.misbehaving_models import suite\n\nSUITE = suite({list(deeds)!r})\n")
    store = Store.open(folder / "results")
    plan = make_plan(RunRequest(str(path), store.root).load(), store)
    run_session(plan, store, jobs=jobs, limits=Limits(memory=MEMORY))
    return read_suite(store.root, "misbehaving")


def cell_of(results: SuiteResults, model: str) -> Any:
    """The result or failure of one model."""
    return next(cell for cell in [*results.cells, *results.failures] if cell.model == model)


def wrong_record(results: SuiteResults, name: str) -> str:
    """What is wrong with the record of a deed; empty if nothing is."""
    cell, deed = cell_of(results, name), DEEDS[name]
    state, text = ("DONE", "; ".join(cell.caveats)) if isinstance(cell, CellResult) else (cell.state, cell.reason)
    right = state == deed.state and deed.told in text and ("\n" not in text)
    return "" if right else f"{name}: expected {deed.state} with {deed.told!r}, got {state}: {text}"


def difference(before: Any, after: Any) -> str:
    """The first column of ranks that differs; empty if all are equal to the bit."""
    if not isinstance(after, CellResult):
        return f"{after.model}: {after.state}: {after.reason}"
    if after.key != before.key:
        return f"{after.model}: another key"
    for name in _COLUMNS:
        if not np.array_equal(getattr(before.ranks, name), getattr(after.ranks, name)):
            return f"{after.model}: {name} differs"
    return ""
