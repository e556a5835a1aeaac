"""Output files of a report: one entry per format, by its name in the folder."""

from __future__ import annotations

from pathlib import Path

from reports.output.figure_files import write_figures
from reports.output.html import write_html
from reports.output.pdf import OutputUnavailable, write_pdf
from reports.report import Report
from reports.tables.export import write_tables

OUTPUTS = {"report.html": write_html, "report.pdf": write_pdf, "tables": write_tables, "figures": write_figures}


def write_outputs(report: Report, folder: Path) -> tuple[list[Path], list[str]]:
    """Write every output into ``folder``; return the paths of report.* and why an output is unavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    unavailable = []
    for name, write in OUTPUTS.items():
        try:
            write(report, folder / name)
        except OutputUnavailable as error:
            unavailable += [] if str(error) in unavailable else [str(error)]
    return [folder / name for name in OUTPUTS if (folder / name).is_file()], unavailable
