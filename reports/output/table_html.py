"""Table rows as HTML, without templates: a large report has tens of thousands of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from reports.document.blocks import Column, Row, TableCell
from reports.figures import palette

_MARKS = {"best": ("★", "best"), "level": ("≈", "not significantly different from the best")}  # symbol, spoken text


def row_html(
    row: Row, columns: Sequence[Column], footnotes: Mapping[str, str], *, paper: bool, sortable: bool
) -> Markup:
    """A row heading for the first entry and a cell for each other one.

    On paper only the first of the links to the same runs is kept, and none to files. Cells of a sortable table hold
    their sort value.
    """
    link = row.entries[0].link
    parts = [_cell_html(entry, column, "td" if n else "th", not (paper and n > 0 and entry.link == link), sortable,
                        footnotes, not paper)
             for n, (entry, column) in enumerate(zip(row.entries, columns, strict=True))]  # fmt: skip
    return Markup("\n".join(parts))


def full_value(cell: TableCell) -> str:
    """The unrounded value of a cell for hover and focus; empty where the text is complete."""
    if cell.exact:
        return cell.exact
    if not isinstance(cell.value, int | float) or isinstance(cell.value, bool):
        return ""
    value = f"{cell.value:,}" if isinstance(cell.value, int) else f"{cell.value:.10g}"
    if cell.low is not None and cell.high is not None:
        value += f" [{cell.low:.8g}, {cell.high:.8g}]"
    return "" if value == cell.text else value


def swatch_html(cell: TableCell) -> Markup:
    """The model's marker in its colour; empty for a cell without a model."""
    if cell.color is None:
        return Markup("")
    number, marker = cell.color % len(palette.COLORS), escape(palette.marker_char(cell.color))
    return Markup(f'<span class="swatch m{number}" aria-hidden="true">{marker}</span>&nbsp;')


def badges_html(badges: Sequence[str]) -> Markup:
    """The badges beside a name."""
    return Markup("").join(Markup(' <span class="badge">{}</span>').format(badge) for badge in badges)


def _cell_html(
    cell: TableCell, column: Column, tag: str, linked: bool, sortable: bool, footnotes: Mapping[str, str], files: bool
) -> str:
    classes = [*(["number"] if column.numeric else []), *(["wide"] if column.wide else []), *cell.marks]
    start = tag + (' scope="row"' if tag == "th" else "")
    if classes:
        start += f' class="{escape(" ".join(classes))}"'
    if sortable and cell.value is not None:
        start += f' data-sort="{escape(cell.value)}"'
    text, full = escape(cell.text), full_value(cell)
    tooltip = f' data-exact="{escape(full)}"' if full else ""
    if cell.link and linked and cell.text not in ("–", ""):
        text = f'<a href="#{escape(cell.link)}"{tooltip}>{text}</a>'
    elif cell.href and files:
        text = f'<a href="{escape(cell.href)}"{tooltip}>{text}</a>'
    elif full and cell.text:
        text = f'<span{tooltip} tabindex="0">{text}</span>'
    marks = f"{''.join(map(_mark_html, cell.marks))}{footnotes_html(cell, footnotes)}"
    return f"<{start}>{swatch_html(cell)}{text}{marks}{badges_html(cell.badges)}</{tag}>"


def footnotes_html(cell: TableCell, footnotes: Mapping[str, str]) -> Markup:
    """The marks of a cell's footnotes."""
    marks = [footnotes[caveat] for caveat in cell.caveats if caveat in footnotes]
    return Markup('<sup class="note">{}</sup>').format(", ".join(marks)) if marks else Markup("")


def _mark_html(mark: str) -> str:
    """A mark as a symbol, with text for screen readers; empty for marks that only style their cell."""
    if mark not in _MARKS:
        return ""
    symbol, spoken = _MARKS[mark]
    symbol = f'<span aria-hidden="true">{symbol}</span>'
    return f'<span class="mark">{symbol}<span class="visually-hidden"> ({spoken})</span></span>'
