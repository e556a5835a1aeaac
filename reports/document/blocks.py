"""Content of a report as plain data: sections of tables, figures and texts, read by every output format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class TableCell:
    """One cell of a table: the displayed ``text`` and the unrounded value.

    value: number, text or None where undefined; low, high: its interval. link: anchor of the source of the number in
    this report; href: a file outside of it, relative to the report's folder. exact: tooltip instead of the unrounded
    value. marks: styles of the cell ("best", "level", "good", "bad", "open", "quiet", "code"), drawn as each format
    can. caveats: sentences to show with the number.
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
    href: str = ""

    @property
    def badges(self) -> list[str]:
        """The badges of the caveats that have one, without repetitions."""
        return list(dict.fromkeys(caveat_badge(caveat) for caveat in self.caveats if has_badge(caveat)))


def has_badge(caveat: str) -> bool:
    """Whether a caveat is shown as a badge beside a name ("NOT CONVERGED: …"); any other is a footnote of its table."""
    return caveat.partition(":")[0].isupper()


def caveat_badge(caveat: str) -> str:
    """Shorten a caveat to the part before its colon, or to four words: "NOT CONVERGED"."""
    head, colon, _ = caveat.partition(":")
    return head if colon and len(head) <= 40 else " ".join(caveat.split()[:4]) + " …" * (len(caveat.split()) > 4)


def as_sentence(caveat: str) -> str:
    """A caveat as a sentence."""
    return f"{caveat.rstrip('.')}."


@dataclass(frozen=True)
class Column:
    """A column: ``key`` for programs, ``title`` for readers, ``hint`` explains it; numeric: right-aligned.

    metric: of which metric it is, where a table has columns of several; its key then begins with the metric's name. A
    CSV file has one line per metric instead.
    """

    key: str
    title: str
    numeric: bool = False
    hint: str = ""
    wide: bool = False  # holds sentences
    metric: str = ""


@dataclass(frozen=True)
class Row:
    """One row; ``backlinks`` are the anchors of rows that link to its ``anchor``, with the titles of their sections."""

    entries: tuple[TableCell, ...]
    anchor: str = ""
    kind: str = ""  # "": measured; "reference": a known value, kept at the end; "group": a heading; "missing": CSV only
    backlinks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """A table; ``notes`` are printed below it, ``caveats`` apply to every number in it.

    about: what all rows belong to, such as data set and protocol; the first columns of the CSV file.
    """

    anchor: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    small: bool = False  # many columns: smaller type on paper
    beside: bool = False  # beside the preceding figure where there is room
    caveats: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    copied: bool = True  # whether a page has buttons to copy it, and so its text in three formats
    block: str = field(default="table", init=False)

    @property
    def badges(self) -> list[str]:
        """The badges of the table's caveats."""
        return [caveat_badge(caveat) for caveat in self.caveats]

    @property
    def footnotes(self) -> dict[str, str]:
        """The mark of each caveat of a row that has no badge: a, b, c and so on."""
        found = dict.fromkeys(c for r in self.rows for e in r.entries for c in e.caveats if not has_badge(c))
        return {caveat: _letters(number) for number, caveat in enumerate(found)}

    @property
    def all_notes(self) -> list[str]:
        """The table's caveats in full, then its notes, for a table outside the report."""
        return list(dict.fromkeys([*map(as_sentence, self.caveats), *self.notes]))

    @property
    def empty_headings(self) -> set[int]:
        """The numbers of the headings below which every row is missing, which a page does not show."""
        found, heading = set(), None
        for number, row in enumerate(self.rows):
            if row.kind == "group":
                heading = number
                found.add(number)
            elif row.kind != "missing":
                found.discard(heading)
        return found

    def without_empty_columns(self) -> Table:
        """The table as it is shown: without columns in which every row has an empty text or a dash; the first stays."""
        rows = [row for row in self.rows if row.kind not in ("group", "missing")]
        keep = [n for n in range(len(self.columns))
                if n == 0 or not rows or any(_is_filled(row.entries[n]) for row in rows)]  # fmt: skip
        if len(keep) == len(self.columns):
            return self
        shown = (row if row.kind == "group" else replace(row, entries=tuple(row.entries[n] for n in keep))
                 for row in self.rows)  # fmt: skip
        return replace(self, columns=tuple(self.columns[n] for n in keep), rows=tuple(shown))

    def column(self, key: str) -> int:
        """The index of a column by its key; KeyError if there is none."""
        for number, column in enumerate(self.columns):
            if column.key == key:
                return number
        raise KeyError(key)

    def entry(self, row: Row, key: str) -> TableCell | None:
        """The cell of a row by the key of its column; None without such a column."""
        return next((e for c, e in zip(self.columns, row.entries, strict=True) if c.key == key), None)


@dataclass(frozen=True)
class Figure:
    """A figure: ``kind`` names the drawing in reports/figures/draw.py, ``data`` is everything it shows.

    label: one sentence for screen readers. caption: printed below it. caveats: apply to everything it shows.
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
        """The badges of the figure's caveats."""
        return [caveat_badge(caveat) for caveat in self.caveats]

    @property
    def has_daggers(self) -> bool:
        """Whether a name in the figure has a †, the sign of a caveat."""
        marks = [mark for kind in ("rows", "lines", "points") for mark in self.data.get(kind, ())]
        return any(mark.get("has_caveat") or "†" in mark.get("name", "") for mark in marks)


@dataclass(frozen=True)
class TallyPart:
    """One part of a tally: its name, its number and its tone ("good", "bad", "open", "quiet")."""

    name: str
    number: int
    tone: str


@dataclass(frozen=True)
class Tally:
    """Outcomes as one bar, each part as long as its number."""

    anchor: str
    parts: tuple[TallyPart, ...]
    block: str = field(default="tally", init=False)

    @property
    def total(self) -> int:
        """The number of outcomes."""
        return sum(part.number for part in self.parts)

    @property
    def label(self) -> str:
        """One sentence for screen readers."""
        return ", ".join(f"{part.number} {part.name}" for part in self.parts)


@dataclass(frozen=True)
class Text:
    """Paragraphs with an optional heading."""

    heading: str
    paragraphs: tuple[str, ...]
    anchor: str = ""
    beside: bool = False  # beside the preceding figure where there is room
    block: str = field(default="text", init=False)


@dataclass(frozen=True)
class Section:
    """A chapter: its anchor, title and blocks."""

    anchor: str
    title: str
    blocks: tuple[Table | Figure | Tally | Text, ...]

    @property
    def tables(self) -> list[Table]:
        """The tables among the blocks."""
        return [block for block in self.blocks if isinstance(block, Table)]


def _is_filled(cell: TableCell) -> bool:
    return cell.text not in ("", "–") or bool(cell.caveats)


def _letters(number: int) -> str:
    """The mark of footnote ``number``: a to z, then aa, ab and so on."""
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(ord("a") + number % 26)


def row(entries: Sequence[TableCell], **rest: Any) -> Row:
    """A row of these cells."""
    return Row(tuple(entries), **rest)
