"""Entry, Table, Figure, Section: what a report is made of; plain data that every rendering reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TableCell:
    """One place of a table: ``text`` as shown, and the unrounded value behind it.

    value: number, text or None where undefined; low, high: its interval. link: anchor in this report that says where
    the number is from. exact: the full story for hover and focus. marks: words such as "best", "level", "good",
    "bad", "open", "quiet", which a rendering may draw. caveats: sentences that must stand beside the number.
    """

    text: str
    value: Any = None
    low: float | None = None
    high: float | None = None
    link: str = ""
    exact: str = ""
    marks: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    color: int | None = None

    @property
    def order(self) -> Any:
        """What a sort goes by: the value, or the text where there is none."""
        return self.text if self.value is None else self.value

    @property
    def badges(self) -> list[str]:
        """The caveats, each cut to its first words; what begins alike is one badge."""
        return list(dict.fromkeys(caveat_badge(caveat) for caveat in self.caveats))


def caveat_badge(caveat: str) -> str:
    """The part of a caveat before its colon, or its first four words: "NOT CONVERGED"."""
    head, colon, _ = caveat.partition(":")
    return head if colon and len(head) <= 40 else " ".join(caveat.split()[:4]) + " …" * (len(caveat.split()) > 4)


def as_sentence(caveat: str) -> str:
    """A caveat as a sentence of its own."""
    return f"{caveat.rstrip('.')}."


@dataclass(frozen=True)
class Column:
    """A column: ``key`` for machines, ``title`` for readers, ``hint`` says what it means; numeric ones are aligned."""

    key: str
    title: str
    numeric: bool = False
    hint: str = ""
    wide: bool = False  # holds sentences


@dataclass(frozen=True)
class Row:
    """One row. ``anchor`` can be linked to; ``backlinks`` are the anchors that link here, with their names."""

    entries: tuple[TableCell, ...]
    anchor: str = ""
    kind: str = ""  # "" a measured row; "reference": a known value, kept at the end; "group": a heading of rows
    backlinks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """A table; ``notes`` stand under it, ``caveats`` hold for every number in it."""

    anchor: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    small: bool = False  # many columns: set in smaller type on paper
    beside: bool = False  # stands beside the figure before it where there is room
    caveats: tuple[str, ...] = ()
    block: str = field(default="table", init=False)

    @property
    def badges(self) -> list[str]:
        """The table's caveats, each cut to its first words."""
        return [caveat_badge(caveat) for caveat in self.caveats]

    @property
    def all_notes(self) -> list[str]:
        """The notes, after the table's caveats in full: for a table that has to stand alone."""
        return list(dict.fromkeys([*map(as_sentence, self.caveats), *self.notes]))

    def column(self, key: str) -> int:
        """The place of a column by its key; KeyError if there is none."""
        for place, column in enumerate(self.columns):
            if column.key == key:
                return place
        raise KeyError(key)

    def entry(self, row: Row, key: str) -> TableCell | None:
        """The entry of a row under a key; None where the table has no such column."""
        return next((e for c, e in zip(self.columns, row.entries, strict=True) if c.key == key), None)


@dataclass(frozen=True)
class Figure:
    """A figure to be drawn: ``kind`` names the drawing in figures.py, ``data`` is all that it shows.

    label: one sentence for those who do not see it. caption: stands under it. caveats: hold for all that it shows.
    """

    anchor: str
    kind: str
    label: str
    caption: str
    data: dict[str, Any]
    caveats: tuple[str, ...] = ()
    block: str = field(default="figure", init=False)

    @property
    def badges(self) -> list[str]:
        """The figure's caveats, each cut to its first words."""
        return [caveat_badge(caveat) for caveat in self.caveats]

    @property
    def has_daggers(self) -> bool:
        """Whether a name in it bears a †, since a caveat says more of that model."""
        marks = [mark for kind in ("rows", "lines", "points") for mark in self.data.get(kind, ())]
        return any(mark.get("has_caveat") or "†" in mark.get("name", "") for mark in marks)


@dataclass(frozen=True)
class Text:
    """Paragraphs under a heading of their own (none if empty)."""

    heading: str
    paragraphs: tuple[str, ...]
    anchor: str = ""
    beside: bool = False  # stands beside the figure before it where there is room
    block: str = field(default="text", init=False)


@dataclass(frozen=True)
class Section:
    """A chapter: its anchor, title and blocks."""

    anchor: str
    title: str
    blocks: tuple[Table | Figure | Text, ...]

    @property
    def tables(self) -> list[Table]:
        """The tables among the blocks."""
        return [block for block in self.blocks if isinstance(block, Table)]


def row(entries: Sequence[TableCell], **rest: Any) -> Row:
    """A row of these entries."""
    return Row(tuple(entries), **rest)
