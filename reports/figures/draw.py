"""Figures of a report as SVG, drawn by matplotlib; a model has the same colour and marker in all of them."""

from __future__ import annotations

import functools
import io
from typing import Any

import matplotlib.figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from reports.document import blocks
from reports.figures import intervals, lines, matrices, split
from reports.figures.axes import AxisStyles
from reports.figures.fonts import drawable, families
from reports.figures.palette import INK, color, marker, marker_char
from reports.figures.svg import inline_svg

WIDTH = 5.0  # inches: 480 px, so 9 pt text stays legible on a phone
_STYLE = {
    "svg.fonttype": "path", "svg.hashsalt": "encore", "text.parse_math": False,
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


def draw(block: blocks.Figure) -> str:
    """Draw a figure as an <svg> element: text as paths, transparent, in the page's text colour; deterministic bytes."""
    with matplotlib.rc_context(_STYLE | {"font.family": families()}):
        figure = matplotlib.figure.Figure(figsize=(WIDTH, 3.0))
        tooltips, styles = Tooltips(), AxisStyles(INK)
        pen = lines.Pen(color=color, marker=marker, marker_char=marker_char, ink=INK, tooltip=tooltips.add,
                        set_axis=styles.set, text_width=text_width)  # fmt: skip
        _DRAWINGS[block.kind](figure, block.data, pen)
        styles.draw(figure)
        for text in figure.findobj(Text):
            text.set_text(drawable(text.get_text()))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return inline_svg(buffer.getvalue(), anchor=block.anchor, label=block.label, tooltips=tooltips.texts, ink=INK)


@functools.lru_cache(maxsize=4096)
def text_width(text: str, points: float = 9.0) -> float:
    """Width of a line of text in inches."""
    return text_to_path.get_text_width_height_descent(drawable(text), FontProperties(size=points), False)[0] / 72


class Tooltips:
    """Tooltips of marks, collected while drawing and written into the SVG as <title>."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, artist: Any, text: str) -> None:
        """Show ``text`` over ``artist``."""
        artist.set_gid(f"tip{len(self.texts)}")
        self.texts.append(text)
