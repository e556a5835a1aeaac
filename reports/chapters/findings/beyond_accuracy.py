"""Beyond accuracy: coverage, popularity and novelty of hits and, where lists are stored, of recommendations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.coverage import WholeTableMetric
from evaluation.metrics.lists import COVERAGE_METRICS, LIST_METRICS, whole_table_metric_named
from evaluation.printed_numbers import count, format_number, fraction
from evaluation.results.cache import CachedCall, ResultCache
from evaluation.results.suite_results import CellResult, RanksWithheld
from reports.chapters.findings.row_means import Means, left_out, means_of_rows, row_means_call
from reports.document.blocks import Column, Section, Table, TableCell, Text, row
from reports.document.run_index import ModelRuns, RunGroup, RunIndex

_INTRODUCTION = (
    "Coverage of hits: the share of users with at least one hit, the number of distinct items hit, and the share of "
    "hits on the top 1 % most popular items in training. Values are means over seeds, exploratory and untested. Higher "
    "is not better by itself: a more accurate model also reaches more users.",
)
_HINTS = {
    "UserCoverage": ("Users with a hit", "share of users with at least one hit"),
    "ItemCoverage": ("Items hit", "distinct items with at least one hit; grows with the test set"),
    "ItemCoverageShare": ("Item coverage", "items hit as a share of the catalogue"),
    "BlockbusterShare": ("Top 1 % items", "share of hits on the top 1 % most popular items in training"),
    "CatalogueCoverage": ("Catalogue", "share of items in at least one recommendation list"),
    "Gini": ("Gini", "0: all items recommended equally often; towards 1: always the same few"),
    "Novelty": ("Novelty", "mean −log2 of the popularity of recommended items, in bits"),
    "PopularityLift": (
        "Popularity lift",
        "mean popularity of recommended items divided by that of the targets, minus 1",
    ),
}
_DEFAULT_K = 20
_NAME = "measures"  # of the means of a row


def beyond_section(index: RunIndex, cache: ResultCache) -> Section | None:
    """One table per data set; None if no measure is defined (sampled candidates)."""
    measures = measures_of(index)
    blocks: list[Any] = []
    withheld: dict[str, list[str]] = {}
    for group in index.groups.values():
        found = means_of_rows(group, cache, functools.partial(beyond_call, measures=measures))
        withheld[group.heading] = found.missing
        blocks += _table(group, measures, [(runs, means.values[_NAME]) for runs, means in found.rows])
    blocks += left_out(withheld)
    return Section("beyond", "Beyond accuracy", (Text("", _INTRODUCTION), *blocks)) if blocks else None


def measures_of(index: RunIndex) -> list[WholeTableMetric]:
    """The measures that the suite names, then all at the cut-off of the primary metric."""
    names = index.results.record["metrics"]
    k = metric_named(names[0]).k or _DEFAULT_K
    named = [measure for name in names if (measure := whole_table_metric_named(name)) is not None]
    return list(dict.fromkeys([*named, *(kind(k) for kind in (*COVERAGE_METRICS, *LIST_METRICS))]))


def beyond_call(runs: ModelRuns, measures: list[WholeTableMetric]) -> CachedCall:
    """The cached computation of all measures of one model on one data set."""
    names = [measure.name for measure in measures]
    return row_means_call("beyond", names, runs.cells, functools.partial(_values, measures=measures))


def _values(cells: Sequence[CellResult], measures: list[WholeTableMetric]) -> Means:
    """Mean over seeds of each measure; None where it is undefined or needs lists that are not stored."""
    return Means({_NAME: [_mean(cells, measure) for measure in measures]})


def _mean(cells: Sequence[CellResult], measure: WholeTableMetric) -> float | None:
    try:
        return float(np.mean([measure.measure(cell.ranks) for cell in cells]))
    except RanksWithheld:
        raise
    except ValueError:  # sampled candidates, fewer than 100 items, or lists not stored
        return None


def _table(
    group: RunGroup, measures: list[WholeTableMetric], found: list[tuple[ModelRuns, list[float | None]]]
) -> list[Table]:
    """The table of the measures that at least one model has."""
    shown = [n for n in range(len(measures)) if any(of_model[n] is not None for _, of_model in found)]
    if not shown:
        return []
    columns = [Column("model", "Model")]
    for n in shown:
        title, hint = _HINTS[measures[n].symbol]
        columns.append(Column(measures[n].name, f"{title} @{measures[n].k}", True, hint))
    rows = tuple(
        row([runs.name_cell(),
             *(TableCell(_format(measures[n], of_model[n]), of_model[n], link=runs.anchor) for n in shown)])
        for runs, of_model in found
    )  # fmt: skip
    notes = () if any(measures[n].needs_lists for n in shown) else (
        "Recommendation lists are not stored, so only hits are measured. A suite that names a list measure, such as "
        "CatalogueCoverage(20), stores them.",
    )  # fmt: skip
    return [Table(f"beyond-{group.number}", f"Beyond accuracy: {group.heading}", tuple(columns), rows, notes,
                  caveats=group.caveats, about=group.about)]  # fmt: skip


def _format(measure: WholeTableMetric, value: float | None) -> str:
    """A count, a number of bits or a share."""
    if measure.symbol == "ItemCoverage":
        return count(value)
    return format_number(value, 3) if measure.symbol in ("Novelty", "PopularityLift") else fraction(value, 3)
