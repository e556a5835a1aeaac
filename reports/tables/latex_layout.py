"""LatexLayout: how a table fits on LaTeX's pages: widths of columns, size of type, and whether it runs over pages."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from reports.document.blocks import Row, Table, as_sentence, has_badge

LINE = 79.0  # the width of a line of LaTeX's article class, in digits of the size footnotesize
GAP = 1.9  # between columns, in digits
LINES = 48  # of a table that fits on a page
_DIGIT = 4.25  # points, in footnotesize
_LETTERS = 125  # of a note in a line of the table
_NARROWEST, _WORD = 12, 22  # digits of a folded column, and of a word that is not broken
_FOLDS = 3  # lines of a row, where the table may be scaled down instead
_BESIDE = 30  # digits of a sentence that has no line of its own
_SCALES = (1.0, 1.25, 1.5)  # widths of a table that is scaled down to a line
_TURNED = 1.59  # the height of a page as a share of its width
_SIZES = ((r"\footnotesize", 1.0, False), (r"\scriptsize", 1.06, False), (r"\footnotesize", _TURNED, True),
          (r"\scriptsize", 1.7, True), (r"\tiny", 2.0, True))  # fmt: skip
_WIDE = "@mw<>=+%&#~−×≈"
_PIECES = re.compile(r"[^/_.=,:;(){}|@-]*[/_.=,:;(){}|@-]|[^/_.=,:;(){}|@-]+")


@dataclass(frozen=True)
class LatexLayout:
    """The layout of a table.

    widths: digits of each folded column, None for one as wide as its content. pages: whether the table runs over pages;
    it is then not scaled, and sentences (``below``, numbers of columns) have lines of their own below their rows.
    """

    widths: tuple[float | None, ...]
    size: str = r"\footnotesize"
    landscape: bool = False
    pages: bool = False
    below: tuple[int, ...] = ()
    digit: float = _DIGIT

    def kind(self, column: int, numeric: bool) -> str:
        """The kind of a column for LaTeX."""
        width = self.widths[column]
        return ("r" if numeric else "l") if width is None else (
            r">{\raggedright\arraybackslash}p{" + f"{width * self.digit:.0f}pt" + "}")  # fmt: skip


def layout(table: Table) -> LatexLayout:
    """A layout of at most one page where that is readable, else one that runs over pages."""
    natural = [_natural(table, number) for number in range(len(table.columns))]
    every = tuple(range(len(natural)))
    scaled = [LatexLayout(_widths(table, natural, every, LINE * wider)) for wider in _SCALES]
    fitting = [made for made in scaled if _lines(table, made) <= LINES]
    if fitting:
        return next((made for made in fitting if max([0, *_heights(table, made)]) <= _FOLDS), fitting[-1])
    below = tuple(n for n in every[1:] if table.columns[n].wide and natural[n] > _BESIDE)
    beside = tuple(number for number in every if number not in below)
    for size, share, landscape in _SIZES:
        widths = _widths(table, natural, beside, LINE * share)
        used = sum((natural[n] if widths[n] is None else widths[n]) + GAP for n in beside)
        if used <= LINE * share + 0.1:
            digit = _DIGIT / share * (_TURNED if landscape else 1)
            return LatexLayout(widths, size, landscape, True, below, digit)
    return scaled[-1]


def _widths(table: Table, natural: list[float], shown: tuple[int, ...], line: float) -> tuple[float | None, ...]:
    """Widths of the columns of text that have to be folded; a longer text gets more, in proportion to its root."""
    least = {n: _least(table, n) for n in shown if not table.columns[n].numeric}
    texts = [n for n in least if natural[n] > least[n]]
    room = line - sum(natural[n] for n in shown if n not in texts) - GAP * len(shown)
    found: list[float | None] = [None] * len(natural)
    while texts and sum(natural[n] for n in texts) > room:
        roots = sum(math.sqrt(natural[n]) for n in texts)
        share = {n: room * math.sqrt(natural[n]) / roots for n in texts}
        bound = {n: min(natural[n], max(least[n], share[n])) for n in texts if not least[n] < share[n] < natural[n]}
        for n in bound or share:
            found[n] = None if bound and bound[n] == natural[n] else bound.get(n, share[n])
        texts, room = [n for n in texts if n not in (bound or share)], room - sum(bound.values())
    return tuple(found)


def _least(table: Table, column: int) -> float:
    """The least width of a folded column of text: its longest word, unless that is very long, as an address is."""
    words = (word for row in _measured(table) for word in _text(row, column).split(" "))
    return max(_NARROWEST, min(_WORD, max(map(text_width, [*table.columns[column].title.split(" "), *words]))))


def _measured(table: Table) -> list[Row]:
    return [row for row in table.rows if row.kind not in ("group", "missing")]


def _natural(table: Table, column: int) -> float:
    """The width of a column's longest text in digits."""
    return max(map(text_width, [table.columns[column].title, *(_text(row, column) for row in _measured(table))]))


def _text(row: Row, column: int) -> str:
    """A text with a place for each of its marks."""
    entry = row.entries[column]
    return entry.text + "+" * (len(entry.marks) + bool(entry.caveats))


def _heights(table: Table, made: LatexLayout) -> list[int]:
    """The lines of each measured row."""
    folded = [(n, width) for n, width in enumerate(made.widths) if width is not None]
    return [math.ceil(max([1, *(1.1 * text_width(row.entries[n].text) / width + 0.5 for n, width in folded)]))
            for row in _measured(table)]  # fmt: skip


def _lines(table: Table, made: LatexLayout) -> float:
    """The number of lines on paper, scaled as the table is, and of its notes."""
    used = sum((_natural(table, n) if width is None else width) + GAP for n, width in enumerate(made.widths))
    groups = sum(row.kind == "group" for row in table.rows)
    rows = (sum(_heights(table, made)) + groups) * min(1.0, LINE / used)
    return 4 + rows + sum(map(len, latex_notes(table))) / _LETTERS


def latex_notes(table: Table) -> list[str]:
    """The notes below a table; the caveats of its rows have the marks of the page."""
    badges = dict.fromkeys(c for r in table.rows for e in r.entries for c in e.caveats if has_badge(c))
    marked = [
        *(f"† {caveat}." for caveat in badges),
        *(f"({mark}) {as_sentence(c)}" for c, mark in table.footnotes.items()),
    ]
    return [*table.all_notes, *marked]


def text_width(text: str) -> float:
    """The width of a text in digits of the same font, rounded up."""
    return sum(0.6 if c in ".,:;[]()'|il " else 2.5 if c == "±" else 1.6 if c.isupper() or c in _WIDE else 1.1
               for c in text)  # fmt: skip


def break_words(text: str, width: float) -> list[str]:
    """The text in parts between which a line may end, besides at spaces, so that no word is wider than ``width``."""
    parts = [""]
    for word in re.findall(r"\S+\s*|\s+", text):
        if text_width(word.rstrip()) <= width:
            parts[-1] += word
            continue
        for piece in _PIECES.findall(word):
            while text_width(piece) > width:
                cut = max(1, int(width / 1.7))
                parts.append(piece[:cut])
                piece = piece[cut:]
            parts.append(piece)
        parts.append("")
    return [part for part in parts if part]
