"""TableText: a table in a text format, in parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableText:
    """A table in a text format, in parts, so that a page can copy the rows it shows.

    rows: one text per row of the table, of one line or several, each with its line end; None for a row without any.
    """

    head: str
    rows: tuple[str | None, ...]
    foot: str = ""

    def __str__(self) -> str:
        return self.head + "".join(row for row in self.rows if row is not None) + self.foot
