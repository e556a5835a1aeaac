"""Figures of a report as files: each as SVG and, where the PDF engine is installed, as PDF."""

from __future__ import annotations

import io
import re
from pathlib import Path

from recsys_data.atomic_write import write_bytes_atomically
from reports.document.blocks import Figure
from reports.figures.cached import figure_svg
from reports.figures.svg import remove_transparency
from reports.output.pdf import render_pdf, require_engine
from reports.report import Report

_NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'
_SIZE = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')


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
    for anchor, data in _pdf_files(report, drawn).items():
        write_bytes_atomically(folder / f"{anchor}.pdf", data)


def _pdf_files(report: Report, drawn: dict[str, str]) -> dict[str, bytes]:
    """Each drawing as a PDF of one page, rendered together since the engine starts slowly, then cut to its size."""
    from pypdf import PdfReader, PdfWriter

    if not drawn:
        return {}
    style = "<style>@page { margin: 0 } body { margin: 0 } svg { display: block; break-after: page }</style>"
    reader = PdfReader(io.BytesIO(render_pdf(style + "".join(drawn.values()), report)))
    files = {}
    for (anchor, svg), page in zip(drawn.items(), reader.pages, strict=False):
        width, height = map(float, _SIZE.search(svg).groups())
        top = float(page.mediabox.top)
        for box in (page.mediabox, page.cropbox):
            box.lower_left, box.upper_right = (0, top - height), (width, top)
        writer, buffer = PdfWriter(), io.BytesIO()
        writer.add_page(page)
        writer.write(buffer)
        files[anchor] = buffer.getvalue()
    return files
