"""Export of a suite's tables: what is asked for, in one format, as text or as a folder of files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evaluation.frames import Record
from recsys_data.atomic_write import write_bytes_atomically
from recsys_data.printable import map_texts, printable
from reports.document.blocks import Table
from reports.report import Report
from reports.tables.as_csv import csv_line, csv_lines, to_csv
from reports.tables.as_latex import to_latex
from reports.tables.as_markdown import to_markdown
from reports.tables.paper_table import UNCERTAINTIES, paper_table
from reports.tables.paper_text import paper_latex, paper_markdown
from reports.tables.table_text import TableText
from reports.tables.tidy_records import ABOUT, RECORDS

FORMATS = ("latex", "markdown", "csv", "json")
TEXTS: dict[str, Callable[[Table], TableText]] = {"csv": to_csv, "latex": to_latex, "markdown": to_markdown}
_PAPER = {"latex": paper_latex, "markdown": paper_markdown}
_ABOUT_CSV = """Numbers are not rounded, an empty field is a missing value, and an apostrophe before a text that begins
with = + - or @ keeps spreadsheets from computing it as a formula; it is not part of the text."""


def check_request(format: str, uncertainty: str) -> None:
    """Raise ValueError for an unknown format or uncertainty."""
    for what, given, known in (("format", format, FORMATS), ("uncertainty", uncertainty, UNCERTAINTIES)):
        if given not in known:
            raise ValueError(f"the {what} is one of {', '.join(known)}, got {given!r}")


def export_text(report: Report, format: str, table: str = "main", uncertainty: str = "sd") -> str:
    """A table, or several, in one of FORMATS.

    table: "main", "verdicts", "all", the name of one of the tidy tables, or that of a table of the report. A CSV text
    holds one table; "main" is then the means and "verdicts" the verdicts. Raises ValueError for another name.
    """
    check_request(format, uncertainty)
    if format == "json":
        found = {name: _records(report, name) for name in _names(report, table)}
        return _json(found if table == "all" else next(iter(found.values())))
    if table == "all" and format == "csv":
        raise ValueError("all tables are several CSV files: name their folder with --out FOLDER")
    if format == "csv":
        return _csv(report, *_names(report, table))
    if table == "main":
        return _paper(report, format, uncertainty)
    if table == "all":
        between = "\\clearpage  % LaTeX holds a few tables at once\n" if format == "latex" else "\n"
        return between.join([_paper(report, format, uncertainty), *(str(TEXTS[format](t)) for t in report.tables())])
    if table == "verdicts":
        section = report.section("verdicts")
        if section is None:
            raise ValueError(f"{report.suite} has no published numbers and no claims, so there are no verdicts")
        return "\n".join(str(TEXTS[format](found)) for found in section.tables)
    [name] = _names(report, table)
    if name in RECORDS:
        raise ValueError(f"the table {name!r} has a row per value: export it as csv or json")
    return str(TEXTS[format](_table(report, name)))


def write_tables(report: Report, folder: Path) -> None:
    """Write the main table as LaTeX and Markdown, every other table as CSV, and an index of them."""
    folder.mkdir(parents=True, exist_ok=True)
    texts, index = {}, [f"# Tables of the report on {report.suite}", "", _ABOUT_CSV, ""]
    if any(table.models for table in report.inputs.comparisons):
        texts |= {"main.tex": _paper(report, "latex"), "main.md": _paper(report, "markdown")}
        index.append("- `main.tex`, `main.md`: the table of a paper, models × (data sets × metrics)")
    for name, about in ABOUT.items():
        texts[f"{name}.csv"] = _csv(report, name)
        index.append(f"- `{name}.csv`: {about}")
    index += ["", "The tables of the report, as its copy buttons give them:", ""]
    for table in report.tables():
        texts[f"{table.anchor}.csv"] = str(to_csv(table))
        index.append(f"- `{table.anchor}.csv`: {table.caption}")
    for name, text in (texts | {"README.md": "\n".join([*index, ""])}).items():
        write_bytes_atomically(folder / name, text.encode())


def _names(report: Report, table: str) -> list[str]:
    """The tables that a name stands for."""
    anchors = [found.anchor for found in report.tables()]
    names = {"main": ["means"], "all": [*RECORDS, *anchors], **{name: [name] for name in (*RECORDS, *anchors)}}
    if table not in names:
        raise ValueError(f"{report.suite} has no table {table!r}: it has {', '.join(names)}")
    return names[table]


def _table(report: Report, anchor: str) -> Table:
    return next(table for table in report.tables() if table.anchor == anchor)


def _paper(report: Report, format: str, uncertainty: str = "sd") -> str:
    return _PAPER[format](map_texts(printable, paper_table(report.inputs, uncertainty)))


def _csv(report: Report, name: str) -> str:
    """A table as CSV."""
    if name not in RECORDS:
        return str(to_csv(_table(report, name)))
    records = _records(report, name)
    head = [csv_line(list(records[0]))] if records else []
    return "".join([*head, *(csv_line(list(record.values())) for record in records)])


def _records(report: Report, name: str) -> list[Record]:
    """A table as one record per line of its CSV file."""
    if name in RECORDS:
        return [{key: _plain(value) for key, value in map_texts(printable, record).items()}
                for record in RECORDS[name](report.inputs)]  # fmt: skip
    head, rows = csv_lines(_table(report, name))
    return [dict(zip(head, map(_plain, line), strict=True)) for lines in rows for line in lines]


def _plain(value: Any) -> Any:
    """A missing value instead of a number that is not finite, which JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(found: dict[str, Sequence[Record]] | Sequence[Record]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
