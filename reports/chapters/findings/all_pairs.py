"""All pairs: an exploratory heat map per data set, and the comparison across data sets."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from evaluation.comparison.across_datasets import Friedman, friedman, summarise
from evaluation.comparison.table import ComparisonTable
from evaluation.json_codec import from_json, to_json
from evaluation.printed_numbers import interval, p_value, percent
from evaluation.results.cache import ResultCache
from reports.document.blocks import Column, Figure, Table, TableCell, Text, row
from reports.document.run_index import RunIndex

_NUMBERED = 12  # models; a larger map has no room for numbers


def heat_map(table: ComparisonTable, heading: str, place: str, caveats: tuple[str, ...]) -> list[Figure]:
    """Heat map of all pairs of one table; none for fewer than three models."""
    if len(table.models) < 3:
        return []
    sign = -1 if table.higher_is_better else 1
    order = [m.model for m in sorted(table.models, key=lambda m: sign * m.mean)]
    found = {frozenset((pair.a, pair.b)): pair for pair in table.exploratory}
    base = table.model(table.reference or order[0])
    pairs = []
    for (row_, first), (column, second) in itertools.combinations(enumerate(order), 2):
        pair = found[frozenset((first, second))]
        difference = pair.difference if pair.a == first else -pair.difference
        pairs.append({"row": row_, "column": column, "difference": difference, "q": pair.q,
                      "relative": difference / base.mean if base.mean else None})  # fmt: skip
    numbered = len(order) <= _NUMBERED
    caption = (
        f"All pairs in {table.metric} on {heading}, row against column (by number), the best on top"
        f"{f': by how much the row is ahead, as a share of the value of {base.model}' if numbered else ''}. "
        "Darker = smaller q-value (Benjamini and Hochberg: .05, .01, .001); · (no shade) = not significant. "
        f"Exploratory. {table.notes[0]}"
    )
    label = f"Significant differences between models in {table.metric} on {heading}"
    return [Figure(f"heat-{place}", "heat", label, caption,
                    {"models": order, "pairs": pairs, "numbered": numbered}, caveats)]  # fmt: skip


def across_blocks(index: RunIndex, comparisons: list[ComparisonTable], cache: ResultCache) -> list[Any]:
    """Comparison across data sets, each once, under the first of its protocols."""
    metric = index.results.record["metrics"][0]
    tables: dict[str, ComparisonTable] = {}
    for table in comparisons:
        if table.metric == metric and table.models:
            tables.setdefault(table.dataset, table)
    if len(tables) < 2:
        return []
    blocks: list[Any] = [*_summary(list(tables.values()), index)]
    shared = [m.model for m in next(iter(tables.values())).models if all(t.model(m.model) for t in tables.values())]
    if len(shared) >= 3:
        blocks += _diagram(list(tables.values()), shared, index, cache)
    return [Text("Across data sets", _WORDS), *blocks] if blocks else []


_FEWEST = 3  # data sets for an interval over them
_WORDS = (
    "The data sets are few and chosen, so a summary across them applies to these and similar ones. Each counts once.",
)


def _summary(tables: list[ComparisonTable], index: RunIndex) -> list[Table]:
    """Table of the pairs that are declared on at least two data sets."""
    declared: dict[frozenset[str], tuple[str, str]] = {}
    for pair in (pair for t in tables for pair in t.pairs):
        declared.setdefault(frozenset((pair.a, pair.b)), (pair.a, pair.b))
    rows = []
    for a, b in declared.values():
        found = [pair for t in tables if (pair := t.pair(a, b)) is not None]
        if len(found) < 2:
            continue
        tally, effect = summarise(found, a)
        has_interval = effect is not None and effect.interval is not None and len(found) >= _FEWEST
        low, high = effect.interval if has_interval else (None, None)
        mean = None if effect is None else effect.mean
        link = _named(a, index).link
        rows.append(row([
            _named(a, index), _named(b, index), TableCell(str(len(found)), len(found), link=link),
            TableCell(f"{tally.wins} / {tally.ties} / {tally.losses}", tally.wins - tally.losses, link=link),
            TableCell(percent(mean), mean, low, high, link),
            TableCell(interval_percent(low, high), None if low is None else high - low, link=link),
            TableCell(f"{effect.tau:.2f}" if has_interval else "–", effect.tau if has_interval else None, link=link),
        ]))  # fmt: skip
    if not rows:
        return []
    columns = (
        Column("a", "A"), Column("b", "B"), Column("datasets", "Data sets", True),
        Column("tally", "Better / inconclusive or equal / worse", True, "number of data sets, by test and margin"),
        Column("mean", "Mean of A ÷ B − 1", True, "random effects"), Column("interval", "95 % interval", True),
        Column("tau", "Spread", True, "τ: standard deviation of the true log ratios between data sets"),
    )  # fmt: skip
    notes = (f"Random-effects mean of log ratios (DerSimonian and Laird) with Hartung and Knapp's interval, which is "
             f"rightly wide for few data sets; below {_FEWEST} data sets there is none.",)  # fmt: skip
    return [Table("across", f"Declared pairs across data sets: {tables[0].metric}", columns, tuple(rows), notes)]


def interval_percent(low: float | None, high: float | None) -> str:
    """Format an interval of shares, such as "[+3.1 %, +9.0 %]"."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return interval(None, None)
    return f"[{percent(low)}, {percent(high)}]"


def _diagram(tables: list[ComparisonTable], models: list[str], index: RunIndex, cache: ResultCache) -> list[Any]:
    """The critical-difference diagram, or the reason why there is none."""
    scores = [[table.model(name).mean for name in models] for table in tables]
    higher = tables[0].higher_is_better

    def test() -> Any:
        return to_json(friedman(models, np.array(scores), higher_is_better=higher), exact=True)

    found, why = from_json(tuple[Friedman | None, str], cache.get("friedman", [models, scores, higher], test))
    if found is None:
        return [Text("", (why,))]
    drawn = [{"model": name, "rank": rank, "color": _named(name, index).color}
             for name, rank in zip(found.models, found.mean_ranks, strict=True)]  # fmt: skip
    caption = (
        f"Mean ranks of {len(models)} models across {found.num_datasets} data sets in {tables[0].metric}; 1 is best. "
        f"Bars join models whose mean ranks differ by less than Nemenyi's critical difference. Friedman's test, Iman "
        f"and Davenport's F = {found.f:.2f}, p {p_value(found.p)}."
    )
    label = f"Critical-difference diagram of {len(models)} models across {found.num_datasets} data sets"
    return [Figure("ranks", "ranks", label, caption, {"models": drawn, "critical": found.critical})]


def _named(model: str, index: RunIndex) -> TableCell:
    """Cell of a model with its colour and a link to its first runs."""
    runs = next(runs for runs in index.runs if runs.model == model)
    return TableCell(model, link=runs.anchor, color=runs.color)
