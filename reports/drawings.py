"""The drawings themselves: each takes an empty figure, plain data and a pen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reports.numbers import duration, fraction, interval, plain

_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)))


@dataclass(frozen=True)
class Pen:
    """How models are drawn: colour and marker by number, the ink of the page, and what a mark says when pointed at."""

    color: Callable[[int | None], str]
    marker: Callable[[int], str]
    ink: str
    tip: Callable[[Any, str], None]


def short(name: str, most: int = 30) -> str:
    """A name cut to fit into a figure; names are on one line."""
    line = " ".join(name.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def spread(wanted: list[float], gap: float) -> list[float]:
    """Places nearest to ``wanted`` that keep their order and are at least ``gap`` apart."""
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


def _label_ends(axes: Any, ends: list[tuple[str, int, float]], pen: Pen) -> None:
    """Names to the right of the axes, at the heights where their lines end (figure coordinates settle overlaps)."""
    low, high = axes.get_ylim()
    height = axes.get_position().height * axes.figure.get_size_inches()[1] * 72
    places = spread([(y - low) / (high - low) * height for _, _, y in ends], 11.0)
    for (name, number, _), place in zip(ends, places, strict=True):
        axes.annotate(
            short(name, 22),
            (1.0, place / height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=pen.color(number),
            annotation_clip=False,
        )


def curves(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Validation above, loss below, by epoch; the kept epoch is marked."""
    judged = any(v is not None for line in data["lines"] for v in line["validation"])
    parts = [("validation", "validation score"), ("loss", "training loss")][0 if judged else 1 :]
    figure.set_size_inches(figure.get_size_inches()[0], 2.1 * len(parts) + 0.3)
    panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (key, title) in zip(panels, parts, strict=True):
        ends: dict[str, tuple[int, list[float]]] = {}
        for line in data["lines"]:
            points = [(e, v) for e, v in zip(line["epochs"], line[key], strict=True) if v is not None]
            if not points:
                continue
            number = line["color"]
            (drawn,) = axes.plot(
                *zip(*points, strict=True),
                color=pen.color(number),
                linestyle=_DASHES[line["seed"] % len(_DASHES)],
                linewidth=1.1,
            )
            pen.tip(drawn, f"{line['model']}, seed {line['seed']}: last {plain(points[-1][1], 4)}")
            kept = [p for p in points if p[0] == line["best"]]
            if kept and key == "validation":
                (dot,) = axes.plot(*kept[0], marker=pen.marker(number), color=pen.color(number), linestyle="none")
                pen.tip(dot, f"{line['model']}, seed {line['seed']}: kept epoch {kept[0][0]}, {plain(kept[0][1], 4)}")
            name = line["model"] + (" †" if line["stamped"] else "")
            ends.setdefault(name, (number, []))[1].append(points[-1][1])
        axes.set_title(title, loc="left")
        named = [(model, number, sum(v) / len(v)) for model, (number, v) in ends.items()]
        if len(named) <= 12:
            _label_ends(axes, named, pen)
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.get_major_locator().set_params(integer=True)


def pareto(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Accuracy against seconds of training on a log axis, with the line of those that nobody beats in both."""
    axes = figure.subplots()
    points = sorted(data["points"], key=lambda p: (p["x"], -p["y"]))
    front, best = [], -math.inf
    for point in points:
        if point["y"] > best:
            front.append(point)
            best = point["y"]
    axes.set_xscale("log")
    axes.step([p["x"] for p in front], [p["y"] for p in front], where="post", color=pen.ink, alpha=0.35, linewidth=0.9)
    for point in points:
        (dot,) = axes.plot(
            point["x"],
            point["y"],
            marker=pen.marker(point["color"]),
            linestyle="none",
            color=pen.color(point["color"]),
            markersize=7,
        )
        pen.tip(dot, f"{point['model']}: {fraction(point['y'])} after {duration(point['x'])}")
    axes.margins(x=0.12, y=0.12)
    low, high = axes.get_ylim()
    places = spread([p["y"] for p in points], (high - low) * 0.055)
    right = math.sqrt(points[0]["x"] * points[-1]["x"])
    for point, place in zip(points, places, strict=True):
        before = point["x"] > right
        axes.annotate(
            short(point["model"]) + (" †" if point["stamped"] else ""),
            (point["x"], place),
            xytext=(-7 if before else 7, 0),
            textcoords="offset points",
            va="center",
            ha="right" if before else "left",
            color=pen.color(point["color"]),
        )
    axes.xaxis.set_major_formatter(lambda v, _: plain(v, 1))
    axes.xaxis.set_minor_formatter(lambda v, _: "")
    axes.set_xlabel("seconds of training (log scale)")
    axes.set_title(data["metric"], loc="left")
    axes.yaxis.set_major_formatter(lambda v, _: fraction(v, 3))


def forest(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Differences with their intervals, one row a pair, over the band of the relevance margin."""
    rows = data["rows"]
    figure.set_size_inches(figure.get_size_inches()[0], 0.85 + 0.27 * len(rows))
    axes = figure.subplots()
    for place, item in enumerate(rows):
        margin = item.get("margin")
        if margin:
            axes.fill_betweenx([place - 0.5, place + 0.5], -margin, margin, color=pen.ink, alpha=0.1, linewidth=0)
        shade = pen.color(item["color"])
        if item["low"] is not None and item["high"] is not None:
            axes.plot([item["low"], item["high"]], [place, place], color=shade, linewidth=1.6)
        (dot,) = axes.plot(item["value"], place, marker=pen.marker(item["color"]), color=shade, linestyle="none")
        pen.tip(
            dot,
            f"{item['name']}: {fraction(item['value'], 5, sign=True)} "
            f"{interval(item['low'], item['high'], 5, sign=True)}",
        )
    axes.axvline(0, color=pen.ink, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [short(r["name"], 42) for r in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(data["axis"])
    axes.xaxis.set_major_formatter(lambda v, _: fraction(v, 3, sign=v > 0))
    axes.locator_params(axis="x", nbins=6)


def levels(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """Rerun divided by published on a log axis over bands of 5 % and 10 %, one row a number."""
    rows = data["rows"]
    figure.set_size_inches(figure.get_size_inches()[0], 1.0 + 0.27 * len(rows))
    axes = figure.subplots()
    axes.set_xscale("log")
    for margin, shade in ((1.10, 0.08), (1.05, 0.10)):
        axes.axvspan(1 / margin, margin, color=pen.ink, alpha=shade, linewidth=0)
    axes.axvline(1, color=pen.ink, linewidth=0.8)
    for place, item in enumerate(rows):
        shade = pen.color(item["color"])
        if item["low"] and item["high"]:
            axes.plot([item["low"], item["high"]], [place, place], color=shade, linewidth=1.6)
        (dot,) = axes.plot(
            item["ratio"],
            place,
            marker=pen.marker(item["color"]),
            color=shade,
            linestyle="none",
            fillstyle="full" if item["judged"] else "none",
        )
        pen.tip(
            dot,
            f"{item['name']}: published {item['published']}, rerun {item['rerun']}, "
            f"ratio {item['ratio']:.3f}, {item['outcome']}",
        )
    axes.set_yticks(range(len(rows)), [short(r["name"], 42) for r in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    reach = [r[k] for r in rows for k in ("low", "high", "ratio") if r[k]]
    low, high = min(*reach, 1 / 1.15), max(*reach, 1.15)
    axes.set_xlim(low / 1.03, high * 1.03)
    ticks = [t for t in (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10) if low <= t <= high]
    ticks = [t for t in ticks if high / low < 2.2 or t not in (0.9, 1.1, 0.67, 1.25)]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("rerun ÷ published (log scale)")


def lines(figure: Any, data: dict[str, Any], pen: Pen) -> None:
    """A metric over named bins or cut-offs, one line a model, with its name at the end."""
    axes = figure.subplots()
    ends = []
    places = range(len(data["bins"]))
    for line in data["lines"]:
        points = [(x, y) for x, y in zip(places, line["values"], strict=True) if y is not None]
        if not points:
            continue
        number = line["color"]
        axes.plot(*zip(*points, strict=True), color=pen.color(number))
        for x, y in points:
            (dot,) = axes.plot(x, y, marker=pen.marker(number), color=pen.color(number), linestyle="none")
            pen.tip(dot, f"{line['model']}, {data['axis']} {data['bins'][x]}: {fraction(y)}")
        ends.append((line["model"] + (" †" if line["stamped"] else ""), number, points[-1][1]))
    axes.set_xticks(list(places), data["bins"])
    axes.set_xlabel(data["axis"])
    axes.set_title(data["metric"], loc="left")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda v, _: fraction(v, 2))
    _label_ends(axes, ends, pen)


DRAWINGS: dict[str, Callable[[Any, dict[str, Any], Pen], None]] = {
    "curves": curves, "pareto": pareto, "forest": forest, "levels": levels, "lines": lines,
}  # fmt: skip
