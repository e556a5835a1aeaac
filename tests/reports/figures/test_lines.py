import itertools

import matplotlib.figure
import pytest

from reports.figures import draw
from reports.figures.axes import AxisStyles
from reports.figures.lines import Pen, fold, num_lines, pareto, spread
from reports.figures.lines import lines as draw_lines
from reports.figures.palette import color, marker, marker_char


def test_labels_are_moved_apart_and_keep_their_order():
    placed = spread([1.0, 1.0, 1.1, 9.0], 1.0)
    assert placed[3] == 9.0
    assert sorted(placed) == placed
    assert all(b - a >= 1.0 - 1e-12 for a, b in itertools.pairwise(placed))
    assert sum(placed[:3]) == pytest.approx(3.1)  # as near as can be: the mean stays
    assert spread([5.0], 1.0) == [5.0]
    assert spread([], 1.0) == []


def test_long_names_are_folded_and_nothing_of_them_is_cut():
    assert fold("a\nb  c", 22) == "a b c"
    assert fold("LSTM weight tying, mean cost, dim 100", 22) == "LSTM weight tying,\nmean cost, dim 100"
    assert fold("x" * 99, 22).replace("\n", "") == "x" * 99
    assert (num_lines(["a", "b\nc", "d"]), num_lines([])) == (2, 1)


def test_folded_names_at_the_ends_of_lines_do_not_overlap():
    """Text of 9 points: the names of two lines are at least 22 points apart."""
    figure, styles = matplotlib.figure.Figure(figsize=(draw.WIDTH, 3.0)), AxisStyles("")
    names = [f"a network of a long name, in its variant {n}" for n in range(6)]
    lines = [{"model": name, "color": n, "has_caveat": n == 0, "values": [0.1, 0.2]} for n, name in enumerate(names)]
    pen = Pen(color=color, marker=marker, marker_char=marker_char, ink="black", tooltip=lambda *_: None,
              set_axis=styles.set, text_width=draw.text_width)  # fmt: skip
    draw_lines(figure, {"axis": "k", "bins": ["1", "2"], "metric": "M", "lines": lines}, pen)
    (axes,) = figure.axes
    inches = axes.get_position().height * figure.get_size_inches()[1]
    heights = sorted(72 * inches * text.xy[1] for text in axes.texts)
    assert len(heights) == 6
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 22 - 1e-6
    assert sum("†" in text.get_text() for text in axes.texts) == 1
    assert all(text.get_text().endswith(f"variant {n}") for n, text in enumerate(axes.texts) if n)


def cost_figure(points):
    """The axes of a cost figure of these names and places, and the box of each name in pixels."""
    points = [{"model": m, "color": n, "has_caveat": False, "x": x, "y": y} for n, (m, x, y) in enumerate(points)]
    figure, styles = matplotlib.figure.Figure(figsize=(draw.WIDTH, 3.0)), AxisStyles("")
    pen = Pen(color=color, marker=marker, marker_char=marker_char, ink="black", tooltip=lambda *_: None,
              set_axis=styles.set, text_width=draw.text_width)  # fmt: skip
    pareto(figure, {"metric": "MRR@20", "points": points}, pen)
    (axes,) = figure.axes
    boxes = {}
    for text in axes.texts:
        left, at = axes.transData.transform(text.xy)
        boxes[text.get_text()] = (left, left + draw.text_width(text.get_text()) * figure.dpi, at - 5, at + 5)
    return axes, boxes


def test_names_do_not_cross_the_pareto_front():
    """The second name would stand across the step up to the third mark if only marks and names were minded."""
    axes, boxes = cost_figure([("A", 0.01, 0.1), ("a name of some length", 0.3, 0.2), ("C", 1, 0.3), ("D", 900, 0.05)])
    steps = next(line for line in axes.lines if len(line.get_xdata()) == 3)
    corners = axes.transData.transform([(x, y) for x, y in zip(*steps.get_data(), strict=True)])
    assert set(boxes) == {"A", "a name of some length", "C", "D"}
    for name, (left, right, bottom, top) in boxes.items():
        for (_, low), (wall, high) in itertools.pairwise(corners):  # the step up to each corner
            assert not (left < wall < right and low < top and bottom < high), name


def test_names_without_room_are_left_out():
    crowd = [(f"a model of a long name {n}", 100.0 + 9 * n, 0.2 + 0.002 * n) for n in range(30)]
    axes, boxes = cost_figure([("far", 0.001, 0.1), *crowd])
    assert "far" in boxes
    assert 2 <= len(boxes) < 20
    frame = axes.get_window_extent()
    assert all(frame.x0 <= left and right <= frame.x1 for left, right, *_ in boxes.values())
    for one, other in itertools.combinations(boxes.values(), 2):
        assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
