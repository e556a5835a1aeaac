"""Figures as SVG: the one home of matplotlib; the same model has the same colour and marker everywhere."""

from __future__ import annotations

import functools
import io
from typing import Any

import matplotlib.figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.textpath import text_to_path

from reports.document import blocks
from reports.figures import intervals, lines, matrices, split
from reports.figures.axes import AxisStyles
from reports.figures.palette import INK, color, marker, sign
from reports.figures.svg import inline

WIDTH = 5.0  # inches: 480 px, so that 9 pt text is still read on a telephone
_STYLE = {
    "svg.fonttype": "path", "svg.hashsalt": "encore", "text.parse_math": False, "font.family": "DejaVu Sans",
    "font.size": 9.0, "axes.titlesize": 9.0, "axes.labelsize": 9.0, "xtick.labelsize": 8.0, "ytick.labelsize": 8.0,
    "text.color": INK, "axes.edgecolor": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.linewidth": 0.6, "axes.titley": 1.0, "lines.linewidth": 1.4, "lines.markersize": 5.0,
    "axes.unicode_minus": True, "path.simplify": False,
}  # fmt: skip


_DRAWINGS = {
    "curves": lines.curves, "pareto": lines.pareto, "lines": lines.lines,
    "forest": intervals.forest, "levels": intervals.levels, "heat": matrices.heat, "ranks": matrices.ranks,
    "split": split.split,
}  # fmt: skip


def draw(figure_block: blocks.Figure) -> str:
    """The figure as an <svg> element: text as paths, transparent, in the page's colour, the same bytes every time."""
    with matplotlib.rc_context(_STYLE):
        figure = matplotlib.figure.Figure(figsize=(WIDTH, 3.0))
        tips, rulers = Tips(), AxisStyles(INK)
        pen = lines.Pen(color=color, marker=marker, sign=sign, ink=INK, tip=tips.add,
                           rule=rulers.say, width=text_width)  # fmt: skip
        _DRAWINGS[figure_block.kind](figure, figure_block.data, pen)
        rulers.lay(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return inline(buffer.getvalue(), anchor=figure_block.anchor, label=figure_block.label, hints=tips.texts, ink=INK)


@functools.lru_cache(maxsize=4096)
def text_width(text: str, points: float = 9.0) -> float:
    """How wide a line of text is, in inches."""
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=points), False)[0] / 72


class Tips:
    """Sentences that appear over a mark: remembered while drawing, put into the SVG as <title>."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, artist: Any, text: str) -> None:
        """Let ``artist`` say ``text``."""
        artist.set_gid(f"tip{len(self.texts)}")
        self.texts.append(text)


def fonts() -> dict[str, bytes]:
    """The DejaVu files that matplotlib brings: regular, bold, and a monospaced one, for a page without fonts."""
    names = {"regular": "DejaVu Sans", "bold": "DejaVu Sans:bold", "mono": "DejaVu Sans Mono"}
    found = {}
    for role, name in names.items():
        with open(findfont(name, fallback_to_default=False), "rb") as file:  # noqa: PTH123
            found[role] = file.read()
    return found
