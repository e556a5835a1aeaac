"""What a tired reader must not misread: counts, marks, captions and headings say what is there, no more."""

import itertools
import json

import matplotlib.figure
import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.results.suite_results import read_suite
from reports.chapters.comparison import standings
from reports.document.blocks import Figure
from reports.document.run_index import RunIndex
from reports.figures import draw
from reports.figures.axes import AxisStyles
from reports.figures.lines import Pen, pareto
from reports.figures.palette import color, marker, marker_char
from reports.report import build


@pytest.fixture
def parted(tmp_path, make_store):
    """A suite of which one data set was run: its record plans both."""
    make_store(tmp_path)
    path = tmp_path / "suites" / "little" / "suite.json"
    record = json.loads(path.read_text())
    second = list(dict.fromkeys(cell["dataset"] for cell in record["cells"]))[1]
    for cell in record["cells"]:
        if cell["dataset"] == second:
            cell |= {"state": "MISSING", "key": None, "reason": "not chosen by --only"}
    record["seeds"] = [0]
    path.write_text(json.dumps(record))
    return build(tmp_path, "little")


def figures(report, kind):
    return [b for s in report.sections for b in s.blocks if b.block == "figure" and b.kind == kind]


def test_what_was_not_run_is_not_counted_as_run_or_as_undecided(parted):
    said = parted.sections[0].blocks[0].paragraphs
    assert "without a result here" in said[0]
    assert said[1].startswith("Based on 9 runs of 5 models on 1 data set; 9 missing (reasons below)")
    published = next(t for t in parted.tables() if t.anchor == "published")
    absent = [row for row in published.rows if "has no result" in published.entry(row, "reason").text]
    assert absent
    assert all(published.entry(row, "seeds").text == "–" for row in absent)
    assert dict(parted.facts)["Seed"] == "0"
    data = parted.section("data").blocks
    assert sum("No cell" in p for b in data if b.block == "text" for p in b.paragraphs) == 1


def test_names_of_a_figure_leave_out_what_all_its_rows_share(parted):
    (figure,) = figures(parted, "levels")
    assert "of one seed" not in figure.caption  # three were run
    assert not any("Clicks" in row["name"] or "chain" in row["name"] for row in figure.data["rows"])


def test_daggers_are_told_under_the_figure_and_only_there(report):
    forests = {figure.anchor: figure for figure in figures(report, "forest")}
    assert forests["forest-1-1"].has_daggers
    assert not forests["forest-2-1"].has_daggers


def test_without_validation_the_caption_promises_the_loss_alone(tmp_path, make_store):
    make_store(tmp_path, published=False)
    for path in tmp_path.glob("cells/*/curve.jsonl"):
        lines = [json.loads(line) | {"validation": None} for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for figure in figures(build(tmp_path, "little"), "curves"):
        assert figure.caption.startswith("Training loss (no validation) by epoch")
        assert "alidation score" not in figure.label


def test_what_columns_mean_stands_in_the_methods(report):
    columns = next(block for block in report.section("methods").blocks if block.heading == "Columns")
    said = " ".join(columns.paragraphs)
    for table in report.tables():
        for column in table.columns:
            assert not column.hint or f": {column.hint}" in said
            assert not column.hint or column.title in said


def test_a_table_holds_as_many_metrics_as_a_sheet_has_room_for(store, report):
    results = read_suite(store, "little")
    tables = [table for table in compare_suite(results) if table.models][:2]
    runs = {r.model: r for r in next(iter(RunIndex.of(results).groups.values())).runs}
    made = standings([*tables, *tables, tables[0]], runs, "D", "1")
    assert [table.anchor for table in made] == ["standing-1", "standing-1-3", "standing-1-5"]
    assert max(len(table.columns) for table in made) <= 11
    (alone,) = standings(tables, runs, "D", "1")
    assert alone.caption == "All models: D"


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


def test_names_keep_off_the_line_of_the_best():
    """The second name would stand across the step up to the third mark if only marks and names were minded."""
    axes, boxes = cost_figure([("A", 0.01, 0.1), ("a name of some length", 0.3, 0.2), ("C", 1, 0.3), ("D", 900, 0.05)])
    steps = next(line for line in axes.lines if len(line.get_xdata()) == 3)
    corners = axes.transData.transform([(x, y) for x, y in zip(*steps.get_data(), strict=True)])
    assert set(boxes) == {"A", "a name of some length", "C", "D"}
    for name, (left, right, bottom, top) in boxes.items():
        for (_, low), (wall, high) in itertools.pairwise(corners):  # the step up to each corner
            assert not (left < wall < right and low < top and bottom < high), name


def test_names_of_a_crowd_are_left_out_where_they_would_hide_each_other():
    crowd = [(f"a model of a long name {n}", 100.0 + 9 * n, 0.2 + 0.002 * n) for n in range(30)]
    axes, boxes = cost_figure([("far", 0.001, 0.1), *crowd])
    assert "far" in boxes
    assert 2 <= len(boxes) < 20
    frame = axes.get_window_extent()
    assert all(frame.x0 <= left and right <= frame.x1 for left, right, *_ in boxes.values())
    for one, other in itertools.combinations(boxes.values(), 2):
        assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


def test_a_map_too_large_for_numbers_still_marks_what_is_not_told_apart():
    pair = {"row": 0, "column": 1, "difference": 0.1, "relative": 0.1, "q": 0.5}
    data = {"models": ["A", "B", "C"], "pairs": [pair], "numbered": False}
    unsure = draw.draw(Figure("h", "heat", "H", "", data))
    sure = draw.draw(Figure("h", "heat", "H", "", data | {"pairs": [pair | {"q": 0.0001}]}))
    assert unsure.count("<use") == sure.count("<use") + 1
