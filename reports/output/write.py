"""Output files of a report: one entry per format, by its name in the folder."""

from __future__ import annotations

from pathlib import Path

from recsys_data.atomic_write import write_bytes_atomically
from reports.document.bibtex import bibtex_file
from reports.output.figure_files import write_figures
from reports.output.html import write_html
from reports.output.pdf import OutputUnavailable, write_pdf
from reports.report import Report
from reports.tables.export import write_tables


def write_references(report: Report, path: Path) -> None:
    """Write the BibTeX entries of the paper, the data and Encore."""
    if report.inputs is not None:
        write_bytes_atomically(path, bibtex_file(report.inputs.index.results).encode())


OUTPUTS = {"report.html": write_html, "report.pdf": write_pdf, "tables": write_tables, "figures": write_figures,
           "references.bib": write_references}  # fmt: skip


def write_outputs(report: Report, folder: Path) -> tuple[list[Path], list[str]]:
    """Write every output into ``folder``; return the paths of report.* and why an output is unavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    unavailable = []
    for name, write in OUTPUTS.items():
        try:
            write(report, folder / name)
        except OutputUnavailable as error:
            unavailable += [] if str(error) in unavailable else [str(error)]
    return [folder / name for name in OUTPUTS if name.startswith("report.") and (folder / name).is_file()], unavailable
