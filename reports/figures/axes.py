"""Axis styles: grid, tick marks and labels of an axis, drawn as few artists; matplotlib draws five per tick."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

_MARK, _MINOR, _PAD = 3.5, 2.0, 3.5  # points: lengths of tick marks, and the distance from a mark to its label
_SIZE, _GAP = 8.0, 4.0  # points: font size of labels, and their distance to the axis title
_OUTSIDE = {"x": 3, "y": 0}  # matplotlib's markers for tick marks: down and left


@dataclass(frozen=True)
class AxisStyle:
    """Style of one axis; ``ticks`` with their ``labels`` replace those of its locator and formatter."""

    ticks: Sequence[float] | None = None
    labels: Sequence[str] = ()
    grid: bool = True
    marks: bool = True
    numbers: bool = True


class AxisStyles:
    """Styles of a figure's axes: set while drawing, drawn at the end when all limits are known."""

    def __init__(self, ink: str) -> None:
        self.ink = ink
        self._styles: dict[tuple[int, str], AxisStyle] = {}

    def set(self, axes: Any, side: str, **how: Any) -> None:
        """Set the style of the "x" or "y" axis; the given ticks come into view."""
        self._styles[id(axes), side] = style = replace(self._of(axes, side), **how)
        if "ticks" in how and len(style.ticks):
            getattr(axes, f"{side}axis").set_view_interval(min(style.ticks), max(style.ticks))

    def draw(self, figure: Any) -> None:
        """Draw all axes of the figure."""
        for axes in figure.axes:
            if axes.axison:
                axes.get_xlim()  # fixes the limits before more is drawn
                for side in ("x", "y"):
                    self._draw_side(axes, side, self._of(axes, side))

    def _of(self, axes: Any, side: str) -> AxisStyle:
        return self._styles.get((id(axes), side), AxisStyle())

    def _draw_side(self, axes: Any, side: str, style: AxisStyle) -> None:
        axis = getattr(axes, f"{side}axis")
        axis.set_visible(False)
        formatter, places, names = axis.get_major_formatter(), style.ticks, style.labels
        if places is None:
            places = axis.get_majorticklocs()
            names = formatter.format_ticks(places)
        low, high = sorted(axis.get_view_interval())
        near = 1e-9 * (high - low)
        shown = [(place, name) for place, name in zip(places, names, strict=True) if low - near <= place <= high + near]
        at = [place for place, _ in shown]
        if style.grid and at:
            gap = float("nan")
            lines = list(itertools.chain.from_iterable((place, place, gap) for place in at))
            self._plot(axes, side, lines, [0, 1, gap] * len(at), alpha=0.15, linewidth=0.5, zorder=0.5)
        if style.marks:
            minor = [place for place in axis.get_minorticklocs() if low <= place <= high]
            for here, size, width in ((at, _MARK, 0.8), (minor, _MINOR, 0.6)):
                self._plot(axes, side, here, [0] * len(here), marker=_OUTSIDE[side], markersize=size,
                           markeredgewidth=width, linestyle="none", clip_on=False)  # fmt: skip
        away = _PAD + (_MARK if style.marks else 0)
        self._numbers(axes, side, shown if style.numbers else [], away)
        if side == "x" and axes.get_xlabel():
            deep = _SIZE * (1 + 1.2 * max((name.count("\n") for _, name in shown), default=0))
            self._note(axes, axes.get_xlabel(), (0.5, 0), (0, -away - deep - _GAP), size=9, ha="center", va="top")
        if style.ticks is None and formatter.get_offset():  # the common factor of all labels
            up = side == "y"
            self._note(axes, formatter.get_offset(), (1, up), (0, 3 if up else -away - _SIZE - _GAP), size=_SIZE,
                       ha="right", va="bottom" if up else "top")  # fmt: skip

    def _plot(self, axes: Any, side: str, along: list[float], across: list[float], **how: Any) -> None:
        if along:
            transform = getattr(axes, f"get_{side}axis_transform")()
            both = (along, across) if side == "x" else (across, along)
            axes.plot(*both, transform=transform, color=self.ink, scalex=False, scaley=False, **how)

    def _numbers(self, axes: Any, side: str, shown: list[tuple[float, str]], away: float) -> None:
        transform, va, ha = getattr(axes, f"get_{side}axis_text1_transform")(away)
        for place, name in shown:
            if name:
                axes.text(*((place, 0) if side == "x" else (0, place)), name, transform=transform, ha=ha, va=va,
                          fontsize=_SIZE)  # fmt: skip

    def _note(self, axes: Any, text: str, at: tuple[float, float], offset: tuple[float, float], size: float,
              **how: str) -> None:  # fmt: skip
        axes.annotate(text, at, xycoords="axes fraction", xytext=offset, textcoords="offset points", fontsize=size,
                      annotation_clip=False, **how)  # fmt: skip
