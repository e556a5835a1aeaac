"""Data: preprocessing steps, the split and the audit findings of each data set."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from evaluation.printed_numbers import MISSING, count, format_number
from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from evaluation.results.suite_results import CellResult
from recsys_data.audit.finding import CAVEAT, FAIL, NOTE, SEVERE
from reports.document.blocks import Column, Figure, Section, Table, TableCell, Text, row
from reports.document.run_index import RunGroup, RunIndex

_LEVELS = {  # the gravest first
    FAIL: ("FAIL", "bad"), SEVERE: ("SEVERE CAVEAT", "bad"), CAVEAT: ("CAVEAT", "open"), NOTE: ("note", "quiet"),
}  # fmt: skip
_COUNTS = {
    "train_events": "training events",
    "validation_queries": "validation queries",
    "test_queries": "test queries",
    "test_clusters": "test clusters",
    "items": "items",
    "users": "users",
}


def data_section(index: RunIndex, cache: ResultCache) -> Section:
    """Counts after each preprocessing step, the split and the audit findings of every data set."""
    blocks: list[Any] = []
    for group in index.groups.values():
        if not group.finished:
            continue
        record = _first_cell(group).record
        blocks.append(Text(group.heading, (_facts(record, group.protocol),), anchor=f"data-{group.number}"))
        if record.get("steps"):
            blocks.append(_steps(record["steps"], group))
        blocks += [_figure(record, group, cache), _split(record, group)]
        if record.get("audit"):
            blocks.append(_audit(record["audit"], group))
    empty = [group.heading for group in index.groups.values() if not group.finished]
    if empty:
        blocks.append(Text("", (f"No cell of these data sets has a result: {'; '.join(empty)}.",)))
    return Section("data", "Data", tuple(blocks))


def _first_cell(group: RunGroup) -> CellResult:
    return group.finished[0].cells[0]


def _facts(record: dict[str, Any], protocol: str) -> str:
    """Protocol, unit, clock, edition, licence and citation in one paragraph."""
    facts = [f"Protocol: {protocol}", f"unit of inference: {record.get('unit') or 'user'}",
             f"clock: {record.get('clock') or 'unknown'}"]  # fmt: skip
    facts += [f"{name}: {record[name]}" for name in ("edition", "licence", "citation") if record.get(name)]
    return "; ".join(facts).rstrip(".") + "."


def _steps(steps: list[dict[str, Any]], group: RunGroup) -> Table:
    """One row per step; columns are the facts that the protocol recorded."""
    keys = list(dict.fromkeys(key for step in steps for key in step))
    columns = tuple(Column(k, k.replace("_", " ").capitalize(), all(_is_number(s.get(k)) for s in steps)) for k in keys)
    link = group.finished[0].anchor
    rows = tuple(row([_fact_cell(step.get(key), link) for key in keys]) for step in steps)
    return Table(f"steps-{group.number}", f"Preprocessing steps: {group.heading}", columns, rows, about=group.about)


def _is_number(value: Any) -> bool:
    """Whether a recorded fact is a number or missing."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _fact_cell(value: Any, link: str) -> TableCell:
    """The table cell of a recorded fact; a number links to the runs that recorded it."""
    if value is None or isinstance(value, str | bool):
        return TableCell(MISSING if value is None else str(value))
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return TableCell(count(value), value, link=link)
    return TableCell(format_number(value, 4), value, link=link) if isinstance(value, float) else TableCell(str(value))


def _figure(record: dict[str, Any], group: RunGroup, cache: ResultCache) -> Figure:
    """Parts of the split, popularity of items, and history lengths of test queries."""
    counts = record.get("counts") or {}
    parts = [counts.get(name) or 0 for name in ("train_events", "validation_queries", "test_queries")]
    found = cache.get(*split_call(group))
    label = f"Split of {group.heading}, popularity of its items, and history lengths of its test queries"
    caption = (
        f"Split of {group.heading}: sizes of its parts (an event is a target to learn from, a query one to answer), "
        f"training events of each item on log axes ({found['summary']}), and history length of the test queries."
    )
    return Figure(f"split-{group.number}-figure", "split", label, caption, {"parts": parts, **found})


def split_call(group: RunGroup) -> CachedCall:
    """The cached computation of the figure's curves."""
    cell = _first_cell(group)
    return CachedCall("split", cell_fingerprints([cell]), functools.partial(_distributions, cell))


def _distributions(cell: CellResult) -> dict[str, Any]:
    """About forty points of each curve, from the columns of the rank table."""
    ranks = cell.ranks
    counts = np.sort(ranks.item_counts)[::-1]
    places = np.unique(np.geomspace(1, len(counts), 40).astype(int))
    history = np.sort(ranks.history)
    shares = np.unique(np.linspace(0, len(history) - 1, 41).astype(int))
    top = counts[: max(1, len(counts) // 100)].sum() / max(1, counts.sum())
    cumulative = {int(history[n]): float((n + 1) / len(history)) for n in shares}
    return {
        "popularity": [[int(p), int(counts[p - 1])] for p in places if counts[p - 1] > 0],
        "histories": [[length, share] for length, share in cumulative.items()],
        "summary": f"the top 1 % most popular items have {100 * top:.0f} % of them",
    }


def _split(record: dict[str, Any], group: RunGroup) -> Table:
    """The sizes of the parts."""
    counts, link = record.get("counts") or {}, group.finished[0].anchor
    names = [name for name in (*_COUNTS, *(n for n in counts if n not in _COUNTS)) if name in counts]
    rows = tuple(
        row([TableCell(_COUNTS.get(n, n.replace("_", " "))), TableCell(count(counts[n]), counts[n], link=link)])
        for n in names
    )
    columns = (Column("part", "Part"), Column("count", "Count", True))
    return Table(f"split-{group.number}", f"Split: {group.heading}", columns, rows, beside=True, about=group.about)


def _audit(findings: list[dict[str, Any]], group: RunGroup) -> Table:
    """The findings of the leakage audit, the gravest first."""
    order = list(_LEVELS)
    ranked = sorted(findings, key=lambda f: order.index(f["level"]) if f["level"] in order else len(order))
    rows = []
    for finding in ranked:
        level, mark = _LEVELS.get(finding["level"], (finding["level"], "quiet"))
        rows.append(row([
            TableCell(level, marks=(mark,)), TableCell(finding["name"].replace("_", " ")),
            _fact_cell(finding.get("value"), group.finished[0].anchor), TableCell(finding["sentence"]),
        ]))  # fmt: skip
    columns = (
        Column("level", "Level"),
        Column("name", "Check"),
        Column("value", "Value", True),
        Column("sentence", "Finding", wide=True),
    )
    caption = f"Leakage audit before training: {group.heading}"
    return Table(f"audit-{group.number}", caption, columns, tuple(rows), about=group.about)
