"""Markdown of a table of the report, as GitHub, notebooks and pandoc read it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.document.blocks import Row, Table, TableCell
from reports.tables.table_text import TableText

_SIGNS = {"best": " ★", "level": " ≈"}


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, in a cell of a table, too."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", text)


def markdown_line(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |\n"


def to_markdown(table: Table) -> TableText:
    """The table as Markdown, with its caption above and its notes below."""
    table = table.without_empty_columns()
    hidden = table.empty_headings
    titles = [escape_markdown(column.title) for column in table.columns]
    rule = ["---:" if column.numeric else ":---" for column in table.columns]
    head = f"**{escape_markdown(table.caption)}**\n\n{markdown_line(titles)}{markdown_line(rule)}"
    caveats = dict.fromkeys(s for r in table.rows for e in r.entries for s in e.caveats)
    notes = [*table.all_notes, *(f"† {caveat}." for caveat in caveats)]
    foot = f"\n{escape_markdown(' '.join(notes))}\n" if notes else ""
    return TableText(
        head, tuple(None if n in hidden else _line(row, len(titles)) for n, row in enumerate(table.rows)), foot
    )


def _line(row: Row, columns: int) -> str | None:
    if row.kind == "missing":
        return None
    if row.kind == "group":
        heading = f"**{escape_markdown(row.entries[0].text)}**"
        return markdown_line([heading, *[""] * (columns - 1)])
    return markdown_line([_cell(entry) for entry in row.entries])


def _cell(cell: TableCell) -> str:
    text = escape_markdown(cell.text)
    if "best" in cell.marks:
        text = f"**{text}**"
    return text + "".join(_SIGNS.get(mark, "") for mark in cell.marks) + ("†" if cell.caveats else "")
