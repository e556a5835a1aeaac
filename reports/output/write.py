"""The shelf: a report's files in one folder, each put there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from recsys_data.atomic_write import write_bytes_atomically
from reports.output.export import write_csv
from reports.output.html import render_html
from reports.output.pdf import OutputUnavailable, write_pdf
from reports.report import Report


def put(report: Report, folder: Path) -> tuple[list[Path], str]:
    """Write report.html, report.pdf and tables/*.csv; the paths of the first two, and why there is no PDF, if so."""
    folder.mkdir(parents=True, exist_ok=True)
    html, pdf = folder / "report.html", folder / "report.pdf"
    write_bytes_atomically(html, render_html(report).encode())
    write_csv(report, folder / "tables")
    try:
        write_pdf(report, pdf)
    except OutputUnavailable as error:
        return [html], str(error)
    return [html, pdf], ""
