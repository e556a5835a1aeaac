"""LaTeX of a table of the report."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from reports.document.blocks import Row, Table, TableCell
from reports.tables.latex_layout import LINE, LatexLayout, break_words, latex_notes, layout
from reports.tables.table_text import TableText

PACKAGES = r"% \usepackage{amssymb,array,booktabs,graphicx}"
_WHOLE = r"@{}>{\raggedright\arraybackslash}p{0.98\linewidth}@{}"  # a cell over all columns
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": "$|$", '"': "''", "−": "$-$", "±": r"$\pm$", "÷": r"$\div$", "×": r"$\times$",
    "≈": r"$\approx$", "≠": r"$\neq$", "★": r"$\star$", "†": r"\dag{}", "–": "--", "—": "---", "“": "``", "”": "''",
    "…": r"\dots{}", "·": r"$\cdot$", "✓": r"$\checkmark$", "✗": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    "«": r"$\ll$", "»": r"$\gg$", "Ð": "D", "ð": "d", "Þ": "Th", "þ": "th", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h",
    "ĸ": "k", "Ŋ": "N", "ŋ": "n", "Ŧ": "T", "ŧ": "t",
    "δ": r"$\delta$", "θ": r"$\theta$", "√": r"$\surd$", "²": r"$^2$", "Δ": r"$\Delta$",
}  # fmt: skip
_NOT_IN_OT1 = "ĄąĘęĮįĿŀŉŲųſ"  # the encoding of LaTeX's standard fonts
_LATEX_BEFORE = {"good": r"$\checkmark$~", "bad": r"$\times$~", "open": "?~"}
_LATEX_AFTER = {"best": r"$^{\star}$", "level": r"$^{\approx}$"}


def escape_latex(text: str) -> str:
    """Escape text for LaTeX; characters that common fonts lack become U+…."""
    return "".join(_LATEX.get(c) or _latin(c) for c in text)


def _latin(character: str) -> str:
    """A character of the standard fonts as it is, others without their accents or as U+…."""
    if ord(character) < 0x180 and character not in _NOT_IN_OT1:
        return character
    ascii_part = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_LATEX.get(c, c) for c in ascii_part) or f"U+{ord(character):04X}"


def to_latex(table: Table) -> TableText:
    """The table in LaTeX with marks and notes; its first line names the packages it needs.

    A table of more than a page is a longtable, whose heading is repeated on each page, turned by 90° if it must be;
    any other is scaled down to the width of a line where its columns cannot be folded so far.
    """
    table = table.without_empty_columns()
    made = layout(table)
    shown = [n for n in range(len(table.columns)) if n not in made.below]
    kinds = "".join(made.kind(n, table.columns[n].numeric) for n in shown)
    titles = _latex_row([escape_latex(column.title) for column in table.columns], made)
    hidden = table.empty_headings
    rows = tuple(None if row.kind == "missing" or n in hidden else _row(row, made, table.footnotes) + "\n"
                 for n, row in enumerate(table.rows))  # fmt: skip
    notes = " ".join(map(escape_latex, latex_notes(table)))
    head, foot = (_longtable if made.pages else _float)(table, made, kinds, titles, notes)
    return TableText("\n".join([*head, ""]), rows, "\n".join([*foot, ""]))


def _float(table: Table, made: LatexLayout, kinds: str, titles: str, notes: str) -> tuple[list[str], list[str]]:
    """The lines before and after the rows of a table on one page."""
    height = r"0.75\textheight"
    head = [PACKAGES, r"\begin{table}", r"\centering" + made.size + r"\setlength{\tabcolsep}{4pt}",
            r"\caption{" + escape_latex(table.caption) + "}", r"\label{tab:" + table.anchor + "}",
            rf"\resizebox*{{!}}{{\ifdim\totalheight>{height}{height}\else\totalheight\fi}}{{%",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            r"\begin{tabular}{" + kinds + "}", r"\toprule", titles, r"\midrule"]  # fmt: skip
    foot = [r"\bottomrule", r"\end{tabular}}}"]
    return head, [
        *foot,
        *([r"\par\smallskip\begin{minipage}{\linewidth}\scriptsize " + notes + r"\end{minipage}"] if notes else []),
        r"\end{table}",
    ]


def _longtable(table: Table, made: LatexLayout, kinds: str, titles: str, notes: str) -> tuple[list[str], list[str]]:
    """The lines before and after the rows of a table over several pages."""
    turned = made.landscape
    columns = len(made.widths) - len(made.below)
    head = [PACKAGES[:-1] + (",longtable,lscape}" if turned else ",longtable}"), *([r"\begin{landscape}"] * turned),
            r"\begingroup" + made.size + r"\setlength{\tabcolsep}{4pt}\setlength{\LTcapwidth}{\linewidth}",
            r"\begin{longtable}{" + kinds + "}",
            r"\caption{" + escape_latex(table.caption) + r"}\label{tab:" + table.anchor + r"}\\",
            r"\toprule", titles, r"\midrule", r"\endfirsthead",
            r"\multicolumn{" + str(columns) + r"}{l}{\emph{Table \thetable{}, continued}} \\",
            r"\toprule", titles, r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"]  # fmt: skip
    foot = [r"\end{longtable}", *([r"\noindent\scriptsize " + notes + r"\par"] if notes else []), r"\endgroup"]
    return head, foot + [r"\end{landscape}"] * turned


def _row(row: Row, made: LatexLayout, marks: Mapping[str, str]) -> str:
    """A row; a heading of a group of rows is one cell over all columns."""
    columns = str(len(made.widths) - len(made.below))
    if row.kind != "group":
        return _latex_row([_latex_cell(entry, made.widths[n], marks) for n, entry in enumerate(row.entries)], made)
    heading = r"\textbf{" + escape_latex(row.entries[0].text) + "}"
    kind = _WHOLE if made.pages else "l"
    return r"\multicolumn{" + columns + "}{" + kind + "}{" + heading + r"} \\" + "*" * made.pages


def _latex_row(cells: list[str], made: LatexLayout) -> str:
    """Cells beside each other, and sentences below them where the layout says so."""
    lines = [" & ".join(cell for n, cell in enumerate(cells) if n not in made.below) + r" \\"]
    columns = str(len(cells) - len(made.below))
    for number in made.below:
        if cells[number]:
            lines[-1] += "*"  # no page ends here
            lines.append(r"\multicolumn{" + columns + "}{" + _WHOLE + "}{" + cells[number] + r"} \\")
    return "\n".join(lines)


def _latex_cell(cell: TableCell, width: float | None, footnotes: Mapping[str, str]) -> str:
    text = r"\allowbreak{}".join(map(escape_latex, break_words(cell.text, width or LINE)))
    if "best" in cell.marks:
        text = r"\textbf{" + text + "}"
    before = "".join(_LATEX_BEFORE.get(mark, "") for mark in cell.marks)
    after = "".join(_LATEX_AFTER.get(mark, "") for mark in cell.marks)
    noted = ", ".join(footnotes[caveat] for caveat in cell.caveats if caveat in footnotes)
    after += (r"\dag{}" if cell.badges else "") + (f"$^{{\\mathrm{{{noted}}}}}$" if noted else "")
    return before + text + after
