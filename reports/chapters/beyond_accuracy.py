"""Beyond accuracy: how far right answers, and where lists were kept all answers, spread over users and items."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.coverage import Reach
from evaluation.metrics.lists import OF_LISTS, OF_RANKS, reach_named
from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from reports.document.blocks import Column, Section, Table, TableCell, Text, row
from reports.document.numbers import count, format_number, fraction
from reports.document.run_index import ModelRuns, RunIndex

_WORDS = (
    "Right answers first: the share of users with at least one hit, how many different items were ever recommended "
    "rightly, and how much of that is blockbusters, the hundredth of items that training saw most. Means over seeds, "
    "exploratory, without tests. More is not better by itself: a model of better accuracy reaches more users, too.",
)
_HINTS = {
    "UserCoverage": ("Users with a hit", "share of users with at least one hit"),
    "ItemCoverage": ("Items hit", "different items recommended rightly at least once; grows with the test set"),
    "ItemCoverageShare": ("of all items", "the same as a share of the catalogue"),
    "BlockbusterShare": ("Blockbusters", "share of hits that are among the hundredth of items most seen in training"),
    "CatalogueCoverage": ("Catalogue", "share of items that stand in at least one list"),
    "Gini": ("Gini", "0: all items recommended alike; towards 1: always the same few"),
    "Novelty": ("Novelty", "mean −log2 of the popularity of what is recommended, in bits"),
    "PopularityLift": ("Popularity lift", "mean popularity of what is recommended over that of the targets, less 1"),
}
_DEFAULT = 20


def beyond_section(index: RunIndex, cache: ResultCache) -> Section | None:
    """A table for each data set; None where no measure has a meaning (sampled candidates)."""
    measures = measures_of(index)
    blocks: list[Any] = []
    for (dataset, protocol), group in index.groups.items():
        done = [runs for runs in group if runs.cells]
        if done:
            found = cache.get(*beyond_call(done, measures))
            blocks += _table(done, measures, found, index.heading(dataset, protocol))
    return Section("beyond", "Beyond accuracy", (Text("", _WORDS), *blocks)) if blocks else None


def measures_of(index: RunIndex) -> list[Reach]:
    """Those that the suite names, then all at the primary metric's cut-off."""
    names = index.results.record["metrics"]
    k = metric_named(names[0]).k or _DEFAULT
    asked = [measure for name in names if (measure := reach_named(name)) is not None]
    return list(dict.fromkeys([*asked, *(kind(k) for kind in (*OF_RANKS, *OF_LISTS))]))


def beyond_call(done: list[ModelRuns], measures: list[Reach]) -> CachedCall:
    """What is asked of the cache for one data set."""
    inputs = [[m.name for m in measures], [cell_fingerprints(runs.cells) for runs in done]]
    return CachedCall("beyond", inputs, functools.partial(_found, done, measures))


def _found(done: list[ModelRuns], measures: list[Reach]) -> list[list[float | None]]:
    """Each model's measures, the mean over seeds; None where one has no meaning or needs lists that were not kept."""
    return [[_mean(runs, measure) for measure in measures] for runs in done]


def _mean(runs: ModelRuns, measure: Reach) -> float | None:
    try:
        return float(np.mean([measure.measure(cell.ranks) for cell in runs.cells]))
    except ValueError:  # sampled candidates, fewer than a hundred items, lists not kept
        return None


def _table(done: list[ModelRuns], measures: list[Reach], found: list[list[float | None]], heading: str) -> list[Table]:
    """The measures that some model has."""
    held = [n for n in range(len(measures)) if any(values[n] is not None for values in found)]
    if not held:
        return []
    columns = [Column("model", "Model")]
    for n in held:
        title, hint = _HINTS[measures[n].symbol]
        columns.append(Column(measures[n].name, f"{title} @{measures[n].k}", True, hint))
    rows = tuple(
        row([runs.label(), *(TableCell(_shown(measures[n], values[n]), values[n], link=runs.anchor) for n in held)])
        for runs, values in zip(done, found, strict=True)
    )
    notes = () if any(measures[n].needs_lists for n in held) else (
        "The lists of recommended items were not kept, so nothing is said of what was recommended and not right. A "
        "suite that names such a measure, CatalogueCoverage(20) for one, keeps them.",
    )  # fmt: skip
    return [Table(f"beyond-{done[0].place}", f"Beyond accuracy: {heading}", tuple(columns), rows, notes,
                  caveats=done[0].shared)]  # fmt: skip


def _shown(measure: Reach, value: float | None) -> str:
    """A count, bits, or a share."""
    if measure.symbol == "ItemCoverage":
        return count(value)
    return format_number(value, 3) if measure.symbol in ("Novelty", "PopularityLift") else fraction(value, 3)
