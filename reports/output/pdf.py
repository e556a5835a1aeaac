"""PDF report: plutoprint renders the page twice, so that the contents have page numbers; pypdf adds the outline.

plutoprint has no grid, target-counter, outline or language and needs embedded fonts. Only ``render_pdf`` calls it.
"""

from __future__ import annotations

import base64
import datetime
import importlib.util
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from recsys_data.atomic_write import write_bytes_atomically
from reports.output.html import render_page
from reports.report import Report

if TYPE_CHECKING:
    from pypdf import PdfReader

_SIZE = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')
_BASE = "https://report.invalid/"  # without a base URL, internal links are dropped


class OutputUnavailable(RuntimeError):
    """An output file cannot be written because a library is missing; the other outputs are complete."""


def require_engine() -> None:
    """Raise OutputUnavailable, naming the library to install, if one is missing."""
    for name in ("plutoprint", "pypdf"):
        if importlib.util.find_spec(name) is None:
            raise OutputUnavailable(
                f"no PDF was written because {name} is not installed; "
                f"install it (pip install {name}) and run the command report again"
            )


def write_pdf(report: Report, path: Path) -> None:
    """Write the report as PDF; the same report gives the same bytes.

    Raises OutputUnavailable, naming the library to install.
    """
    require_engine()
    from pypdf import PdfReader

    from reports.figures.fonts import drawable, files

    fonts = {role: base64.b64encode(data).decode() for role, data in files().items()}
    html = render_page(report, paper=True, page_mark=_page_placeholder, fonts=fonts)
    html = drawable(html, keep=_page_placeholder(""))
    pages = _section_pages(
        PdfReader(io.BytesIO(render_pdf(_simplify(_fill_page_numbers(html, {}, report), report), report))), report
    )
    reader = PdfReader(io.BytesIO(render_pdf(_fill_page_numbers(html, pages, report), report)))
    final_pages = _section_pages(reader, report)
    if final_pages != pages:  # filling in the numbers moved a page break
        reader, pages = (
            PdfReader(io.BytesIO(render_pdf(_fill_page_numbers(html, final_pages, report), report))),
            final_pages,
        )
    write_bytes_atomically(path, _add_outline(reader, pages, report))


def _page_placeholder(anchor: str) -> str:
    """Placeholder of a section's page number, of characters that no name contains."""
    return f"\ue000{anchor}\ue001"


def _fill_page_numbers(html: str, pages: dict[str, int], report: Report) -> str:
    """Fill in the page numbers of the contents; unknown ones stay empty."""
    for section in report.sections:
        html = html.replace(_page_placeholder(section.anchor), str(pages.get(section.anchor, "")))
    return html


def _simplify(html: str, report: Report) -> str:
    """Empty the figures and keep only links to sections: the same layout, rendered faster."""
    sections = {f"#{section.anchor}" for section in report.sections}
    html = re.sub(r' href="(#[^"]*)"', lambda found: found.group() if found.group(1) in sections else "", html)
    return re.sub(r"(<svg [^>]*>).*?</svg>", r"\1</svg>", html, flags=re.DOTALL)


def render_pdf(html: str, report: Report) -> bytes:
    """Render a page to PDF."""
    import plutoprint

    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4)
    book.load_html(html, base_url=_BASE)
    book.set_metadata(plutoprint.PDF_METADATA_TITLE, report.title)
    book.set_metadata(plutoprint.PDF_METADATA_CREATOR, "Encore")
    created = _creation_time(report).strftime("%Y-%m-%dT%H:%M:%SZ")
    book.set_metadata(plutoprint.PDF_METADATA_CREATION_DATE, created)
    book.set_metadata(plutoprint.PDF_METADATA_MODIFICATION_DATE, created)
    buffer = io.BytesIO()
    book.write_to_pdf_stream(buffer)
    return buffer.getvalue()


def pdf_of_each(drawings: dict[str, str], report: Report) -> dict[str, bytes]:
    """Each SVG drawing as a PDF of its size; they are rendered together, since the engine starts slowly."""
    from pypdf import PdfReader, PdfWriter

    if not drawings:
        return {}
    style = "<style>@page { margin: 0 } body { margin: 0 } svg { display: block; break-after: page }</style>"
    reader = PdfReader(io.BytesIO(render_pdf(style + "".join(drawings.values()), report)))
    files = {}
    for (name, svg), page in zip(drawings.items(), reader.pages, strict=False):  # the engine may add an empty page
        width, height = map(float, _SIZE.search(svg).groups())
        top = float(page.mediabox.top)
        for box in (page.mediabox, page.cropbox):
            box.lower_left, box.upper_right = (0, top - height), (width, top)
        writer, buffer = PdfWriter(), io.BytesIO()
        writer.add_page(page)
        writer.write(buffer)
        files[name] = buffer.getvalue()
    return files


def _creation_time(report: Report) -> datetime.datetime:
    """The date of the file: when the results were computed."""
    try:
        created = datetime.datetime.fromisoformat(report.created)
    except ValueError:
        return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    return created.astimezone(datetime.UTC) if created.tzinfo else created.replace(tzinfo=datetime.UTC)


def _section_pages(reader: PdfReader, report: Report) -> dict[str, int]:
    """First page of each section, from 1."""
    named = reader.named_destinations
    return {section.anchor: reader.get_destination_page_number(named[section.anchor]) + 1
            for section in report.sections if section.anchor in named}  # fmt: skip


def _add_outline(reader: PdfReader, pages: dict[str, int], report: Report) -> bytes:
    """Add the outline and the language."""
    from pypdf import PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter(clone_from=reader)
    for number, section in enumerate(report.sections, start=1):
        if section.anchor in pages:
            writer.add_outline_item(title=f"{number} {section.title}", page_number=pages[section.anchor] - 1)
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    writer.page_mode = "/UseOutlines"
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
