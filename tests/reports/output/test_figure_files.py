import importlib.util
import io
import re
import xml.etree.ElementTree as ElementTree

import pytest
from pypdf import PdfReader

from reports.output import pdf
from reports.output.figure_files import write_figures
from reports.output.pdf import OutputUnavailable


def drawn(report):
    return {b.anchor for s in report.sections for b in s.blocks if b.block == "figure"}


@pytest.fixture(scope="module")
def folder(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("figures")
    write_figures(report, path)
    return path


def test_every_figure_is_a_file_of_both_kinds(report, folder):
    assert len(drawn(report)) > 10
    for ending in (".svg", ".pdf"):
        assert {path.stem for path in folder.glob(f"*{ending}")} == drawn(report)


def test_an_svg_file_stands_alone(folder):
    for path in folder.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "currentColor" not in text
        used = {node.get("href")[1:] for node in root.iter() if node.get("href")}
        assert used <= {node.get("id") for node in root.iter()}


def test_a_pdf_file_is_one_page_of_the_figures_size(folder):
    for path in folder.glob("*.pdf"):
        (page,) = PdfReader(io.BytesIO(path.read_bytes())).pages
        size = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', path.with_suffix(".svg").read_text(encoding="utf-8"))
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
            tuple(map(float, size.groups())), abs=0.01
        )
        assert b"/XObject" in path.read_bytes() or page.get_contents() is not None


def test_the_same_report_gives_the_same_bytes(report, folder, tmp_path):
    write_figures(report, tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_without_an_engine_the_svg_files_are_written(report, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda name: None if name == "plutoprint" else find(name))
    with pytest.raises(OutputUnavailable, match="pip install plutoprint"):
        write_figures(report, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg"}
