"""CSV and LaTeX of a table, for files and for the copy buttons of the page."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys_data.atomic_write import write_bytes_atomically
from reports.document.blocks import Row, Table, TableCell
from reports.report import Report

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "−": "$-$", "±": r"$\pm$", "÷": r"$\div$", "×": r"$\times$",
    "≈": r"$\approx$", "≠": r"$\neq$", "★": r"$\star$", "†": r"\dag{}", "–": "--", "—": "---", "“": "``", "”": "''",
    "…": r"\dots{}", "·": r"$\cdot$", "✓": r"$\checkmark$", "✗": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    "δ": r"$\delta$", "θ": r"$\theta$", "√": r"$\surd$", "²": r"$^2$", "Δ": r"$\Delta$",
}  # fmt: skip
_LATEX_BEFORE = {"good": r"$\checkmark$~", "bad": r"$\times$~", "open": "?~"}
_LATEX_AFTER = {"best": r"$^{\star}$", "level": r"$^{\approx}$"}


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # with their wide forms
_ABOUT_CSV = """Numbers are not rounded. An apostrophe before a text that begins with = + - or @ keeps spreadsheets from
computing it as a formula; it is not part of the text."""


@dataclass(frozen=True)
class TableText:
    """A table in a text format, in parts, so that a page can copy the rows it shows.

    rows: one text per row of the table, each with its line end; None for a row without a line of its own.
    """

    head: str
    rows: tuple[str | None, ...]
    foot: str = ""

    def __str__(self) -> str:
        return self.head + "".join(row for row in self.rows if row is not None) + self.foot


def write_csv(report: Report, folder: Path) -> None:
    """Write one CSV file per table, named after its anchor, and an index of them."""
    folder.mkdir(parents=True, exist_ok=True)
    index = [f"# Tables of the report on {report.suite}", "", _ABOUT_CSV, ""]
    for table in report.tables():
        write_bytes_atomically(folder / f"{table.anchor}.csv", str(to_csv(table)).encode())
        index.append(f"- `{table.anchor}.csv`: {table.caption}")
    write_bytes_atomically(folder / "README.md", ("\n".join(index) + "\n").encode())


def to_csv(table: Table) -> TableText:
    """The table as CSV with unrounded values."""
    head, *rows = [None if values is None else _csv_line(values) for values in csv_rows(table)]
    return TableText(head, tuple(rows))


def _csv_line(values: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_inert(value) for value in values])
    return line.getvalue()


def _inert(value: Any) -> Any:
    """The value, or a text that a spreadsheet would take for a formula behind an apostrophe; numbers stay numbers."""
    if not isinstance(value, str) or not value.startswith(_FORMULA_STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def csv_rows(table: Table) -> list[list[Any] | None]:
    """The heading, then the unrounded values of each row; None for a group heading, which fills a first column.

    A column with intervals is followed by ``…_low`` and ``…_high``; ``caveats`` holds the caveats of the row.
    """
    ranged = [any(r.kind != "group" and r.entries[n].low is not None for r in table.rows)
              for n in range(len(table.columns))]  # fmt: skip
    grouped = any(r.kind == "group" for r in table.rows)
    has_caveats = bool(table.caveats) or any(e.caveats for r in table.rows for e in r.entries)
    head = ["group"] if grouped else []
    for column, is_ranged in zip(table.columns, ranged, strict=True):
        head += [column.key, f"{column.key}_low", f"{column.key}_high"] if is_ranged else [column.key]
    rows: list[list[Any] | None] = [head + (["caveats"] if has_caveats else [])]
    group = ""
    for line in table.rows:
        if line.kind == "group":
            group = line.entries[0].text
            rows.append(None)
            continue
        values: list[Any] = [group] if grouped else []
        for entry, is_ranged in zip(line.entries, ranged, strict=True):
            values.append(entry.text if entry.value is None else entry.value)
            values += [entry.low, entry.high] if is_ranged else []
        caveats = dict.fromkeys([*table.caveats, *(s for e in line.entries for s in e.caveats)])
        rows.append(values + (["; ".join(caveats)] if has_caveats else []))
    return rows


def escape_latex(text: str) -> str:
    """Escape text for LaTeX; characters that common fonts lack become U+…."""
    return "".join(_LATEX.get(c) or _latin(c) for c in text)


def _latin(character: str) -> str:
    """A character of T1 fonts as it is, others without their accents or as U+…."""
    if ord(character) < 0x180:
        return character
    ascii_part = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_LATEX.get(c, c) for c in ascii_part) or f"U+{ord(character):04X}"


def to_latex(table: Table) -> TableText:
    """The table as a LaTeX table environment with marks and notes; it needs amssymb, booktabs and graphicx."""
    kinds = "".join("r" if c.numeric else "p{6cm}" if c.wide else "l" for c in table.columns)
    head = [r"\begin{table}", r"\centering", r"\caption{" + escape_latex(table.caption) + "}",
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
