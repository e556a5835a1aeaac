"""The multiplicative LSTM's suite at smoke size, and its numbers against the trials that they were rounded from."""

import pytest

from suites.mlstm import (
    AMAZON,
    CELL,
    CLAIMED_GAINS,
    EDITIONS,
    GAINS,
    HIDDEN,
    LSTM,
    MULTIPLICATIVE,
    ONE,
    POST,
    SUITE,
    TEN,
)

# test MRR of the best trials on validation, as the draft of the post prints them
TRIALS = {
    ONE: {LSTM: 0.13166397144959427, MULTIPLICATIVE: 0.13863908625141577},
    TEN: {LSTM: 0.10331566577703966, MULTIPLICATIVE: 0.1115424354735183},
    AMAZON: {LSTM: 0.26423511413756995, MULTIPLICATIVE: 0.3123092950844201},
}


@pytest.fixture(scope="module")
def smoke(smoke_run):
    return smoke_run("mlstm", "--limit-users", "60")


def test_it_runs_end_to_end(smoke):
    smoke.check_every_row()
    smoke.check_absent()
    smoke.check_levels()
    smoke.check_report()


@pytest.mark.parametrize("dataset", TRIALS, ids=lambda d: d.name)
def test_table_and_gains_are_those_of_the_trials(dataset):
    for model, value in TRIALS[dataset].items():
        assert POST[dataset][model] == round(value, 4)
    exact = TRIALS[dataset][MULTIPLICATIVE] / TRIALS[dataset][LSTM] - 1
    assert CLAIMED_GAINS[dataset] == round(exact, 4)
    for edition in EDITIONS[dataset]:
        assert [gain.gain for gain in GAINS if gain.dataset == edition.name] == [CLAIMED_GAINS[dataset]]


def test_the_two_changes_are_taken_apart():
    for experiment in SUITE.experiments:
        rows = experiment.models
        assert [rows[label].output for label in (LSTM, CELL, HIDDEN, MULTIPLICATIVE)] == ["hidden", "cell"] * 2
        assert type(rows[LSTM]) is type(rows[CELL]) and type(rows[HIDDEN]) is type(rows[MULTIPLICATIVE])
        assert rows[LSTM].learning_rate == rows[CELL].learning_rate != rows[HIDDEN].learning_rate
