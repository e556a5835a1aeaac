"""Drawings of lines and points; each takes an empty matplotlib figure, plain data and a pen."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.printed_numbers import format_number, format_seconds, fraction

_LINE = 11.0  # points between two lines of text
_NAME_LENGTH = 22  # characters in one line of a name
_NO_ROOM = 100  # the cost of covering another name, a mark or the frame
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)))


@dataclass(frozen=True)
class Pen:
    """Drawing functions: colour and marker by model number, tooltips, axis styles, widths of text."""

    color: Callable[[int | None], str]
    marker: Callable[[int], str]
    marker_char: Callable[[int], str]
    ink: str
    tooltip: Callable[[Any, str], None]
    set_axis: Callable[..., None]
    text_width: Callable[[str, float], float]

    def frame(
        self, figure: Any, *, left: float = 0.55, right: float = 0.12, top: float = 0.28, bottom: float = 0.48
    ) -> None:
        """Set the margins in inches, known in advance so that nothing is drawn twice to measure it."""
        width, height = figure.get_size_inches()
        figure.subplots_adjust(left=left / width, right=1 - right / width, top=1 - top / height, bottom=bottom / height)

    def widest(self, names: Iterable[str], points: float) -> float:
        """The width of the longest name in inches."""
        return max((self.text_width(line, points) for name in names for line in name.split("\n")), default=0.0)


def fold(name: str, most: int) -> str:
    """A name on as many lines as it needs; nothing of it is cut."""
    return "\n".join(textwrap.wrap(" ".join(name.split()), most))


def num_lines(names: Iterable[str]) -> int:
    """The number of lines of the tallest name."""
    return max((name.count("\n") + 1 for name in names), default=1)


def spread(wanted: list[float], gap: float) -> list[float]:
    """Positions nearest to ``wanted`` in the same order and at least ``gap`` apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[list[float]] = []  # [sum of wanted, number]
    for i in order:
        groups.append([wanted[i], 1])
        while len(groups) > 1 and _middle(groups[-1]) - _middle(groups[-2]) < gap * (groups[-1][1] + groups[-2][1]) / 2:
            last = groups.pop()
            groups[-1] = [groups[-1][0] + last[0], groups[-1][1] + last[1]]
    placed = [_middle(g) + gap * (k - (g[1] - 1) / 2) for g in groups for k in range(int(g[1]))]
    result = [0.0] * len(wanted)
    for place, i in zip(placed, order, strict=True):
        result[i] = place
    return result


def _middle(group: list[float]) -> float:
    return group[0] / group[1]


def _name(line: dict[str, Any]) -> str:
    """A model's name, with a dagger if it has a caveat."""
    return line["model"] + (" †" if line["has_caveat"] else "")


def _named(line: dict[str, Any], pen: Pen) -> str:
    """The name at a line's end, with the line's marker."""
    return fold(f"{pen.marker_char(line['color'])} {_name(line)}", _NAME_LENGTH)


def _label_ends(axes: Any, ends: list[tuple[str, int, float]], pen: Pen) -> None:
    """Names to the right of the axes at the heights of the line ends, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    height = axes.get_position().height * axes.figure.get_size_inches()[1] * 72
    tall = _LINE * num_lines(name for name, _, _ in ends)
    places = spread([(y - low) / (high - low) * height for _, _, y in ends], tall)
    order = sorted(range(len(ends)), key=places.__getitem__)
    for n, i in enumerate(reversed(order)):  # none above the figure
        places[i] = min(places[i], height + 0.6 * _LINE - tall * n)
    for n, i in enumerate(order):  # and none below the axis, where its names are
        places[i] = max(places[i], tall * n + 0.4 * _LINE)
    for (name, number, _), place in zip(ends, places, strict=True):
        axes.annotate(name, (1.0, place / height), xycoords="axes fraction", xytext=(5, 0), va="center",
                      textcoords="offset points", color=pen.color(number), annotation_clip=False)  # fmt: skip


def curves(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Validation score above, loss below, by epoch; a marker on the kept epoch."""
    validated = any(v is not None for line in data["lines"] for v in line["validation"])
    parts = [("validation", "validation score"), ("loss", "training loss")][0 if validated else 1 :]
    names = dict.fromkeys(_named(line, pen) for line in data["lines"])
    tall = max(1.7, 0.16 * len(names) * num_lines(names) + 0.2)
    figure.set_size_inches(figure.get_size_inches()[0], tall * len(parts) + 0.8)
    pen.frame(figure, right=0.12 + pen.widest(names, 9.0))
    panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False, gridspec_kw={"hspace": 0.25})[:, 0]
    for axes, (key, title) in zip(panels, parts, strict=True):
        _panel(axes, [line for line in data["lines"] if any(v is not None for v in line[key])], key, pen)
        axes.set_title(title, loc="left")
    for axes in panels[:-1]:
        pen.set_axis(axes, "x", numbers=False)
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.get_major_locator().set_params(integer=True)


def _panel(axes: Any, drawn: list[dict[str, Any]], key: str, pen: Pen) -> None:
    """One line per seed, with the model's marker on the kept epoch."""
    ends: dict[str, tuple[int, list[float]]] = {}
    for line in drawn:
        points = [(e, v) for e, v in zip(line["epochs"], line[key], strict=True) if v is not None]
        (curve,) = axes.plot(*zip(*points, strict=True), color=pen.color(line["color"]), linewidth=1.1,
                             linestyle=_DASHES[line["seed"] % len(_DASHES)], marker=pen.marker(line["color"]),
                             markevery=[n for n, (e, _) in enumerate(points) if e == line["best"]])  # fmt: skip
        text = ", ".join(f"{e}: {format_number(v, 4)}" for e, v in points[-12:])
        pen.tooltip(curve, f"{line['model']}, seed {line['seed']}, kept epoch {line['best']}; {text}")
        ends.setdefault(_named(line, pen), (line["color"], []))[1].append(points[-1][1])
    _label_ends(axes, [(name, number, sum(v) / len(v)) for name, (number, v) in ends.items()], pen)


def pareto(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Accuracy against training time on a log axis, with the Pareto front."""
    points = sorted(data["points"], key=lambda p: (p["x"], -p["y"]))
    figure.set_size_inches(figure.get_size_inches()[0], max(3.0, 0.16 * len(points) + 0.9))
    pen.frame(figure, right=0.22)
    axes = figure.subplots()
    axes.set_xscale("log")
    front: list[dict[str, Any]] = []
    for point in points:
        if not front or point["y"] > front[-1]["y"]:
            front.append(point)
    axes.step([p["x"] for p in front], [p["y"] for p in front], where="post", color=pen.ink, alpha=0.35, linewidth=0.9)
    for point in points:
        (dot,) = axes.plot(point["x"], point["y"], marker=pen.marker(point["color"]), linestyle="none",
                           color=pen.color(point["color"]), markersize=7)  # fmt: skip
        pen.tooltip(dot, f"{point['model']}: {fraction(point['y'])} after {format_seconds(point['x'])}")
    axes.margins(x=0.12, y=0.18)
    _label_points(axes, points, front, pen)
    axes.xaxis.set_major_formatter(lambda v, _: format_number(v, 1))
    axes.set_xlabel("training time in seconds (log scale)")
    axes.set_title(data["metric"], loc="left")
    axes.yaxis.set_major_formatter(lambda v, _: fraction(v, 3))


def _label_points(axes: Any, points: list[dict[str, Any]], front: list[dict[str, Any]], pen: Pen) -> None:
    """Names beside their marks at the nearest position clear of marks, names, frame and line; omitted without room."""
    low, high = axes.get_ylim()
    left, right = map(math.log, axes.get_xlim())
    box, size = axes.get_position(), axes.figure.get_size_inches() * 72
    tall, wide = (high - low) / (box.height * size[1]), (right - left) / (box.width * size[0])  # units a point
    spots = [(math.log(p["x"]) / wide, p["y"] / tall) for p in points]
    occupied = [(x - 5, x + 5, y) for x, y in spots]  # left, right and height
    steps = [(math.log(p["x"]) / wide, p["y"] / tall) for p in front]
    line = [piece for (a, y), (b, z) in itertools.pairwise(steps) for piece in ((a, b, y, y), (b, b, y, z))]

    def cost(start: float, end: float, at: float) -> int:
        """Cost of a position; crossing the line costs less than being far from the mark."""
        outside = not (left / wide <= start and end <= right / wide and low / tall + 5 <= at <= high / tall + 5)
        crossed = any(start < b + 2 and a - 2 < end and y < at + 5 and at - 5 < z for a, b, y, z in line)
        met = sum(start < b and a < end and abs(at - there) < _LINE - 1 for a, b, there in occupied)
        return _NO_ROOM * (outside + met) + 6 * crossed

    for (x, y), point in zip(spots, points, strict=True):
        length = pen.text_width(_name(point), 9.0) * 72
        first = x < (spots[0][0] + spots[-1][0]) / 2  # towards the middle; the front continues to the right
        places = [((x + 7, x + 7 + length) if after else (x - 7 - length, x - 7), y + up)
                  for up in (8, 0, -9, 16, -17, 24, -25, 32) for after in (first, not first)]  # fmt: skip
        costs = [far + cost(*span, at) for far, (span, at) in enumerate(places)]
        if min(costs) >= _NO_ROOM:
            continue
        (start, end), at = places[costs.index(min(costs))]
        occupied.append((start, end, at))
        axes.annotate(_name(point), (math.exp(start * wide), at * tall), va="center", color=pen.color(point["color"]),
                      annotation_clip=False)  # fmt: skip


def _stairs(axes: Any, values: Sequence[float | None], color: str) -> None:
    """Observed values as thin dotted steps beside the expected line."""
    points = [(x, y) for x, y in enumerate(values) if y is not None]
    if points:
        axes.step(*zip(*points, strict=True), where="post", color=color, alpha=0.5, linewidth=0.8, linestyle=":")


def lines(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """A metric over bins, cut-offs or trials, one line per model with its name at the end."""
    drawn = [line for line in data["lines"] if any(v is not None for v in line["values"])]
    ends = [_named(line, pen) for line in drawn]
    figure.set_size_inches(figure.get_size_inches()[0], max(3.0, 0.16 * len(drawn) * num_lines(ends) + 0.9))
    beside = 0.12 + pen.widest(ends, 9.0)
    step = max(1, len(data["bins"]) // 12)
    names = data["bins"][::step]
    room = (figure.get_size_inches()[0] - 0.55 - beside) / max(1, len(names) - 1)
    if pen.widest(names, 8.0) + 0.06 > room:  # every second name a line lower
        names = ["\n" * (n % 2) + name for n, name in enumerate(names)]
        pen.frame(figure, right=beside, bottom=0.62)
    else:
        pen.frame(figure, right=beside)
    axes = figure.subplots()
    ends = []
    for line in drawn:
        points = [(x, y) for x, y in enumerate(line["values"]) if y is not None]
        number = line["color"]
        (curve,) = axes.plot(*zip(*points, strict=True), color=pen.color(number), marker=pen.marker(number))
        text = ", ".join(f"{data['bins'][x]}: {fraction(y)}" for x, y in points)
        pen.tooltip(curve, f"{line['model']} by {data['axis']}: {text}")
        ends.append((_named(line, pen), number, points[-1][1]))
        _stairs(axes, line.get("found", ()), pen.color(number))
    pen.set_axis(axes, "x", ticks=range(0, len(data["bins"]), step), labels=names)
    axes.set_xlabel(data["axis"])
    axes.set_title(data["metric"], loc="left")
    axes.set_ylim(bottom=0)
    places = 2 if axes.get_ylim()[1] > 0.1 else 3
    axes.yaxis.set_major_formatter(lambda v, _: fraction(v, places))
    _label_ends(axes, ends, pen)
