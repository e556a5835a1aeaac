"""Drawing of a split: sizes of its parts, popularity of items, history lengths of test queries."""

from __future__ import annotations

from typing import Any

from evaluation.printed_numbers import count
from reports.figures.lines import Pen

_LINEAR = 200  # events; longer histories need a log axis
_PARTS = (("training events", 0.30), ("validation queries", 0.15), ("test queries", 0.05))


def split(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """The parts as one bar; below, item popularity on log axes and the cumulative share of history lengths."""
    figure.set_size_inches(figure.get_size_inches()[0], 3.3)
    pen.frame(figure, left=0.6, top=0.05)
    grid = figure.add_gridspec(2, 2, height_ratios=(0.5, 2.0), hspace=0.42, wspace=0.32)
    _bar(figure.add_subplot(grid[0, :]), data["parts"], pen)
    left, right = figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
    ranks, often = zip(*data["popularity"], strict=True)
    (curve,) = left.plot(ranks, often, color=pen.ink)
    pen.tooltip(curve, f"the most popular item: {count(often[0])} training events; {data['summary']}")
    left.set(xscale="log", yscale="log", xlabel="item, by popularity")
    left.set_title("training events", loc="left")
    lengths, shares = zip(*data["histories"], strict=True)
    (curve,) = right.step(lengths, shares, where="post", color=pen.ink)
    middle = next(length for length, share in data["histories"] if share >= 0.5)
    pen.tooltip(curve, f"half of the test queries have at most {count(middle)} events of history")
    if lengths[-1] > _LINEAR:
        right.set_xscale("symlog", linthresh=10)
    right.set(ylim=(0, 1.02), xlim=(0, None), xlabel="history length (events)")
    right.set_title("share of test queries", loc="left")
    left.minorticks_off()
    right.minorticks_off()
    _set_ticks(left, "x", ticks(1, ranks[-1]), pen)
    _set_ticks(left, "y", ticks(min(often), max(often)), pen)
    if lengths[-1] > _LINEAR:
        _set_ticks(right, "x", [0, *ticks(10, lengths[-1])], pen)


def _set_ticks(axes: Any, side: str, places: list[int], pen: Pen) -> None:
    pen.set_axis(axes, side, ticks=places, labels=[count(place) for place in places])


def ticks(low: int, high: int, most: int = 4) -> list[int]:
    """Round numbers between two on a log axis, about ``most`` of them; the two themselves if there are none."""
    powers = range(len(str(int(high))))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        inside = [step * 10**n for n in powers for step in steps if low <= step * 10**n <= high]
        if len(inside) <= most:
            break
    if len(inside) < 2:
        return [int(low), int(high)] if high > low else [int(low)]
    return inside if len(inside) <= most + 2 else inside[:: -(-len(inside) // most)]


def _bar(axes: Any, parts: list[int], pen: Pen) -> None:
    """Training, validation and test as one bar, labelled where there is room."""
    whole, start = sum(parts) or 1, 0.0
    inches = axes.get_position().width * axes.figure.get_size_inches()[0]
    for (name, shade), size in zip(_PARTS, parts, strict=True):
        share = size / whole
        (place,) = axes.barh(0, share, left=start, facecolor=(pen.ink, shade), edgecolor=pen.ink, linewidth=0.6)
        pen.tooltip(place, f"{name}: {count(size)}")
        text = f"{name}: {count(size)}"
        if pen.text_width(text, 8.0) < share * inches - 0.1:
            axes.text(start + share / 2, 0, text, ha="center", va="center", fontsize=8)
        start += share
    axes.set(xlim=(0, 1), ylim=(-0.42, 0.42))
    axes.axis("off")
