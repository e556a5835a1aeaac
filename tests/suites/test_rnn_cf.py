"""The suite rnn_cf: its published cells and claims as they stand in the source, and a smoke run of all of it."""

import csv
import json

import pytest
from typer.testing import CliRunner

import benchmark
from evaluation.verdicts.claims import Compound
from recsys_data.fetching.source import data_folder
from suites.rnn_cf import MOVIELENS, NETWORKS, SEEN_KEPT, SUITE

# kwonmha's README, "Experimental results": sps and recall in per cent
README = """
vanilla 50 31 6.2
weight_tying 50 29.2 6.0
vanilla 100 29.2 5.2
weight_tying 100 33.8 6.6
vanilla 200 28.6 5.6
weight_tying 200 31 6.8
"""


def test_every_cell_of_the_table_is_published_under_the_protocol_it_was_measured_with():
    cells = {(p.model, p.metric): p for p in SUITE.published}
    assert len(cells) == len(SUITE.published) == 12
    for line in README.split("\n")[1:-1]:
        kind, dim, sps, recall = line.split()
        label = f"LSTM {kind.replace('_', ' ')}, dim {dim}"
        assert cells[label, "SPS@10"].value == pytest.approx(float(sps) / 100)
        assert cells[label, "Recall@10"].value == pytest.approx(float(recall) / 100)
        model = NETWORKS[label]
        assert (model.dim, model.tied, model.batch_size, model.max_len) == (int(dim), kind == "weight_tying", 16, 30)
    assert {p.protocol for p in SUITE.published} == {SEEN_KEPT.name}
    assert all(p.certain and not p.same_test for p in SUITE.published)


def test_the_published_numbers_bear_out_the_published_claims():
    """A claim turned round would be seen here."""
    values = {(p.model, p.metric): p.value for p in SUITE.published}
    for claim in SUITE.claims:
        for part in claim.parts if isinstance(claim, Compound) else [claim]:
            assert values[part.better, part.metric] > values[part.worse, part.metric], claim.text


def test_the_four_protocols_are_told_apart_by_name_and_by_what_they_exclude():
    protocols = [experiment.protocol for experiment in SUITE.experiments]
    assert len({p.name for p in protocols}) == 4
    assert [(p.extended, p.candidates.exclude_seen) for p in protocols] == [
        (False, False), (True, False), (False, True), (True, True)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The whole suite on 120 users at the smallest size: what it said and the folder of results."""
    if not MOVIELENS.present(data_folder(None)):
        pytest.skip(f"{MOVIELENS.name} is not under {data_folder(None)}: set ENCORE_DATA to the folder that has it")
    results = tmp_path_factory.mktemp("rnn_cf")
    small = ["--limit-users", "120", "--seeds", "0,", "--set", "epochs=1", "--set", "dim=4", "--set", "max_len=8"]
    said = CliRunner().invoke(benchmark.app, ["run", "rnn_cf", *small, "--results", str(results), "--no-mlflow"])
    assert said.exit_code == 0, said.output
    return results, said


def test_a_smoke_run_does_every_row(smoke):
    results, _ = smoke
    (path,) = (results / "suites").glob("*/suite.json")  # a run with overrides has a folder of its own
    record = json.loads(path.read_text())
    assert {cell["state"] for cell in record["cells"] if cell["seed"] == 0} == {"DONE"}
    rows = {(cell["protocol"], cell["model"]) for cell in record["cells"]}
    assert rows == {(e.protocol.name, model) for e in SUITE.experiments for model in e.models}
    found = json.loads((results / "cells" / record["cells"][0]["key"] / "cell.json").read_text())
    assert found["counts"]["test_queries"] == 9 and found["counts"]["validation_queries"] == 9  # ⌊0.0828 · 120⌋
    assert set(found["metrics"]) == {metric.name for metric in SUITE.metrics}


def test_a_smoke_report_shows_every_published_cell_and_judges_no_level(smoke):
    results, _ = smoke
    (path,) = results.glob("*/tables/published.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["subject"], r["metric"], float(r["published"])) for r in rows] == [
        (p.model, p.metric, p.value) for p in SUITE.published
    ]
    assert {r["outcome"] for r in rows} == {"NOT COMPARABLE"}
    assert all(r["reason"].startswith("SMOKE RUN") for r in rows)
