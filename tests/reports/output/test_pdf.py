import dataclasses
import importlib.util
import io
import re

import pytest
from pypdf import PdfReader

from reports.document.blocks import Column, Row, Section, Table, TableCell
from reports.output import pdf
from reports.output.pdf import OutputUnavailable, write_pdf


@pytest.fixture(scope="module")
def written(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    write_pdf(report, path)
    return path


@pytest.fixture(scope="module")
def reader(written):
    return PdfReader(written)


@pytest.fixture
def short(report):
    """A report of one table that is longer than a page."""
    rows = tuple(Row((TableCell(f"row {n}"), TableCell(str(n), n))) for n in range(150))
    table = Table("long", "A long table", (Column("name", "Name of row"), Column("n", "N", True)), rows)
    return dataclasses.replace(report, title='</style><b>"Title" \\', sections=(Section("only", "Only", (table,)),))


def test_contents_and_outline_name_the_pages(reader, report):
    titles = [f"{n} {section.title}" for n, section in enumerate(report.sections, start=1)]
    assert [item.title for item in reader.outline] == titles
    pages = [reader.get_destination_page_number(item) + 1 for item in reader.outline]
    assert pages == sorted(pages)
    assert pages[-1] > 3
    contents = reader.pages[0].extract_text(extraction_mode="layout")
    for number, (section, page) in enumerate(zip(report.sections, pages, strict=True), start=1):
        assert section.title in reader.pages[page - 1].extract_text()
        assert re.search(rf"{number}\. {re.escape(section.title)} +{page}\n", contents), contents


def test_language_title_and_links(reader, report):
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.metadata.title == report.title
    links = [a for page in reader.pages for a in page.get("/Annots", []) if a.get_object()["/Subtype"] == "/Link"]
    assert len(links) > 50


def test_the_text_of_figures_can_be_searched_in_the_embedded_font(reader):
    text = " ".join(page.extract_text() for page in reader.pages)
    assert "difference in MRR@20" in text


def test_every_page_has_its_head_and_number(reader, report):
    total = len(reader.pages)
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert report.title in text
        assert "TRIAL" in text
        assert f"{number} / {total}" in text


def test_the_text_can_be_extracted(reader):
    text = "\n".join(page.extract_text() for page in reader.pages)
    for wanted in ("NOT REPRODUCED", "CONTRADICTED", "Methods and references", "NOT CONVERGED", "alert(1)"):
        assert wanted in text


def test_text_is_copied_letter_by_letter(reader):
    text = "".join(page.extract_text() for page in reader.pages)
    assert not set("ﬀﬁﬂﬃﬄ") & set(text)  # a commit such as cff0 must not be copied with a ligature


def test_fonts_are_embedded_and_figures_are_vectors(written):
    data = written.read_bytes()
    assert data.count(b"/FontFile2") >= 2
    assert b"/Subtype /Image" not in data


def test_the_same_results_give_the_same_bytes(report, written, tmp_path):
    write_pdf(report, tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == written.read_bytes()


def test_a_long_table_repeats_its_head_and_loses_no_row(short, tmp_path):
    write_pdf(short, tmp_path / "short.pdf")
    reader = PdfReader(tmp_path / "short.pdf")
    texts = [page.extract_text() for page in reader.pages]
    held = [text for text in texts if "row " in text.replace("Name of row", "")]
    assert len(held) >= 2
    assert all("Name of row" in text for text in held)
    found = {line for text in texts for n in range(150) for line in [f"row {n}"] if line in text}
    assert len(found) == 150
    assert '</style><b>"Title" \\' in texts[0].replace("\n", " ")


def test_without_an_engine_one_sentence_says_what_to_install(report, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda name: None if name == "plutoprint" else find(name))
    with pytest.raises(OutputUnavailable, match="pip install plutoprint"):
        write_pdf(report, tmp_path / "none.pdf")
    assert not (tmp_path / "none.pdf").exists()


def test_a_report_without_a_date_has_a_fixed_one(short, tmp_path):
    undated = dataclasses.replace(short, created="")
    write_pdf(undated, tmp_path / "undated.pdf")
    assert PdfReader(io.BytesIO((tmp_path / "undated.pdf").read_bytes())).metadata.creation_date.year == 2000
