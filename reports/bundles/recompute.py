"""Recomputation of the tables that a bundle made for sharing keeps, from its sums by user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.comparison.compare import table_calls
from evaluation.comparison.table import ComparisonTable, ModelRow, PairRow
from evaluation.json_codec import from_json
from evaluation.results.kept import kept_name, read_kept
from evaluation.results.suite_results import read_suite
from evaluation.verdicts.judge import requests_of
from reports.bundles.readme import NOT_REDONE

_ROUNDING = 1e-9  # relative: the means of pooled users are those of all users


def recomputed_text(root: Path, suite: str) -> str:
    """Say how the kept tables agree with the sums; empty for a bundle that keeps none.

    Raises ValueError naming a mean that does not follow from the sums.
    """
    kept = read_kept(root / "suites" / suite, suite)
    if not kept:
        return ""
    tables = [*_tables(root, suite, kept)]
    pairs = [pair for found in tables for pair in _paired(*found)]
    for model, again, where in (row for found in tables for row in _models(*found)):
        if abs(model.mean - again.mean) > _ROUNDING * max(abs(model.mean), abs(again.mean)):
            raise ValueError(f"the kept mean of {model.model} in {where}, {model.mean:.6f}, does not follow from its "
                             f"sums by user, which give {again.mean:.6f}: the bundle is of other results")  # fmt: skip
    same = sum(a.decision.conclusion == b.decision.conclusion for a, b in pairs)
    errors = [abs(b.error / a.error - 1) for a, b in pairs if a.error > 0]
    text = f"{len(tables)} tables computed again from the sums by user: all means equal"
    if pairs:
        text += (f", {same} of {len(pairs)} conclusions equal, standard errors of differences within "
                 f"{max(errors, default=0.0):.1%}")  # fmt: skip
    return f"{text}\n{NOT_REDONE}"


def _tables(root: Path, suite: str, kept: Mapping[str, Any]) -> Iterator[tuple[ComparisonTable, ComparisonTable]]:
    """Each kept table and the one from the sums; those of test sets with one pool of users cannot be computed."""
    results = read_suite(root, suite)
    for batch in table_calls(results, requests_of(results)):
        for call in batch:
            name = kept_name(call.kind, call.inputs)
            if name in kept:
                try:
                    again = call.compute()
                except ValueError:  # fewer than two pools
                    continue
                yield from_json(ComparisonTable, kept[name]), from_json(ComparisonTable, again)


def _models(kept: ComparisonTable, again: ComparisonTable) -> Iterator[tuple[ModelRow, ModelRow, str]]:
    for model in kept.models:
        found = again.model(model.model)
        if found is not None:
            yield model, found, f"{kept.metric} on {kept.dataset}"


def _paired(kept: ComparisonTable, again: ComparisonTable) -> Iterator[tuple[PairRow, PairRow]]:
    for pair in kept.pairs:
        found = again.pair(pair.a, pair.b)
        if found is not None:
            yield pair, found
