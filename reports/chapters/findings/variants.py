"""Variants: implementations of one paper side by side, and the effect of each change."""

from __future__ import annotations

import functools
from typing import Any

from evaluation.comparison.group import ComparisonGroup, comparison_groups
from evaluation.comparison.table import ComparisonTable, PairRow
from evaluation.comparison.variants import Variant, compare_variants, find_variants
from evaluation.json_codec import from_json, to_json
from evaluation.metrics.accuracy import metric_named
from evaluation.printed_numbers import decimals, fraction, interval, percent
from evaluation.results.cache import ResultCache, cell_fingerprints
from reports.chapters.findings.comparison import INTERVAL
from reports.document.blocks import Column, Row, Section, Table, TableCell, Text, row
from reports.document.run_index import ModelRuns, RunIndex

_RULE = (
    "A paper, its published code and a corrected implementation can disagree. This chapter compares models of one "
    "class that differ in a variant field: one called “variant”, or one that holds “paper”, “official” or “corrected” "
    "in one of them. Each variant is compared with the paper's variant (or the first, where none is called so) that "
    "differs from it in the fewest other fields; these fields are listed, since they contribute to the difference. The "
    "comparison is exploratory: no interval is adjusted for multiple comparisons.",
)
_COLUMNS = (
    Column("model", "Model"),
    Column("variant", "Variant"),
    Column("value", "Value", True, "mean over seeds"),
    Column("interval", "95 % interval", True, INTERVAL),
    Column("against", "Compared with"),
    Column("difference", "Change", True, "difference from the model it is compared with"),
    Column("difference_interval", "95 % interval", True, "of the methods where seeds allow, else of trained models"),
    Column("relative", "Relative", True),
    Column("changed", "Other differences", wide=True),
)


def variants_section(index: RunIndex, comparisons: list[ComparisonTable], cache: ResultCache) -> Section | None:
    """Variants on each data set, with their differences in the primary metric; None where no model has two."""
    tables = {(t.dataset, t.protocol): t for t in comparisons if t.metric == index.results.record["metrics"][0]}
    blocks: list[Any] = []
    for group in comparison_groups(index.results):
        families = find_variants({cell.model: cell.record["model_fields"] for cell in group.cells.values()})
        if families:
            blocks.append(_table(index, group, tables[group.dataset, group.protocol], families, cache))
    return Section("variants", "Variants", (Text("", _RULE), *blocks)) if blocks else None


def _table(
    index: RunIndex, group: ComparisonGroup, table: ComparisonTable, families: list[list[Variant]], cache: ResultCache
) -> Table:
    """Table of one data set: a heading per class, a row per variant."""
    runs = {r.model: r for r in index.groups[group.dataset, group.protocol].runs}
    pairs = _pairs(group, table, families, cache)
    places = decimals((m.interval[1] - m.interval[0]) / 2 for m in table.models)
    rows: list[Row] = []
    for family in families:
        rows.append(Row((TableCell(family[0].kind),), kind="group"))
        rows += [row(_cells(variant, table, runs, pairs, places)) for variant in family]
    runs_of = next(iter(runs.values())).group
    shared, place = runs_of.caveats, runs_of.number
    heading = index.heading(group.dataset, group.protocol)
    return Table(f"variants-{place}", f"{table.metric} by variant: {heading}", _COLUMNS, tuple(rows), small=True,
                 caveats=shared, about=(*runs_of.about, ("metric", table.metric)))  # fmt: skip


def _pairs(
    group: ComparisonGroup, table: ComparisonTable, families: list[list[Variant]], cache: ResultCache
) -> dict[str, PairRow]:
    """Return the difference of each variant from its reference, by model."""
    variants = [variant for family in families for variant in family]
    metric = metric_named(table.metric)
    compute = functools.partial(compare_variants, group, metric, variants, flips=table.flips, resamples=table.resamples)
    compared = [[v.model, v.against] for v in variants]
    inputs = [
        group.dataset,
        table.metric,
        table.flips,
        table.resamples,
        compared,
        cell_fingerprints(group.cells.values()),
    ]
    found = cache.get("variants", inputs, lambda: to_json(compute(), exact=True))
    return {pair.a: pair for pair in from_json(tuple[PairRow, ...], found)}


def _cells(
    variant: Variant, table: ComparisonTable, runs: dict[str, ModelRuns], pairs: dict[str, PairRow], places: int
) -> list[TableCell]:
    """Row of one variant."""
    model, link = table.model(variant.model), runs[variant.model].anchor
    settings = ", ".join(f"{name} = {value}" for name, value in variant.settings)
    low, high = model.interval
    entries = [runs[variant.model].name_cell(), TableCell(settings, marks=("code",)),
               TableCell(fraction(model.mean, places), model.mean, low, high, link),
               TableCell(interval(low, high, places), high - low, link=link)]  # fmt: skip
    if variant.against is None:
        return [
            *entries,
            TableCell("reference", marks=("quiet",)),
            *(TableCell("") for _ in range(3)),
            TableCell(""),
        ]
    pair = pairs[variant.model]
    ends = pair.interval if pair.method is None else pair.method.interval
    by = pair.relative_interval if pair.method_relative_interval is None else pair.method_relative_interval
    changed = ", ".join(f"{name}: {old} → {new}" for name, old, new in variant.changed)
    return [
        *entries, TableCell(variant.against, link=runs[variant.against].anchor),
        TableCell(fraction(pair.difference, places, sign=True), pair.difference, *ends, link),
        TableCell(interval(*ends, places, sign=True), ends[1] - ends[0], link=link),
        TableCell(percent(pair.relative), pair.relative, *by, link,
              f"{percent(pair.relative, 3)} [{percent(by[0], 3)}, {percent(by[1], 3)}]"),
        TableCell(changed or "nothing", marks=() if changed else ("quiet",)),
    ]  # fmt: skip
