"""LaTeX and Markdown of a PaperTable."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Sequence

from reports.tables.as_latex import escape_latex
from reports.tables.as_markdown import escape_markdown, markdown_line
from reports.tables.latex_layout import GAP, LINE, LINES, text_width
from reports.tables.paper_table import PaperCell, PaperRow, PaperTable

_LONGEST_NAME = 28  # of a model, in letters; longer names are folded
_NOTE_LETTERS, _SPARE = 110, 6  # in a line of the notes; lines that a page has beside the table and its caption
_SIGNS = {"*": "^{*}", "−": "^{-}"}


def paper_latex(table: PaperTable) -> str:
    """The table as LaTeX that needs the package booktabs alone and is no wider than a page.

    Columns that do not fit beside each other are continued in further blocks, and on further pages.
    """
    pages: list[list[str]] = [[]]
    room = LINES
    for height, block in _blocks(table, LINES):
        if height > room and pages[-1]:
            pages.append([])
            room = LINES
        pages[-1].append(block)
        room -= height
    notes = " ".join(map(_latex_note, table.notes))
    if math.ceil(len(notes) / _NOTE_LETTERS) > room + _SPARE:
        pages.append([])  # of notes alone
    lines = [r"% \usepackage{booktabs}"]
    for number, page in enumerate(pages, start=1):
        more = " (continued)" if number > 1 else ""
        lines += [r"\begin{table}", r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
                  r"\caption{" + escape_latex(table.caption + more) + "}",
                  r"\label{" + table.label + (f"-{number}" if number > 1 else "") + "}",
                  "\n\\par\\medskip\n".join(page)]  # fmt: skip
        if number == len(pages):
            lines.append(r"\par\smallskip\begin{minipage}{\linewidth}\scriptsize " + notes + r"\end{minipage}")
        lines.append(r"\end{table}")
    return "\n".join([*lines, ""])


def _blocks(table: PaperTable, lines: int) -> Iterator[tuple[int, str]]:
    """The tabulars of the table, each with its number of lines; one that is longer than a page is continued."""
    for part in _parts(table):
        head = 4 + max(len(_folded_heading(table, group)) for group in _groups(table, part))
        rows, used = [], head
        for row in table.rows:
            if all(row.cells[n] is None for n in part):
                continue
            height = len(_folded_name(row))
            if rows and used + height > lines:
                yield used, _block(table, part, rows)
                rows, used = [], head
            rows.append(row)
            used += height
        yield used, _block(table, part, rows)


def _latex_note(note: str) -> str:
    return escape_latex(note).replace("* significantly", "$^{*}$ significantly").replace(
        "$-$ significantly", "$^{-}$ significantly")  # fmt: skip


def _parts(table: PaperTable) -> Iterator[list[int]]:
    """The numbers of the columns of each block, as many as fit beside the names; a data set is split if it must be."""
    start = GAP + max(text_width(line) for row in table.rows for line in textwrap.wrap(f"{row.model}+", _LONGEST_NAME))
    part: list[int] = []
    used = start
    for group in _groups(table, range(len(table.columns))):
        widths = {number: _column_width(table, number) + GAP for number in group}
        if part and used + sum(widths.values()) > LINE:
            yield part
            part, used = [], start
        for number in group:
            if part and used + widths[number] > LINE:
                yield part
                part, used = [], start
            part.append(number)
            used += widths[number]
    yield part


def _groups(table: PaperTable, numbers: Sequence[int]) -> Iterator[list[int]]:
    """The columns by data set."""
    for _, group in itertools.groupby(numbers, key=lambda number: table.columns[number].dataset):
        yield list(group)


def _column_width(table: PaperTable, number: int) -> float:
    """The width of a column in digits."""
    cells = [row.cells[number] for row in table.rows]
    texts = [f"{cell.value} {cell.uncertainty}{cell.sign}" for cell in cells if cell is not None]
    return max(map(text_width, [table.columns[number].metric, *texts]))


def _folded_heading(table: PaperTable, group: Sequence[int]) -> list[str]:
    """The name of the data set of some columns, in lines as wide as they are."""
    letters = sum(_column_width(table, number) + GAP for number in group) / 1.2
    return textwrap.wrap(table.columns[group[0]].dataset, max(8, int(letters)))


def _block(table: PaperTable, part: Sequence[int], rows: Sequence[PaperRow]) -> str:
    """A tabular of some columns and rows, with the data sets above the metrics."""
    lines = [r"\begin{tabular}{l" + "r" * len(part) + "}", r"\toprule"]
    heads, rules, column = [], [], 2
    for group in _groups(table, part):
        title = r"\\".join(map(escape_latex, _folded_heading(table, group)))
        heads.append(r"\multicolumn{" + str(len(group)) + r"}{c}{\shortstack{" + title + "}}")
        rules.append(rf"\cmidrule(lr){{{column}-{column + len(group) - 1}}}")
        column += len(group)
    lines += [" & ".join(["", *heads]) + r" \\", "".join(rules)]
    lines += [" & ".join(["Model", *(escape_latex(table.columns[n].metric) for n in part)]) + r" \\", r"\midrule"]
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and before.baseline != row.baseline:
            lines.append(r"\midrule")
        lines.append(" & ".join([_latex_name(row), *(_latex_cell(row.cells[n]) for n in part)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _folded_name(row: PaperRow) -> list[str]:
    """A model's name in lines."""
    return textwrap.wrap(row.model, _LONGEST_NAME) or [""]


def _latex_name(row: PaperRow) -> str:
    """A model's name, folded if it is long."""
    folded = list(map(escape_latex, _folded_name(row)))
    folded[-1] += r"\dag" if row.has_caveat else ""
    if len(folded) == 1:
        return folded[0]
    return r"\begin{tabular}[t]{@{}l@{}}" + r"\\".join(folded) + r"\end{tabular}"


def _latex_cell(cell: PaperCell | None) -> str:
    if cell is None:
        return "--"
    value = escape_latex(cell.value)
    value = {1: r"\textbf{" + value + "}", 2: r"\underline{" + value + "}"}.get(cell.place, value)
    sign = f"${_SIGNS[cell.sign]}$" if cell.sign else ""
    return value + sign + (f" {escape_latex(cell.uncertainty)}" if cell.uncertainty else "")


def paper_markdown(table: PaperTable) -> str:
    """The table as Markdown, which has one line of titles."""
    several = len({column.dataset for column in table.columns}) > 1
    titles = [f"{column.dataset}: {column.metric}" if several else column.metric for column in table.columns]
    lines = [markdown_line(["Model", *map(escape_markdown, titles)]), markdown_line([":---", *["---:"] * len(titles)])]
    for row in table.rows:
        name = escape_markdown(row.model) + ("†" if row.has_caveat else "")
        lines.append(markdown_line([name, *map(_markdown_cell, row.cells)]))
    where = "" if several else f" ({table.columns[0].dataset})"
    caption, notes = escape_markdown(table.caption + where), escape_markdown(" ".join(table.notes))
    return f"**{caption}**\n\n{''.join(lines)}\n{notes}\n"


def _markdown_cell(cell: PaperCell | None) -> str:
    if cell is None:
        return "–"
    value = {1: f"**{cell.value}**", 2: f"<u>{cell.value}</u>"}.get(cell.place, cell.value)
    sign = f"<sup>{escape_markdown(cell.sign)}</sup>" if cell.sign else ""
    return value + sign + (f" {escape_markdown(cell.uncertainty)}" if cell.uncertainty else "")
