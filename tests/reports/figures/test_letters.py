import xml.etree.ElementTree as ElementTree

import pytest

from reports.figures import draw
from reports.figures.letters import letters_as_text
from tests.reports.figures.test_draw import FIGURES


def texts(svg):
    return [node.text for node in ElementTree.fromstring(svg).iter("text")]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda p: p.kind)
def test_all_letters_become_text_and_every_use_has_its_definition(figure):
    svg = letters_as_text(draw.draw(figure))
    assert "DejaVuSans" not in svg
    root = ElementTree.fromstring(svg)
    defined = {node.get("id") for node in root.iter() if node.get("id")}
    assert {node.get("href")[1:] for node in root.iter("use")} <= defined
    assert len(texts(svg)) >= 2
    assert len(svg) < len(draw.draw(figure))


def test_the_text_is_what_was_drawn():
    found = texts(letters_as_text(draw.draw(FIGURES[0])))
    assert "MRR@k" in found
    assert any("A <b> $x$" in text for text in found)


def test_a_ligature_is_written_as_its_letters_which_a_search_finds():
    rows = [{"name": "Rectified − difficult", "color": 0, "value": 0.1, "low": 0.0, "high": 0.2, "margin": None}]
    figure = draw.blocks.Figure("f", "forest", "Forest", "", {"rows": rows, "axis": "difference"})
    found = texts(letters_as_text(draw.draw(figure)))
    assert {"Rectified − difficult", "difference"} <= set(found)


def test_a_text_stands_where_the_letters_stood():
    svg = '<svg><g style="fill:red" transform="translate(7 9) rotate(-90) scale(0.08 -0.08)">' \
          '<defs><path id="f-DejaVuSans-24" d="M 1 1 z"/></defs>' \
          '<use href="#f-DejaVuSans-24" x="25"/><use href="#f-DejaVuSans-25" x="90"/></g></svg>'  # fmt: skip
    (text,) = ElementTree.fromstring(letters_as_text(svg)).iter("text")
    assert dict(text.attrib) == {"style": "fill:red", "transform": "translate(7 9) rotate(-90)",
                                 "font-size": "8", "x": "2"}  # fmt: skip
    assert text.text == "AB"


@pytest.mark.parametrize("figure", FIGURES, ids=lambda p: p.kind)
def test_on_a_screen_a_line_is_as_wide_in_any_font_as_in_the_font_it_was_drawn_in(figure):
    lines = list(ElementTree.fromstring(letters_as_text(draw.draw(figure), any_font=True)).iter("text"))
    assert any(len(line.text) > 3 for line in lines)
    for line in lines:
        if len(line.text) == 1:
            assert line.get("textLength") is None  # a single letter would be stretched
            continue
        drawn = 72 * draw.text_width(line.text, float(line.get("font-size")))
        assert float(line.get("textLength")) == pytest.approx(drawn, rel=0.02, abs=0.3), line.text
        assert line.get("lengthAdjust") == "spacingAndGlyphs"


def test_a_line_with_a_letter_of_another_font_stays_drawn_with_its_definitions():
    svg = '<svg><g transform="translate(1 2) scale(0.08 -0.08)"><defs><path id="f-DejaVuSans-24" d="M 1 1 z"/></defs>' \
          '<use href="#f-DejaVuSans-24"/></g><g transform="translate(1 9) scale(0.08 -0.08)">' \
          '<defs><path id="f-NotoSansCJK-99" d="M 2 2 z"/></defs>' \
          '<use href="#f-DejaVuSans-24"/><use href="#f-NotoSansCJK-99" x="9"/></g></svg>'  # fmt: skip
    root = ElementTree.fromstring(letters_as_text(svg))
    assert [node.text for node in root.iter("text")] == ["A"]
    assert [node.get("href") for node in root.iter("use")] == ["#f-DejaVuSans-24", "#f-NotoSansCJK-99"]
    assert [node.get("id") for node in root.iter("path")] == ["f-DejaVuSans-24", "f-NotoSansCJK-99"]
