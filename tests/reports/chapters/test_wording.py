"""Counts, marks, captions and headings say exactly what a report contains."""

import json
from types import SimpleNamespace

import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.results.suite_results import read_suite
from evaluation.verdicts.judge import judge_suite, requests_of
from evaluation.verdicts.verdict import Outcome, Verdict
from reports.chapters.findings.comparison import standings
from reports.chapters.findings.verdicts import verdicts_section
from reports.document.blocks import Table
from reports.document.run_index import RunIndex
from reports.output.html import render_html
from reports.report import build
from reports.tables.as_csv import to_csv
from reports.tables.as_latex import to_latex
from tests.stored_records import seal_again, write_sealed


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
    write_sealed(path, record)
    return build(tmp_path, "little")


def figures(report, kind):
    return [b for s in report.sections for b in s.blocks if b.block == "figure" and b.kind == kind]


def test_what_was_not_run_is_not_counted_as_run_or_as_undecided(parted):
    first, *_, last = parted.sections[0].blocks
    assert "without a result here" in first.paragraphs[0]
    assert last.paragraphs[0].startswith("Based on 9 runs of 5 models on 1 data set (")
    assert last.paragraphs[0].endswith("of computing); 9 missing (reasons below).")
    published, claims = (next(t for t in parted.tables() if t.anchor == name) for name in ("published", "claims"))
    absent = [row.kind for row in published.rows if published.entry(row, "seeds").text == "–"]
    assert absent == ["missing", "missing"]
    assert render_html(parted).count(' class="missing" hidden>') == 3  # with a claim
    assert str(to_csv(published)).count("has no result (MISSING: not chosen by --only)") == 1
    assert str(to_latex(published)).count("\\\\") == 1 + len(published.rows) - 2
    assert published.notes[-1].startswith("Not shown, without a result here: 2 published numbers (of GRU and <script>")
    assert claims.notes[-1].startswith("Not shown, without a result here: 1 claim (of Popularity and <script>")
    (missing,) = parted.section("missing").tables[0].rows
    assert missing.entries[1].text.startswith("9 cells: Popularity, Markov")
    assert dict(parted.facts)["Seed"] == "0"
    data = parted.section("data").blocks
    assert sum("No cell" in p for b in data if b.block == "text" for p in b.paragraphs) == 1


def test_what_has_no_result_is_shown_quietly(parted):
    (claims,) = [table for table in parted.tables() if table.anchor == "claims"]
    marks = {claims.entry(row, "outcome").text: claims.entry(row, "outcome").marks for row in claims.rows}
    assert marks["NO RESULT"] == ("quiet", "unfounded")
    assert marks["REPRODUCED"] == ("good",)


def test_a_table_of_missing_rows_alone_has_no_headings(tmp_path, make_store, parted):
    assert 'class="table unfilled' not in render_html(parted)
    path = tmp_path / "suites" / "little" / "suite.json"
    record = json.loads(path.read_text())
    record["published"] = [value for value in record["published"] if value["dataset"] != record["cells"][0]["dataset"]]
    write_sealed(path, record)
    assert '<div class="table unfilled small" id="published"' in render_html(build(tmp_path, "little"))


def test_caveats_that_differ_in_the_best_epoch_are_one_note_and_not_a_reason(tmp_path, make_store):
    make_store(tmp_path)
    for path in tmp_path.glob("cells/*/cell.json"):
        cell = json.loads(path.read_text())
        if cell["model"] == "GRU":
            cell["caveats"] = [f"NOT CONVERGED: at its limit of 6 epochs (best epoch {cell['seed'] + 4})"]
            write_sealed(path, cell)
    report = build(tmp_path, "little")
    tables = {table.anchor: table for table in report.tables()}
    for name in ("published", "claims"):
        reasons = [tables[name].entry(row, "reason").text for row in tables[name].rows]
        assert not any("NOT CONVERGED" in reason for reason in reasons)
        notes = [note for note in tables[name].notes if "NOT CONVERGED" in note]
        assert "GRU: NOT CONVERGED: at its limit of 6 epochs (best epochs 4, 5, 6)." in notes
    results = read_suite(tmp_path, "little")
    reasons = [verdict.reason for verdict in judge_suite(results, compare_suite(results, requests_of(results)))]
    assert any("(best epochs 4, 5, 6)" in reason for reason in reasons)


def test_seeds_without_a_result_share_a_row_of_the_runs(tmp_path, make_store):
    make_store(tmp_path)
    path = tmp_path / "suites" / "little" / "suite.json"
    record = json.loads(path.read_text())
    second = list(dict.fromkeys(cell["dataset"] for cell in record["cells"]))[1]
    for cell in record["cells"]:  # seed 2 of the GRU is SKIPPED there for a reason of its own
        if (cell["dataset"], cell["model"]) == (second, "GRU") and cell["seed"] < 2:
            cell |= {"state": "MISSING", "key": None, "reason": "not chosen by --only"}
    write_sealed(path, record)
    (runs,) = [table for table in build(tmp_path, "little").tables() if table.anchor == "cells"]
    rows = [row.entries for row in runs.rows if row.kind != "group"]
    told = [(row[0].text, row[0].value, row[-2].text, row[-1].text) for row in rows if row[-2].marks == ("bad",)]
    assert ("0 and 1", None, "MISSING", "not chosen by --only") in told
    assert ("2", 2, "SKIPPED", "the file is absent: put it in data/taps") in told


def test_names_of_a_figure_leave_out_what_all_its_rows_share(parted):
    first, figure = figures(parted, "levels")
    assert (first.anchor, first.data) == ("answer-figure", figure.data)
    assert "of one seed" not in figure.caption  # three were run
    assert not any("Clicks" in row["name"] or "chain" in row["name"] for row in figure.data["rows"])


def test_daggers_are_explained_below_their_figure_only(report):
    forests = {figure.anchor: figure for figure in figures(report, "forest")}
    assert forests["forest-1-1"].has_daggers
    assert not forests["forest-2-1"].has_daggers


def test_without_validation_the_caption_names_the_loss_alone(tmp_path, make_store):
    make_store(tmp_path, published=False)
    for path in tmp_path.glob("cells/*/curve.jsonl"):
        lines = [json.loads(line) | {"validation": None} for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        seal_again(path.parent)
    for figure in figures(build(tmp_path, "little"), "curves"):
        assert figure.caption.startswith("Training loss (no validation) by epoch")
        assert "alidation score" not in figure.label


def test_methods_explain_the_columns(report):
    columns = next(block for block in report.section("methods").blocks if block.heading == "Columns")
    said = " ".join(columns.paragraphs)
    for table in report.tables():
        for column in table.columns:
            assert not column.hint or f": {column.hint}" in said
            assert not column.hint or column.title in said


def test_a_table_has_at_most_as_many_metrics_as_fit_on_a_page(store, report):
    results = read_suite(store, "little")
    tables = [table for table in compare_suite(results) if table.models][:2]
    runs = {r.model: r for r in next(iter(RunIndex.of(results).groups.values())).runs}
    made = standings([*tables, *tables, tables[0]], runs, "D", "1")
    assert [table.anchor for table in made] == ["standing-1", "standing-1-3", "standing-1-5"]
    assert max(len(table.columns) for table in made) <= 11
    (alone,) = standings(tables, runs, "D", "1")
    assert alone.caption == "All models: D"


def test_the_reason_of_a_compound_keeps_what_says_which_part_decided():
    reason = "A − B = −.0251 [−.0340, −.0162], adjusted p = .0040: it is open."
    part = Verdict("A above B", Outcome.INCONCLUSIVE, reason,
                   estimate=-0.0251, interval=(-0.034, -0.0162), p_adjusted=0.004, signed=True)  # fmt: skip
    whole = Verdict("all", Outcome.INCONCLUSIVE, f"1 of 3 parts hold; A above B (INCONCLUSIVE): {reason}",
                    parts=(part,))  # fmt: skip
    index = SimpleNamespace(find=lambda *labels: None, results=SimpleNamespace(failures=[]))
    (table,) = [block for block in verdicts_section(index, [whole]).blocks if isinstance(block, Table)]
    why = [table.entry(row, "reason").text for row in table.rows]
    assert why[0].startswith("1 of 3 parts hold; A above B (INCONCLUSIVE): A − B = −.0251")
    assert why[1] == "It is open."  # the columns of its row have the numbers
