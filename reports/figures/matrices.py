"""Drawings of all pairs: the heat map of differences, and mean ranks with the critical difference."""

from __future__ import annotations

from typing import Any

from evaluation.printed_numbers import fraction, p_value, percent
from reports.figures.lines import Pen, fold, num_lines

SHADES = ((0.001, 0.42), (0.01, 0.27), (0.05, 0.14))  # opacity for q below each bound
_NAME_LENGTH = 24


def heat(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Row against column, the best on top, columns by the number of their row: darker = smaller q-value."""
    models, size = data["models"], len(data["models"])
    names = [fold(f"{place} {name}", _NAME_LENGTH) for place, name in enumerate(models, start=1)]
    wide = 0.14 + pen.widest(names, 8.0)
    cell = min(0.42, (figure.get_size_inches()[0] - wide - 0.12) / (size - 1))
    tall = max(cell, 0.04 + 0.125 * num_lines(names))
    bottom, top = 0.3, 0.1
    figure.set_size_inches(figure.get_size_inches()[0], tall * size + bottom + top)
    right = figure.get_size_inches()[0] - wide - cell * (size - 1)
    pen.frame(figure, left=wide, right=right, top=top, bottom=bottom)
    axes = figure.subplots()
    for pair in data["pairs"]:
        row, column = pair["row"], pair["column"] - 1
        shade = next((alpha for q, alpha in SHADES if pair["q"] < q), 0.0)
        (place,) = axes.fill([column - 0.47, column + 0.47, column + 0.47, column - 0.47],
                             [row - 0.47, row - 0.47, row + 0.47, row + 0.47],
                             facecolor=(pen.ink, shade), edgecolor=(pen.ink, 0.3), linewidth=0.4,
                             clip_on=False)  # fmt: skip
        pen.tooltip(place, f"{models[row]} against {models[pair['column']]}: "
                           f"{fraction(pair['difference'], 5, sign=True)}, {percent(pair['relative'])}, "
                           f"q {p_value(pair['q'])}")  # fmt: skip
        if data["numbered"] or not shade:
            axes.text(column, row, _rounded(pair["relative"]) if shade else "·", ha="center", va="center",
                      fontsize=min(6.5, 50 * cell))  # fmt: skip
    pen.set_axis(axes, "y", ticks=range(size), labels=names, grid=False, marks=False)
    pen.set_axis(axes, "x", ticks=range(size - 1), labels=[str(n) for n in range(2, size + 1)], grid=False, marks=False)
    axes.set_xlim(-0.5, size - 1.5)
    axes.set_ylim(size - 0.5, -0.5)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _rounded(relative: float | None) -> str:
    """A share of the common base: 3.2 %, 41 %, 3800 %."""
    if relative is None:
        return "∞"
    size = abs(relative)
    return f"{100 * size:.0f} %" if size >= 0.0995 else f"{100 * size:.1f} %"


def ranks(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Mean ranks on one axis, the best at the left; bars join models within the critical difference."""
    models = sorted(data["models"], key=lambda m: m["rank"])
    half = (len(models) + 1) // 2
    names = [fold(m["model"], _NAME_LENGTH) for m in models]
    step = 0.1 + 0.12 * num_lines(names)
    bars = joined([m["rank"] for m in models], data["critical"])
    low, high = 1, len(models)
    figure.set_size_inches(figure.get_size_inches()[0], 0.75 + 0.12 * len(bars) + step * half)
    side = 0.16 + pen.widest(names, 8.0)
    pen.frame(figure, left=side, right=side, top=0.55, bottom=0.05)
    axes = figure.subplots()
    axes.axis("off")
    depth = 0.12 * len(bars) + step * half + 0.1
    axes.set(xlim=(low, high), ylim=(-depth, 0))
    axes.plot([low, high], [0, 0], color=pen.ink, linewidth=0.8, clip_on=False)
    for tick in range(low, high + 1):
        axes.plot([tick, tick], [0, 0.05], color=pen.ink, linewidth=0.8, clip_on=False)
        axes.text(tick, 0.08, str(tick), ha="center", va="bottom", fontsize=8)
    axes.plot([low, low + data["critical"]], [0.32, 0.32], color=pen.ink, linewidth=1.6, clip_on=False)
    axes.text(low, 0.36, f"critical difference {data['critical']:.2f}", ha="left", va="bottom", fontsize=8)
    for number, (first, last) in enumerate(bars):
        y = -0.1 - 0.12 * number
        ends = [models[first]["rank"] - 0.03, models[last]["rank"] + 0.03]
        axes.plot(ends, [y, y], color=pen.ink, linewidth=2.6, solid_capstyle="butt", clip_on=False)
    for number, model in enumerate(models):
        left = number < half
        y = -0.12 * len(bars) - step * (1 + (number if left else len(models) - 1 - number))
        edge = low if left else high
        shade = pen.color(model["color"])
        (line,) = axes.plot([model["rank"], model["rank"], edge], [0, y, y], color=shade, linewidth=0.9, clip_on=False)
        pen.tooltip(line, f"{model['model']}: mean rank {model['rank']:.2f}")
        axes.annotate(names[number], (edge, y), xytext=(-4 if left else 4, 0), va="center", fontsize=8,
                      textcoords="offset points", ha="right" if left else "left", color=shade)  # fmt: skip


def joined(places: list[float], critical: float) -> list[tuple[int, int]]:
    """First and last index of the longest runs of sorted mean ranks whose ends differ by less than ``critical``."""
    runs: list[tuple[int, int]] = []
    for first in range(len(places)):
        last = max(n for n in range(first, len(places)) if places[n] - places[first] < critical or n == first)
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs
