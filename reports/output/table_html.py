"""Cells: the entries of a table's row as HTML; a large report has tens of thousands, too many for a template."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from reports.document.blocks import Column, Row, TableCell
from reports.figures import palette

_WORDS = {"best": "best", "level": "not separable from the best"}
_SIGNS = {"best": "★", "level": "≈"}


def cells(row: Row, columns: Sequence[Column], *, paper: bool, sortable: bool) -> Markup:
    """A heading for the first entry and a cell for each other one.

    On paper one link a row is enough for all that is from the same runs. Where rows can be sorted, a cell says by what.
    """
    link = row.entries[0].link
    told = [_cell(entry, column, "td" if n else "th", paper and n > 0 and entry.link == link, sortable)
            for n, (entry, column) in enumerate(zip(row.entries, columns, strict=True))]  # fmt: skip
    return Markup("\n".join(told))


def exact(entry: TableCell) -> str:
    """The full value of an entry, for hover and focus; empty where the text says it all."""
    if entry.exact:
        return entry.exact
    if not isinstance(entry.value, int | float) or isinstance(entry.value, bool):
        return ""
    value = f"{entry.value:,}" if isinstance(entry.value, int) else f"{entry.value:.10g}"
    if entry.low is not None and entry.high is not None:
        value += f" [{entry.low:.8g}, {entry.high:.8g}]"
    return "" if value == entry.text else value


def swatch(entry: TableCell) -> Markup:
    """The mark of a model's colour, empty for an entry that is no model."""
    if entry.color is None:
        return Markup("")
    number, sign = entry.color % len(palette.COLORS), escape(palette.sign(entry.color))
    return Markup(f'<span class="swatch m{number}" aria-hidden="true">{sign}</span> ')


def badges(caveats: Sequence[str]) -> Markup:
    """The caveats beside a name."""
    return Markup("").join(Markup(' <span class="badge">{}</span>').format(caveat) for caveat in caveats)


def _cell(entry: TableCell, column: Column, tag: str, plain: bool, sortable: bool) -> str:
    kinds = [*(["number"] if column.numeric else []), *(["wide"] if column.wide else []), *entry.marks]
    opened = tag + (' scope="row"' if tag == "th" else "")
    if kinds:
        opened += f' class="{escape(" ".join(kinds))}"'
    if sortable and entry.value is not None:
        opened += f' data-sort="{escape(entry.value)}"'
    text, full = escape(entry.text), exact(entry)
    told = f' data-exact="{escape(full)}"' if full else ""
    if entry.link and not plain and entry.text not in ("–", ""):
        text = f'<a href="#{escape(entry.link)}"{told}>{text}</a>'
    elif full and entry.text:
        text = f'<span{told} tabindex="0">{text}</span>'
    return f"<{opened}>{swatch(entry)}{text}{''.join(map(_mark, entry.marks))}{badges(entry.badges)}</{tag}>"


def _mark(mark: str) -> str:
    """What a mark looks like, and in words for those who hear it; most only colour their cell."""
    if mark not in _SIGNS:
        return ""
    sign = f'<span aria-hidden="true">{_SIGNS[mark]}</span>'
    return f'<span class="mark">{sign}<span class="unseen"> ({_WORDS[mark]})</span></span>'
