"""Data: what each step removed, how the split came out, and what the audit found."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from evaluation.results.suite_results import CellResult
from reports.document.blocks import Column, Figure, Section, Table, TableCell, Text, row
from reports.document.numbers import count, format_number
from reports.document.run_index import ModelRuns, RunIndex

_LEVEL = {"fail": ("FAIL", "bad"), "caveat": ("CAVEAT", "open"), "note": ("note", "quiet")}
_COUNTS = {
    "train_events": "training events",
    "validation_queries": "validation queries",
    "test_queries": "test queries",
    "test_clusters": "test clusters",
    "items": "items",
    "users": "users",
}


def data_section(index: RunIndex, cache: ResultCache) -> Section:
    """Counts after each step, the split drawn, and audit findings of every data set."""
    blocks: list[Any] = []
    empty: list[str] = []
    for (dataset, protocol), group in index.groups.items():
        first = next((runs for runs in group if runs.cells), None)
        heading = index.heading(dataset, protocol)
        if first is None:
            empty.append(heading)
            continue
        record, place = first.cells[0].record, first.place
        blocks.append(Text(heading, (_told(record, protocol),), anchor=f"data-{place}"))
        if record.get("steps"):
            blocks.append(_steps(record["steps"], heading, place))
        blocks += [_figure(record, heading, first, cache), _split(record, heading, first)]
        if record.get("audit"):
            blocks.append(_audit(record["audit"], heading, place))
    if empty:
        blocks.append(Text("", (f"No cell of these has a result, so nothing is told of them: {'; '.join(empty)}.",)))
    return Section("data", "Data", tuple(blocks))


def _told(record: dict[str, Any], protocol: str) -> str:
    """Protocol, edition, clock, licence and citation in one paragraph."""
    unit = record.get("unit") or "user"
    said = [f"Protocol: {protocol}", f"a unit of inference is a {unit}", f"clock: {record.get('clock') or 'unknown'}"]
    said += [f"{name}: {record[name]}" for name in ("edition", "licence", "citation") if record.get(name)]
    return "; ".join(said).rstrip(".") + "."


def _steps(steps: list[dict[str, Any]], heading: str, place: int) -> Table:
    """One row a step; columns are the facts that the protocol recorded."""
    keys = list(dict.fromkeys(key for step in steps for key in step))
    columns = tuple(Column(k, k.replace("_", " ").capitalize(), all(_number(s.get(k)) for s in steps)) for k in keys)
    rows = tuple(row([_entry(step.get(key)) for key in keys]) for step in steps)
    return Table(f"steps-{place}", f"What each step left: {heading}", columns, rows)


def _number(value: Any) -> bool:
    """Whether a recorded fact is a number (or missing)."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _entry(value: Any) -> TableCell:
    """A recorded fact as an entry."""
    if value is None or isinstance(value, str | bool):
        return TableCell("–" if value is None else str(value))
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return TableCell(count(value), value)
    return TableCell(format_number(value, 4), value) if isinstance(value, float) else TableCell(str(value))


def _figure(record: dict[str, Any], heading: str, runs: ModelRuns, cache: ResultCache) -> Figure:
    """The parts of the split, the popularity of items and the lengths of test histories."""
    counts = record.get("counts") or {}
    parts = [counts.get(name) or 0 for name in ("train_events", "validation_queries", "test_queries")]
    found = cache.get(*split_call(runs))
    label = f"The split of {heading}, how popular its items are, and how long its test histories are"
    caption = (
        f"The split of {heading}: its parts by size (an event is a target to learn from, a query one to answer), the "
        f"training events of each item on log axes ({found['told']}), and how many events are read before a test query."
    )
    return Figure(f"split-{runs.place}-figure", "split", label, caption, {"parts": parts, **found})


def split_call(runs: ModelRuns) -> CachedCall:
    """What is asked of the cache for one data set."""
    return CachedCall("split", cell_fingerprints(runs.cells[:1]), functools.partial(_distributions, runs.cells[0]))


def _distributions(cell: CellResult) -> dict[str, Any]:
    """Some forty points of each curve, from the ranks' own columns."""
    ranks = cell.ranks
    often = np.sort(ranks.item_counts)[::-1]
    places = np.unique(np.geomspace(1, len(often), 40).astype(int))
    history = np.sort(ranks.history)
    shares = np.unique(np.linspace(0, len(history) - 1, 41).astype(int))
    top = often[: max(1, len(often) // 100)].sum() / max(1, often.sum())
    steps = {int(history[n]): float((n + 1) / len(history)) for n in shares}
    return {
        "popularity": [[int(p), int(often[p - 1])] for p in places if often[p - 1] > 0],
        "histories": [[length, share] for length, share in steps.items()],
        "told": f"the most popular hundredth has {100 * top:.0f} % of them",
    }


def _split(record: dict[str, Any], heading: str, runs: ModelRuns) -> Table:
    """The sizes of the parts."""
    counts = record.get("counts") or {}
    names = [name for name in (*_COUNTS, *(n for n in counts if n not in _COUNTS)) if name in counts]
    rows = tuple(
        row([TableCell(_COUNTS.get(n, n.replace("_", " "))), TableCell(count(counts[n]), counts[n], link=runs.anchor)])
        for n in names
    )
    columns = (Column("part", "Part"), Column("count", "Count", True))
    return Table(f"split-{runs.place}", f"The split: {heading}", columns, rows, beside=True)


def _audit(findings: list[dict[str, Any]], heading: str, place: int) -> Table:
    """The findings of the leakage audit, the gravest first."""
    order = list(_LEVEL)
    ranked = sorted(findings, key=lambda f: order.index(f["level"]) if f["level"] in order else len(order))
    rows = []
    for finding in ranked:
        word, mark = _LEVEL.get(finding["level"], (finding["level"], "quiet"))
        rows.append(
            row(
                [
                    TableCell(word, cell_fingerprints=(mark,)),
                    TableCell(finding["name"].replace("_", " ")),
                    _entry(finding.get("value")),
                    TableCell(finding["sentence"]),
                ]
            )
        )
    columns = (
        Column("level", "Level"),
        Column("name", "Check"),
        Column("value", "Value", True),
        Column("sentence", "Finding", wide=True),
    )
    return Table(f"audit-{place}", f"Leakage audit before training: {heading}", columns, tuple(rows))
