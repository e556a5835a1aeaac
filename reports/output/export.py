"""CSV, LaTeX, Markdown and JSON of a report: the same tables for spreadsheets, papers, issues and programs."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from pathlib import Path
from typing import Any

from recsys_data.atomic_write import write_bytes_atomically
from reports.document.blocks import Column, Row, Table, TableCell
from reports.report import Report

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "−": "$-$", "±": r"$\pm$", "÷": r"$\div$", "×": r"$\times$",
    "≈": r"$\approx$", "≠": r"$\neq$", "★": r"$\star$", "†": r"\dag{}", "–": "--", "—": "---", "“": "``", "”": "''",
    "…": r"\dots{}", "·": r"$\cdot$", "✓": r"$\checkmark$", "✗": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    "δ": r"$\delta$", "θ": r"$\theta$", "√": r"$\surd$", "²": r"$^2$", "Δ": r"$\Delta$",
}  # fmt: skip
_LATEX_MARKS = {
    "best": r"$^{\star}$",
    "level": r"$^{\approx}$",
    "good": r"$\checkmark$~",
    "bad": r"$\times$~",
    "open": "?~",
}
_MARKDOWN_MARKS = {"best": " ★", "level": " ≈", "good": "✓ ", "bad": "✗ ", "open": "? "}
_BEFORE = ("good", "bad", "open")


def write_csv(report: Report, folder: Path) -> list[Path]:
    """Write one CSV a table, named after it, with unrounded values; return the paths.

    A column with intervals is followed by its ``…_low`` and ``…_high``; ``caveats`` holds what must stand beside a row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for table in report.tables():
        path = folder / f"{table.anchor}.csv"
        text = io.StringIO()
        csv.writer(text).writerows(csv_rows(table))
        write_bytes_atomically(path, text.getvalue().encode())
        paths.append(path)
    return paths


def csv_rows(table: Table) -> list[list[Any]]:
    """A heading and a row of plain values for each row; group headings become a first column."""
    ranged = [any(r.kind != "group" and r.entries[n].low is not None for r in table.rows)
              for n in range(len(table.columns))]  # fmt: skip
    grouped = any(r.kind == "group" for r in table.rows)
    has_caveats = bool(table.caveats) or any(e.caveats for r in table.rows for e in r.entries)
    head = ["group"] if grouped else []
    for column, wide in zip(table.columns, ranged, strict=True):
        head += [column.key, f"{column.key}_low", f"{column.key}_high"] if wide else [column.key]
    rows: list[list[Any]] = [head + (["caveats"] if has_caveats else [])]
    group = ""
    for line in table.rows:
        if line.kind == "group":
            group = line.entries[0].text
            continue
        values: list[Any] = [group] if grouped else []
        for entry, wide in zip(line.entries, ranged, strict=True):
            values.append(entry.text if entry.value is None else entry.value)
            values += [entry.low, entry.high] if wide else []
        caveats = dict.fromkeys([*table.caveats, *(s for e in line.entries for s in e.caveats)])
        rows.append(values + (["; ".join(caveats)] if has_caveats else []))
    return rows


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it is; what no usual font holds is given by its code."""
    return "".join(_LATEX.get(c) or _latin(c) for c in text)


def _latin(character: str) -> str:
    """A character that T1 fonts have; others without their accents, or as U+…."""
    if ord(character) < 0x180:
        return character
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_LATEX.get(c, c) for c in plain) or f"U+{ord(character):04X}"


def latex_table(table: Table) -> str:
    """A table environment with booktabs rules, marks and notes."""
    kinds = "".join("r" if c.numeric else "p{6cm}" if c.wide else "l" for c in table.columns)
    lines = [r"\begin{table}", r"\centering", r"\caption{" + latex_text(table.caption) + "}",
             r"\label{tab:" + table.anchor + "}", r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
             r"\begin{tabular}{" + kinds + "}", r"\toprule",
             " & ".join(latex_text(c.title) for c in table.columns) + r" \\", r"\midrule"]  # fmt: skip
    lines += [_latex_row(line, len(table.columns)) for line in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}}"]
    notes = [*table.all_notes, *_caveat_notes(table)]
    if notes:
        lines.append(r"\par\smallskip\footnotesize " + " ".join(latex_text(note) for note in notes))
    return "\n".join([*lines, r"\end{table}", ""])


def _latex_row(line: Row, columns: int) -> str:
    if line.kind == "group":
        return r"\multicolumn{" + str(columns) + r"}{l}{\textbf{" + latex_text(line.entries[0].text) + r"}} \\"
    return " & ".join(_latex_entry(entry) for entry in line.entries) + r" \\"


def _latex_entry(entry: TableCell) -> str:
    text = latex_text(entry.text)
    if "best" in entry.marks:
        text = r"\textbf{" + text + "}"
    before = "".join(_LATEX_MARKS[m] for m in entry.marks if m in _BEFORE)
    after = "".join(_LATEX_MARKS[m] for m in entry.marks if m in ("best", "level"))
    return before + text + after + (r"\dag{}" if entry.caveats else "")


def _caveat_notes(table: Table) -> list[str]:
    """† and every caveat of the table, once."""
    caveats = dict.fromkeys(s for r in table.rows for e in r.entries for s in e.caveats)
    return [f"† {caveat}." for caveat in caveats]


def write_latex(report: Report, folder: Path) -> list[Path]:
    """Write one .tex a table, and all.tex, a document that holds them all and compiles as it is; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for table in report.tables():
        paths.append(folder / f"{table.anchor}.tex")
        paths[-1].write_text(latex_table(table), encoding="utf-8")
    head = [r"\documentclass{article}", r"\usepackage[T1]{fontenc}", r"\usepackage[utf8]{inputenc}",
            r"\usepackage[a4paper,margin=2cm]{geometry}", r"\usepackage{amssymb,booktabs,graphicx}",
            r"\title{" + latex_text(report.title) + "}", r"\date{" + latex_text(report.created[:10]) + "}",
            r"\begin{document}", r"\maketitle"]  # fmt: skip
    head += [r"\textbf{" + latex_text(caveat) + r"}\par" for caveat in report.caveats]
    body = [rf"\input{{{path.name}}}" + "\n" + r"\clearpage" for path in paths]
    paths.append(folder / "all.tex")
    paths[-1].write_text("\n".join([*head, *body, r"\end{document}", ""]), encoding="utf-8")
    return paths


def markdown(report: Report) -> str:
    """The report's words and tables as Markdown."""
    lines = [f"# {_md(report.title)}", ""]
    lines += [_md(report.paper), ""] if report.paper else []
    lines += [f"**{_md(caveat)}**\n" for caveat in report.caveats]
    lines += [f"- {_md(name)}: {_md(value)}" for name, value in report.facts]
    for section in report.sections:
        lines += ["", f"## {_md(section.title)}"]
        for block in section.blocks:
            if block.block == "table":
                lines += ["", *markdown_table(block)]
            elif block.block == "text":
                lines += ["", f"### {_md(block.heading)}"] if block.heading else []
                lines += [f"\n{_md(paragraph)}" for paragraph in block.paragraphs]
    return "\n".join(lines) + "\n"


def markdown_table(table: Table) -> list[str]:
    """The lines of one table: caption, pipes, notes."""

    def rule(column: Column) -> str:
        return "---:" if column.numeric else "---"

    lines = [f"**{_md(table.caption)}**", "", "| " + " | ".join(_md(c.title) for c in table.columns) + " |",
             "| " + " | ".join(rule(c) for c in table.columns) + " |"]  # fmt: skip
    for line in table.rows:
        if line.kind == "group":
            lines.append(f"| **{_md(line.entries[0].text)}** |" + " |" * (len(table.columns) - 1))
        else:
            lines.append("| " + " | ".join(_markdown_entry(entry) for entry in line.entries) + " |")
    return [*lines, *(f"\n{_md(note)}" for note in [*table.all_notes, *_caveat_notes(table)])]


def _markdown_entry(entry: TableCell) -> str:
    before = "".join(_MARKDOWN_MARKS[m] for m in entry.marks if m in _BEFORE)
    after = "".join(_MARKDOWN_MARKS[m] for m in entry.marks if m in ("best", "level"))
    text = f"**{_md(entry.text)}**" if "best" in entry.marks else _md(entry.text)
    return before + text + after + (" †" if entry.caveats else "")


def _md(text: str) -> str:
    """Text without any meaning to Markdown or HTML, on one line."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", line)


def to_json(report: Report) -> str:
    """The whole report as valid JSON; what is undefined is null."""
    return json.dumps(_finite(report.record()), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The same data with null for NaN and infinities."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
