"""Tuning in a report, from ledgers written by hand: scores, ranks, chosen fields, a bundle."""

import json

import pytest

from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE
from recsys_data.sealed_json import sealed_line
from reports.bundles.write import write_bundle
from reports.output.bundle import open_bundle
from reports.output.html import render_html
from reports.report import build
from tests.stored_records import write_sealed

CHAIN = "Markov chain"
# GRU is the better one of many trials, Markov of one: its mean is higher
SCORES = {"GRU": [0.10, None, 0.30, 0.02], "Markov": [0.20, 0.20, 0.22, 0.19]}
COSINES = [{"type": "baselines.neighbours.item_knn.Cosine", "shrinkage": s, "alpha": 0.5} for s in (0.0, 20.0)]


def write_search(root, model, sampler="random"):
    """The files of a search, in the layout of the harness; its key."""
    folder = root / "tuning" / f"search-{model}"
    folder.mkdir(parents=True)
    space = {"rate": {"type": "harness.tuning.LogUniform", "low": 0.001, "high": 0.1},
             "similarity": {"type": "harness.tuning.Choice", "options": COSINES}}  # fmt: skip
    head = {"key": folder.name, "model": model, "metric": "MRR@20", "higher_is_better": True,
            "sampler": sampler, "trials": 4, "space": space}  # fmt: skip
    write_sealed(folder / SEARCH_FILE, head)
    trials = [{"trial": n, "point": {"rate": 0.01 * (n + 1), "similarity": n % 2},
               "fields": {"rate": 0.01 * (n + 1), "similarity": COSINES[n % 2]},
               "state": "FAILED" if score is None else "DONE", "validation": score, "seconds": 30.0,
               "reason": "the loss became NaN" if score is None else ""}
              for n, score in enumerate(SCORES[model])]  # fmt: skip
    (folder / LEDGER_FILE).write_text("".join(sealed_line(trial, folder.name) for trial in trials))
    return folder.name


@pytest.fixture
def tuned(tmp_path, make_store):
    """Writes a store whose GRU and Markov were tuned; its root."""

    def write(sampler="random"):
        make_store(tmp_path, datasets=(CHAIN,), queries=120, published=False)
        keys = {model: write_search(tmp_path, model, sampler) for model in SCORES}
        for path in tmp_path.glob("cells/*/cell.json"):
            record = json.loads(path.read_text())
            if record["model"] in keys:
                record["tuning"] = {"search": keys[record["model"]], "trials": 4}
                write_sealed(path, record)
        return tmp_path

    return write


def parts(report):
    """The figure, the table and the words of tuning in a report."""
    named = {block.anchor: block for block in report.section("training").blocks}
    return named["budget-figure-1"], named["tuning-1"], named["budget-1"]


def test_tuned_models_share_one_figure_with_observed_and_expected_scores(tuned):
    report = build(tuned(), "little")
    figure, table, words = parts(report)
    lines = {line["model"]: line for line in figure.data["lines"]}
    colors = {row.entries[0].text: row.entries[0].color for row in table.rows}
    assert list(lines) == ["Markov", "GRU"] == list(colors)
    assert {model: line["color"] for model, line in lines.items()} == colors
    assert figure.data["bins"] == ["1", "2", "3", "4"]
    assert lines["GRU"]["found"] == [0.10, 0.10, 0.30, 0.30]
    assert lines["GRU"]["values"][0] == pytest.approx((0.10 + 0.30 + 0.02) / 3), "a success is certain"
    # two draws of four trials, one of which fails: of 16, 15 have a success; 0.3 is the best of 16 − 9, and so on
    assert lines["GRU"]["values"][1] == pytest.approx((0.30 * 7 + 0.10 * (9 - 4) + 0.02 * (4 - 1)) / 15)
    assert lines["Markov"]["values"][0] == pytest.approx(0.2025)
    rows = {row.entries[0].text: row for row in table.rows}
    gru = {key: table.entry(rows["GRU"], key) for key in ("trials", "failed", "best", "rank_first", "rank_last")}
    assert {key: entry.value for key, entry in gru.items()} == {
        "trials": 4, "failed": 1, "best": 0.30, "rank_first": 2, "rank_last": 1}  # fmt: skip
    assert {entry.link for entry in gru.values()} == {rows["GRU"].entries[0].link}
    assert gru["failed"].exact == "the loss became NaN"
    assert table.entry(rows["GRU"], "chosen").text == "rate 0.03, similarity.shrinkage 0"
    assert table.entry(rows["GRU"], "seconds").text == "2 min 00 s"
    assert any("Not tuned: Popularity, kNN" in note for note in table.notes)
    first = next(k for k in range(4) if lines["GRU"]["values"][k] > lines["Markov"]["values"][k])
    assert words.paragraphs[0].startswith(
        f"Between 1 and 4 trials, 1 of 1 pair of tuned models swaps ranks: GRU overtakes Markov from trial "
        f"{first + 1} on"
    )
    assert report.section("methods").blocks[2].heading == "Tuning"


def test_without_random_trials_there_is_no_expected_score(tuned):
    figure, _, _ = parts(build(tuned("tpe"), "little"))
    lines = {line["model"]: line for line in figure.data["lines"]}
    assert lines["GRU"]["values"] == [0.10, 0.10, 0.30, 0.30]
    assert lines["GRU"]["found"] == []
    assert "expected" not in figure.caption


def test_a_bundle_holds_the_ledger_and_draws_the_same_page(tuned, tmp_path):
    root = tuned()
    names = write_bundle(root, "little", tmp_path / "out" / "little.zip").names
    assert f"tuning/search-GRU/{LEDGER_FILE}" in names and f"tuning/search-Markov/{SEARCH_FILE}" in names
    page = render_html(build(root, "little"))
    assert "budget-figure-1" in page
    with open_bundle(tmp_path / "out" / "little.zip") as (unpacked, suite):
        assert render_html(build(unpacked, suite)) == page


def test_a_suite_without_tuning_does_not_mention_it(report):
    assert not [block for block in report.section("training").blocks if block.anchor.startswith(("budget", "tuning"))]
    assert "Tuning" not in [block.heading for block in report.section("methods").blocks]
