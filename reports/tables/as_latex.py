"""LaTeX of a table of the report."""

from __future__ import annotations

import unicodedata

from reports.document.blocks import Row, Table, TableCell
from reports.tables.table_text import TableText

PACKAGES = r"% \usepackage{amssymb,booktabs,graphicx}"
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
    """The table as a LaTeX table environment with marks and notes; it needs amssymb, booktabs and graphicx."""
    kinds = "".join("r" if c.numeric else "p{6cm}" if c.wide else "l" for c in table.columns)
    head = [PACKAGES, r"\begin{table}", r"\centering", r"\caption{" + escape_latex(table.caption) + "}",
            r"\label{tab:" + table.anchor + "}", r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            r"\begin{tabular}{" + kinds + "}", r"\toprule",
            " & ".join(escape_latex(c.title) for c in table.columns) + r" \\", r"\midrule"]  # fmt: skip
    foot = [r"\bottomrule", r"\end{tabular}}"]
    caveats = dict.fromkeys(s for r in table.rows for e in r.entries for s in e.caveats)
    notes = [*table.all_notes, *(f"† {caveat}." for caveat in caveats)]
    if notes:
        foot.append(r"\par\smallskip\footnotesize " + " ".join(escape_latex(note) for note in notes))
    rows = tuple(None if line.kind == "missing" else _latex_row(line, len(table.columns)) + "\n" for line in table.rows)
    return TableText("\n".join([*head, ""]), rows, "\n".join([*foot, r"\end{table}", ""]))


def _latex_row(line: Row, columns: int) -> str:
    if line.kind == "group":
        return r"\multicolumn{" + str(columns) + r"}{l}{\textbf{" + escape_latex(line.entries[0].text) + r"}} \\"
    return " & ".join(_latex_cell(entry) for entry in line.entries) + r" \\"


def _latex_cell(cell: TableCell) -> str:
    text = escape_latex(cell.text)
    if "best" in cell.marks:
        text = r"\textbf{" + text + "}"
    before = "".join(_LATEX_BEFORE.get(mark, "") for mark in cell.marks)
    after = "".join(_LATEX_AFTER.get(mark, "") for mark in cell.marks)
    return before + text + after + (r"\dag{}" if cell.caveats else "")
