import re
import xml.etree.ElementTree as ElementTree

import pytest

from reports.document.blocks import Figure
from reports.figures import draw, palette
from reports.figures.svg import remove_transparency

LINES = {"axis": "k", "bins": ["1", "20"], "metric": "MRR@k", "lines": [
    {"model": "A <b> $x$", "color": 0, "has_caveat": True, "values": [0.1, 0.2]},
    {"model": "B", "color": 9, "has_caveat": False, "values": [None, 0.21]}]}  # fmt: skip
ROWS = [{"name": "A − B", "color": 0, "value": 0.02, "low": 0.01, "high": 0.03, "margin": 0.005},
        {"name": "C − B", "color": 1, "value": -0.01, "low": None, "high": None, "margin": None}]  # fmt: skip
LEVELS = [{"name": "A, MRR@20", "color": 0, "ratio": 0.5, "low": 0.4, "high": 0.6, "outcome": "NOT REPRODUCED",
           "judged": True, "published": ".10", "rerun": "0.05"},
          {"name": "B, MRR@20", "color": 1, "ratio": 1.01, "low": None, "high": None, "outcome": "x", "judged": False,
           "published": ".10", "rerun": "0.1"}]  # fmt: skip
POINTS = [{"model": "A", "color": 0, "has_caveat": False, "x": 0.2, "y": 0.1},
          {"model": "B", "color": 1, "has_caveat": True, "x": 90.0, "y": 0.2}]  # fmt: skip
CURVES = [{"model": "A", "color": 0, "seed": s, "best": 2, "has_caveat": False, "epochs": [1, 2, 3],
           "loss": [3.0, 2.0, 1.0 + s], "validation": [0.1, 0.2, 0.15]} for s in range(6)]  # fmt: skip
PAIRS = [{"row": 0, "column": 1, "difference": 0.1, "relative": 12.0, "q": 0.0004},
         {"row": 0, "column": 2, "difference": 0.2, "relative": None, "q": 0.003},
         {"row": 1, "column": 2, "difference": 0.1, "relative": 0.02, "q": 0.3}]  # fmt: skip
RANKS = [{"model": name, "rank": 1.2 + 0.8 * n, "color": n} for n, name in enumerate("ABC")]
SPLIT = {"parts": [900, 50, 50], "popularity": [[1, 90], [2, 40], [9, 1]], "summary": "the first has 9 %",
         "histories": [[0, 0.1], [5, 0.6], [80, 1.0]]}  # fmt: skip
FIGURES = [Figure("a-1", "lines", "Lines", "", LINES),
            Figure("a-2", "forest", "Forest", "", {"rows": ROWS, "axis": "d"}),
            Figure("a-3", "levels", "Levels", "", {"rows": LEVELS}),
            Figure("a-4", "pareto", "Pareto & cost", "", {"metric": "MRR@20", "points": POINTS}),
            Figure("a-5", "curves", "Curves", "", {"lines": CURVES}),
            Figure("a-6", "heat", "Pairs", "", {"models": ["A", "B", "C"], "pairs": PAIRS, "numbered": True}),
            Figure("a-7", "ranks", "Ranks", "", {"models": RANKS, "critical": 1.1}),
            Figure("a-8", "split", "Split", "", SPLIT)]  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES, ids=lambda p: p.kind)
class TestEveryFigure:
    def test_is_the_same_every_time(self, figure):
        assert draw.draw(figure) == draw.draw(figure)

    def test_is_well_formed_named_and_has_its_own_ids(self, figure):
        root = ElementTree.fromstring(draw.draw(figure))
        assert root.get("role") == "img"
        assert root.get("aria-label") == figure.label
        ids = [node.get("id") for node in root.iter() if node.get("id")]
        assert len(ids) == len(set(ids))
        assert all(i.startswith(f"{figure.anchor}-") for i in ids)
        used = {node.get("href")[1:] for node in root.iter() if node.get("href")}
        assert used
        assert used <= set(ids)

    def test_has_text_as_paths_on_a_clear_ground_in_the_colour_of_the_page(self, figure):
        svg = draw.draw(figure)
        assert "<text" not in svg
        assert "currentColor" in svg
        assert "#ffffff" not in svg
        assert palette.INK not in svg
        assert "<image" not in svg

    def test_has_tooltips(self, figure):
        assert draw.draw(figure).count("<title>") >= 2

    def test_on_paper_nothing_is_transparent(self, figure):
        drawn = draw.draw(figure)
        svg = remove_transparency(drawn)
        assert "opacity" not in svg
        assert "currentColor" not in svg
        greys = {grey for grey in re.findall(r"#([0-9a-f]{2})\1\1\b", svg) if grey not in ("00", "ff")}
        assert bool(greys) == ("opacity" in drawn)
        if figure.kind in ("lines", "forest"):
            assert "d9" in greys  # 15 % black: the lines of the grid


def test_a_hollow_mark_is_hollow_on_paper():
    assert remove_transparency(draw.draw(FIGURES[2])).count('style="fill:none;stroke:#af6203;') == 1


def test_names_in_tooltips_are_escaped():
    assert "<title>A &lt;b&gt; $x$ by k: 1: .1000, 20: .2000</title>" in draw.draw(FIGURES[0])


def test_a_long_figure_grows_with_its_rows():
    def height(rows):
        svg = draw.draw(Figure("h", "forest", "F", "", {"rows": rows, "axis": "d"}))
        return float(re.search(r'height="(\d+)pt"', svg).group(1))

    assert height(ROWS * 20) > 5 * height(ROWS)
