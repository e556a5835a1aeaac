"""Drawings of intervals, one per row: differences between models, and reruns against published numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from evaluation.printed_numbers import fraction, interval
from reports.figures.lines import Pen, fold, num_lines

_TICKS = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10)
_ALL_TICKS_SPAN = 2.2  # largest span of ratios with room for all of these ticks
_OPTIONAL_TICKS = (0.9, 1.1, 0.67, 1.25)
_NAME_LENGTH = 40  # characters in one line of a name
_RIGHT_MARGIN = 0.22  # inches: half of the rightmost label


def forest(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Differences with their intervals, one row per pair, over the band of the relevance margin."""
    axes = _rows(figure, data["rows"], pen)
    for place, item in enumerate(data["rows"]):
        if item["margin"]:
            band = [place - 0.5, place + 0.5]
            axes.fill_betweenx(band, -item["margin"], item["margin"], color=pen.ink, alpha=0.12, linewidth=0)
        text = (f"{item['name']}: {fraction(item['value'], 5, sign=True)} "
                f"{interval(item['low'], item['high'], 5, sign=True)}")  # fmt: skip
        _interval(axes, place, item, item["value"], text, pen)
    axes.axvline(0, color=pen.ink, linewidth=0.8)
    axes.set_xlabel(data["axis"])
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda v, _: fraction(v, _tick_places(axes.xaxis.get_majorticklocs()), sign=v > 0))


def _tick_places(ticks: Sequence[float]) -> int:
    """The decimals by which neighbouring ticks differ, three or more."""
    step = min((b - a for a, b in itertools.pairwise(ticks)), default=1.0)
    return max(3, min(8, math.ceil(-math.log10(step) - 1e-9))) if step > 0 else 3


def levels(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Rerun ÷ published on a log axis over bands of 5 % and 10 %, one row per number."""
    rows = data["rows"]
    axes = _rows(figure, rows, pen)
    axes.set_xscale("log")
    for left, right, shade in ((1 / 1.10, 1 / 1.05, 0.08), (1 / 1.05, 1.05, 0.18), (1.05, 1.10, 0.08)):
        axes.axvspan(left, right, color=pen.ink, alpha=shade, linewidth=0)
    axes.axvline(1, color=pen.ink, linewidth=0.8)
    for place, item in enumerate(rows):
        text = (f"{item['name']}: published {item['published']}, rerun {item['rerun']}, "
                f"ratio {item['ratio']:.3f}, {item['outcome']}")  # fmt: skip
        _interval(axes, place, item, item["ratio"], text, pen, full=item["judged"])
    values = [r[k] for r in rows for k in ("low", "high", "ratio") if r[k]]
    low, high = min(*values, 1 / 1.15), max(*values, 1.15)
    axes.set_xlim(low / 1.03, high * 1.03)
    ticks = [t for t in _TICKS if low <= t <= high and (high / low < _ALL_TICKS_SPAN or t not in _OPTIONAL_TICKS)]
    pen.set_axis(axes, "x", ticks=ticks, labels=[f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("rerun ÷ published (log scale)")


def _rows(figure: Any, rows: list[dict[str, Any]], pen: Pen) -> Any:
    """Axes with a labelled row per item, the first on top."""
    names = [fold(item["name"], _NAME_LENGTH) for item in rows]
    figure.set_size_inches(figure.get_size_inches()[0], 0.62 + (0.12 + 0.13 * num_lines(names)) * len(rows))
    pen.frame(figure, left=0.14 + pen.widest(names, 8.0), right=_RIGHT_MARGIN, top=0.08)
    axes = figure.subplots()
    pen.set_axis(axes, "y", ticks=range(len(rows)), labels=names, grid=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return axes


def _interval(
    axes: Any, place: int, item: dict[str, Any], value: float, text: str, pen: Pen, full: bool = True
) -> None:
    """A mark with whiskers (where both ends are known) and a tooltip."""
    shade = pen.color(item["color"])
    if item["low"] is not None and item["high"] is not None:
        axes.plot([item["low"], item["high"]], [place, place], color=shade, linewidth=1.6)
    (dot,) = axes.plot(value, place, marker=pen.marker(item["color"]), color=shade, linestyle="none",
                       fillstyle="full" if full else "none")  # fmt: skip
    pen.tooltip(dot, text)
