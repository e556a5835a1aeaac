"""Time-LSTM's suite at smoke size: rows, twins of the sampled and the full ranking, and what each row is told."""

import json

import pytest

from recsys_data.protocols.candidates import ALL_ITEMS
from suites.time_lstm import AS_CODED, EXPERIMENTS, REFERENCES, SUITE, official


@pytest.fixture(scope="module")
def smoke(smoke_run):
    return smoke_run("time_lstm", "--limit-users", "60")


def test_it_runs_end_to_end(smoke):
    smoke.check_every_row()
    smoke.check_absent()
    smoke.check_report()


def test_no_number_is_judged_and_the_report_says_why():
    assert len(SUITE.published) == 2 and all(value.not_comparable for value in SUITE.published)
    assert "was not available" in SUITE.notes[0]


def test_sampled_and_full_ranking_ask_the_same_of_the_same_users(smoke):
    sampled, full = official(()), official((), {"candidates": ALL_ITEMS})
    counts = {}
    for cell in smoke.record["cells"]:
        if cell["model"] == "Popularity" and cell["state"] == "DONE":
            stored = json.loads((smoke.folder.parent / "cells" / cell["key"] / "cell.json").read_text())
            counts[cell["dataset"], cell["protocol"]] = stored["counts"]
    datasets = {dataset for dataset, _ in counts}
    assert datasets
    for dataset in datasets:
        assert counts[dataset, sampled.name] == counts[dataset, full.name]


def test_only_time_models_are_told_of_time():
    for experiment in EXPERIMENTS:
        for label, model in experiment.models.items():
            if label in (*REFERENCES, "Session-RNN", "LSTM") or label.startswith("Phased"):
                assert not hasattr(model, "gap")
            else:
                assert model.gap == ("previous" if label.endswith("(past gaps)") else "next")
                assert model.time_unit == (1.0 if label.endswith(AS_CODED) else 86_400.0)


def test_growth_needs_the_epochs_that_the_models_have():
    for experiment in EXPERIMENTS:
        for model in experiment.models.values():
            assert getattr(model, "epochs", experiment.protocol.epochs) == experiment.protocol.epochs == 50
