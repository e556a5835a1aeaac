"""Figures of a report as files: each as SVG and, where the PDF engine is installed, as PDF."""

from __future__ import annotations

from pathlib import Path

from recsys_data.atomic_write import write_bytes_atomically
from reports.document.blocks import Figure
from reports.figures.cached import figure_svg
from reports.figures.svg import remove_transparency
from reports.output.pdf import pdf_of_each, require_engine
from reports.report import Report

_NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'


def write_figures(report: Report, folder: Path) -> None:
    """Write every figure as <anchor>.svg and <anchor>.pdf; the same report gives the same bytes.

    Raises OutputUnavailable, after the SVG files, if a library for PDF is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {block.anchor: remove_transparency(figure_svg(block, report.cache))
             for section in report.sections for block in section.blocks if isinstance(block, Figure)}  # fmt: skip
    for anchor, svg in drawn.items():
        write_bytes_atomically(folder / f"{anchor}.svg", svg.replace("<svg ", f"<svg {_NAMESPACE} ", 1).encode())
    require_engine()
    for anchor, data in pdf_of_each(drawn, report).items():
        write_bytes_atomically(folder / f"{anchor}.pdf", data)
