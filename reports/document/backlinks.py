"""Backlinks: from the runs in the provenance to the table rows that link to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from reports.document.blocks import Row, Section, Table


def add_backlinks(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Give each row that links to runs an anchor, and those runs links back to the first such row of each section."""
    anchored = [_map_tables(section, _add_anchors) for section in sections]
    backlinks: dict[str, dict[str, str]] = {}  # link → section title → anchor of the row
    for section in anchored:
        for row in (row for table in section.tables for row in table.rows if row.kind != "missing"):
            for link in {entry.link for entry in row.entries if entry.link}:
                backlinks.setdefault(link, {}).setdefault(section.title, row.anchor)

    def link_back(table: Table) -> Table:
        return dataclasses.replace(table, rows=tuple(_link_back(row, backlinks) for row in table.rows))

    return tuple(_map_tables(section, link_back) for section in anchored)


def _map_tables(section: Section, change: Callable[[Table], Table]) -> Section:
    blocks = tuple(change(block) if isinstance(block, Table) else block for block in section.blocks)
    return dataclasses.replace(section, blocks=blocks)


def _add_anchors(table: Table) -> Table:
    rows = tuple(
        dataclasses.replace(row, anchor=f"{table.anchor}-row-{n}")
        if not row.anchor and any(entry.link for entry in row.entries) else row
        for n, row in enumerate(table.rows, start=1)
    )  # fmt: skip
    return dataclasses.replace(table, rows=rows)


def _link_back(row: Row, backlinks: dict[str, dict[str, str]]) -> Row:
    if row.anchor not in backlinks:
        return row
    return dataclasses.replace(row, backlinks=tuple((anchor, title) for title, anchor in backlinks[row.anchor].items()))
