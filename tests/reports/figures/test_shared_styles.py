import re
import xml.etree.ElementTree as ElementTree

from reports.figures.draw import draw
from reports.figures.shared_styles import share_styles
from tests.reports.figures.test_draw import FIGURES

PAGE = "<html><head><title>t</title></head><body>{}</body></html>"


def _expanded(page):
    """The page with the styles where their classes are, as a browser applies them."""
    rules = dict(re.findall(r"^\.(s\d+) \{ (.*) \}$", page, flags=re.MULTILINE))
    page = re.sub(r"<style>.*</style>\n", "", page, flags=re.DOTALL)
    return re.sub(r' class="(s\d+)"', lambda found: f' style="{rules[found[1]]}"', page)


def test_every_element_keeps_its_style():
    page = PAGE.format("".join(draw(figure) for figure in FIGURES))
    shared = share_styles(page)
    assert _expanded(shared) == page
    assert len(shared) < 0.95 * len(page)
    ElementTree.fromstring(shared)


def test_a_rare_style_one_outside_of_figures_and_an_element_with_a_class_stay():
    often = '<path style="fill:red"/>' * 4
    kept = '<div style="fill:red"></div><svg x="1"><path style="fill:blue"/><g class="tip" style="fill:red"/>'
    shared = share_styles(PAGE.format(f"{kept}{often}</svg>"))
    assert kept in shared
    assert shared.count('<path class="s0"/>') == 4
    assert ".s0 { fill:red }" in shared
    assert share_styles(PAGE.format(kept)) == PAGE.format(kept)
