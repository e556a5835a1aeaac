"""PDF: the page printed by plutoprint, twice, so that the contents know their page numbers; pypdf adds the outline.

plutoprint knows no grid, target-counter, outline or language, and prints empty text without fonts; hence flex, two
passes, pypdf, and embedded fonts. The engine stays behind ``_print`` so that another can take its place.
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

_BASE = "https://report.invalid/"  # links inside a page are dropped without an address for the page


class OutputUnavailable(RuntimeError):
    """plutoprint or pypdf is not installed: no PDF can be written, and the HTML report stands on its own."""


def write_pdf(report: Report, path: Path) -> None:
    """Write the report to ``path``; the same report gives the same bytes.

    Raises OutputUnavailable, with one sentence that says what to install, if an engine is missing.
    """
    for name in ("plutoprint", "pypdf"):
        if importlib.util.find_spec(name) is None:
            raise OutputUnavailable(
                f"no PDF was written because {name} is not installed; "
                f"install it (pip install {name}) and draw the report again"
            )
    from pypdf import PdfReader

    from reports.figures import draw

    fonts = {role: base64.b64encode(data).decode() for role, data in draw.fonts().items()}
    html = render_page(report, paper=True, page_mark=_mark, fonts=fonts)
    pages = _pages(PdfReader(io.BytesIO(_print(_bare(_numbered(html, {}, report), report), report))), report)
    reader = PdfReader(io.BytesIO(_print(_numbered(html, pages, report), report)))
    settled = _pages(reader, report)
    if settled != pages:  # the numbers themselves moved a break
        reader, pages = PdfReader(io.BytesIO(_print(_numbered(html, settled, report), report))), settled
    write_bytes_atomically(path, _outlined(reader, pages, report))


def _mark(anchor: str) -> str:
    """What stands for the page number of a section until it is known; no name can hold it."""
    return f"\ue000{anchor}\ue001"


def _numbered(html: str, pages: dict[str, int], report: Report) -> str:
    """The page with its numbers in the contents, without any where they are not known yet."""
    for section in report.sections:
        html = html.replace(_mark(section.anchor), str(pages.get(section.anchor, "")))
    return html


def _bare(html: str, report: Report) -> str:
    """The page with links to its sections only and with empty figures, which is laid out the same, and sooner."""
    kept = {f"#{section.anchor}" for section in report.sections}
    html = re.sub(r' href="(#[^"]*)"', lambda found: found.group() if found.group(1) in kept else "", html)
    return re.sub(r"(<svg [^>]*>).*?</svg>", r"\1</svg>", html, flags=re.DOTALL)


def _print(html: str, report: Report) -> bytes:
    """One pass of the engine."""
    import plutoprint

    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4)
    book.load_html(html, base_url=_BASE)
    book.set_metadata(plutoprint.PDF_METADATA_TITLE, report.title)
    book.set_metadata(plutoprint.PDF_METADATA_CREATOR, "Encore")
    stamp = _moment(report).strftime("%Y-%m-%dT%H:%M:%SZ")
    book.set_metadata(plutoprint.PDF_METADATA_CREATION_DATE, stamp)
    book.set_metadata(plutoprint.PDF_METADATA_MODIFICATION_DATE, stamp)
    buffer = io.BytesIO()
    book.write_to_pdf_stream(buffer)
    return buffer.getvalue()


def _moment(report: Report) -> datetime.datetime:
    """When the results were made: the date that the file bears."""
    try:
        moment = datetime.datetime.fromisoformat(report.created)
    except ValueError:
        return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    return moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _pages(reader: PdfReader, report: Report) -> dict[str, int]:
    """The page on which each section begins, from 1."""
    named = reader.named_destinations
    return {section.anchor: reader.get_destination_page_number(named[section.anchor]) + 1
            for section in report.sections if section.anchor in named}  # fmt: skip


def _outlined(reader: PdfReader, pages: dict[str, int], report: Report) -> bytes:
    """The file with an outline, its language, and nothing that depends on when or where it was written."""
    from pypdf import PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter(clone_from=reader)
    for number, section in enumerate(report.sections, start=1):
        if section.anchor in pages:
            writer.add_outline_item(f"{number} {section.title}", pages[section.anchor] - 1)
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    writer.page_mode = "/UseOutlines"
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
