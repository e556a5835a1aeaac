"""Fidelity: readings of one paper side by side, and what each change does to the number."""

from __future__ import annotations

import functools
from typing import Any

from evaluation.comparison.group import Group, groups_of
from evaluation.comparison.table import ComparisonTable, PairRow
from evaluation.comparison.table_json import made, plain
from evaluation.comparison.variants import Reading, fidelity_rows, readings_of
from evaluation.metrics.accuracy import metric_named
from evaluation.results.cache import ResultCache, cell_fingerprints
from reports.document.blocks import Column, Row, Section, Table, TableCell, Text, row
from reports.document.numbers import decimals, fraction, interval, percent
from reports.document.run_index import ModelRuns, RunIndex

_RULE = (
    "Papers, their published code and a correct reading of them can disagree. Models of one class stand here side by "
    "side where they differ in a field of fidelity: one called “variant”, or one that in one of them holds “paper”, "
    "“official” or “corrected”. Each reading is set against the paper's (or against the first, where none is called "
    "so) that is nearest to it in all other fields; where other fields differ too, they are told, since the "
    "difference is then theirs as well. This is exploratory: each interval stands alone and nothing is adjusted.",
)
_COLUMNS = (
    Column("model", "Model"),
    Column("reading", "Reading"),
    Column("value", "Value", True, "mean over seeds"),
    Column("interval", "95 % interval", True, "cluster bootstrap of the seed-averaged models"),
    Column("against", "Set against"),
    Column("difference", "Change", True, "difference from the reading it is set against"),
    Column("difference_interval", "95 % interval", True, "of the methods where seeds allow, else of trained models"),
    Column("relative", "Relative", True),
    Column("changed", "What else differs", wide=True),
)


def fidelity_section(index: RunIndex, comparisons: list[ComparisonTable], cache: ResultCache) -> Section | None:
    """The readings of each data set and their differences in the primary metric; None where no model has two."""
    tables = {(t.dataset, t.protocol): t for t in comparisons if t.metric == index.results.record["metrics"][0]}
    blocks: list[Any] = []
    for group in groups_of(index.results):
        families = readings_of({cell.model: cell.record["model_fields"] for cell in group.cells.values()})
        if families:
            blocks.append(_table(index, group, tables[group.dataset, group.protocol], families, cache))
    return Section("fidelity", "Fidelity", (Text("", _RULE), *blocks)) if blocks else None


def _table(
    index: RunIndex, group: Group, table: ComparisonTable, families: list[list[Reading]], cache: ResultCache
) -> Table:
    """One data set: a heading for each class, a row for each reading."""
    runs = {r.model: r for r in index.groups[group.dataset, group.protocol]}
    pairs = _pairs(group, table, families, cache)
    places = decimals((m.interval[1] - m.interval[0]) / 2 for m in table.models)
    rows: list[Row] = []
    for family in families:
        rows.append(Row((TableCell(family[0].kind),), kind="group"))
        rows += [row(_entries(reading, table, runs, pairs, places)) for reading in family]
    shared = next(iter(runs.values())).shared
    place = next(iter(runs.values())).place
    heading = index.heading(group.dataset, group.protocol)
    return Table(f"fidelity-{place}", f"{table.metric} by reading: {heading}", _COLUMNS, tuple(rows), small=True,
                 caveats=shared)  # fmt: skip


def _pairs(
    group: Group, table: ComparisonTable, families: list[list[Reading]], cache: ResultCache
) -> dict[str, PairRow]:
    """The difference of each model from the one it is set against."""
    readings = [reading for family in families for reading in family]
    metric = metric_named(table.metric)
    compute = functools.partial(fidelity_rows, group, metric, readings, flips=table.flips, resamples=table.resamples)
    asked = [[r.model, r.against] for r in readings]
    inputs = [group.dataset, table.metric, table.flips, table.resamples, asked, cell_fingerprints(group.cells.values())]
    found = cache.get("fidelity", inputs, lambda: plain(compute()))
    return {pair.a: pair for pair in made(tuple[PairRow, ...], found)}


def _entries(
    reading: Reading, table: ComparisonTable, runs: dict[str, ModelRuns], pairs: dict[str, PairRow], places: int
) -> list[TableCell]:
    """One reading."""
    model, link = table.model(reading.model), runs[reading.model].anchor
    told = ", ".join(f"{name} = {value}" for name, value in reading.fidelity)
    low, high = model.interval
    entries = [runs[reading.model].label(), TableCell(told, cell_fingerprints=("code",)),
               TableCell(fraction(model.mean, places), model.mean, low, high, link),
               TableCell(interval(low, high, places), high - low, link=link)]  # fmt: skip
    if reading.against is None:
        return [
            *entries,
            TableCell("reference", cell_fingerprints=("quiet",)),
            *(TableCell("") for _ in range(3)),
            TableCell(""),
        ]
    pair = pairs[reading.model]
    ends = pair.interval if pair.method is None else pair.method.interval
    by = pair.relative_interval if pair.method_relative_interval is None else pair.method_relative_interval
    changed = ", ".join(f"{name}: {old} → {new}" for name, old, new in reading.changed)
    return [
        *entries, TableCell(reading.against, link=runs[reading.against].anchor),
        TableCell(fraction(pair.difference, places, sign=True), pair.difference, *ends, link),
        TableCell(interval(*ends, places, sign=True), ends[1] - ends[0], link=link),
        TableCell(percent(pair.relative), pair.relative, *by, link,
              f"{percent(pair.relative, 3)} [{percent(by[0], 3)}, {percent(by[1], 3)}]"),
        TableCell(changed or "nothing", cell_fingerprints=() if changed else ("quiet",)),
    ]  # fmt: skip
