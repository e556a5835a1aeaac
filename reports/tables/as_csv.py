"""CSV of a table: tidy lines of unrounded values, numbers in numeric columns only."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from evaluation.printed_numbers import MISSING
from reports.document.blocks import Column, Row, Table, TableCell
from reports.tables.table_text import TableText

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # with their wide forms


def to_csv(table: Table) -> TableText:
    """The table as CSV with unrounded values."""
    head, rows = csv_lines(table)
    return TableText(csv_line(head), tuple("".join(map(csv_line, lines)) or None for lines in rows))


def csv_line(values: Sequence[Any]) -> str:
    """One line of a CSV file."""
    line = io.StringIO()
    csv.writer(line).writerow([_inert(value) for value in values])
    return line.getvalue()


def _inert(value: Any) -> Any:
    """The value, or a text that a spreadsheet would take for a formula behind an apostrophe; numbers stay numbers."""
    if not isinstance(value, str) or not value.startswith(_FORMULA_STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def csv_lines(table: Table) -> tuple[list[str], list[list[list[Any]]]]:
    """The heading, and the lines of each row: one per metric where columns belong to metrics; none for a heading.

    First come the facts that all rows share, and ``group`` where rows have headings. A column with intervals is
    followed by ``…_low`` and ``…_high``, so the column that prints the interval is left out; ``caveats`` is the last.
    """
    measured = [n for n, column in enumerate(table.columns) if not _repeats_interval(table, n)]
    metrics = list(dict.fromkeys(column.metric for column in table.columns if column.metric))
    parts = [[n for n in measured if table.columns[n].metric in ("", metric)] for metric in metrics or [""]]
    ranged = {_name(table.columns[n]) for n in measured if _is_ranged(table, n)}
    grouped = any(r.kind == "group" for r in table.rows)
    has_caveats = bool(table.caveats) or any(e.caveats for r in table.rows for e in r.entries)
    names = list(dict.fromkeys(_name(table.columns[n]) for part in parts for n in part))
    fixed = [n for n in names if not metrics or n in {_name(c) for c in table.columns if not c.metric}]
    head = [*(name for name, _ in table.about), *(["group"] if grouped else [])]
    order = [*fixed, *(["metric"] if metrics else []), *(n for n in names if n not in fixed)]
    for name in order:
        head += [name, f"{name}_low", f"{name}_high"] if name in ranged else [name]
    rows: list[list[list[Any]]] = []
    group = ""
    for line in table.rows:
        if line.kind == "group":
            group = line.entries[0].text
            rows.append([])
            continue
        start = [*(value for _, value in table.about), *([group] if grouped else [])]
        caveats = dict.fromkeys([*table.caveats, *(s for e in line.entries for s in e.caveats)])
        end = ["; ".join(caveats)] if has_caveats else []
        lines = []
        for metric, part in zip(metrics or [""], parts, strict=True):
            cells = {_name(table.columns[n]): (line.entries[n], table.columns[n]) for n in part}
            if metrics and all(cell.value is None for cell, column in cells.values() if column.metric):
                continue
            lines.append([*start, *_values(order, cells, ranged, metric), *end])
        rows.append(lines)
    return [*head, *(["caveats"] if has_caveats else [])], rows


def _values(
    order: Sequence[str], cells: dict[str, tuple[TableCell, Column]], ranged: set[str], metric: str
) -> list[Any]:
    """The values of one line, in the order of the names."""
    values: list[Any] = []
    for name in order:
        if name == "metric" and metric:
            values.append(metric)
            continue
        cell, column = cells.get(name, (TableCell(""), None))
        values.append(_value(cell, column is not None and column.numeric))
        values += [cell.low, cell.high] if name in ranged else []
    return values


def _value(cell: TableCell, numeric: bool) -> Any:
    """The unrounded value; the text of a cell without one, except in a column of numbers and where it says nothing."""
    if cell.value is not None:
        return cell.value
    return None if numeric or cell.text == MISSING else cell.text


def _name(column: Column) -> str:
    """A column's name in the file: its key, without the name of its metric."""
    return column.key.removeprefix(column.metric).strip() or "mean"


def _entries(table: Table, number: int) -> list[TableCell]:
    rows: list[Row] = [row for row in table.rows if row.kind != "group"]
    return [row.entries[number] for row in rows]


def _is_ranged(table: Table, number: int) -> bool:
    return any(entry.low is not None for entry in _entries(table, number))


def _repeats_interval(table: Table, number: int) -> bool:
    """Whether a column prints the interval of another one."""
    return table.columns[number].key.endswith("interval") and not _is_ranged(table, number)
