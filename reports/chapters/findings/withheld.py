"""What a report leaves out of cells that several bundles made for sharing gave: each kept the results of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from evaluation.results.cache import CachedCall, ResultCache
from evaluation.results.suite_results import RanksWithheld
from reports.document.blocks import Text


def found_or_none(cache: ResultCache, call: CachedCall) -> Any:
    """The result of a call; None where it needs ranks that are withheld and no bundle kept it."""
    try:
        return cache.get(*call)
    except RanksWithheld:
        return None


def left_out(headings: Sequence[str]) -> Iterator[Text]:
    """A text that names the data sets without results; none where there are none."""
    if headings:
        yield Text("", (f"Left out: {'; '.join(headings)}. The cells are of several bundles made for sharing, which "
                        "withhold the ranks, and each kept these results of its own cells only.",))  # fmt: skip
