from itertools import pairwise

import numpy as np
import pytest

from baselines.simple.markov import MarkovChain
from recsys_data.sequences import SequenceBatch
from training.run import Run

ROWS = [[0, 1, 0, 2], [0, 1, 3], [1, 0, 1]]  # pairs 01 10 02 | 01 13 | 10 01


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def test_successor_counts_by_hand(training_set):
    model = MarkovChain(popularity_back_off=False).fit(training_set(ROWS, 5), Run(0))
    # after 0: 1 three times, 2 once; after 1: 0 twice, 3 once; after 2 and 3: nothing
    batch = SequenceBatch.of([[4, 0], [0, 1], [2], [], [-1]])
    assert all_scores(model, batch).tolist() == [
        [0, 3, 1, 0, 0], [2, 0, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip


def test_back_off_ranks_the_rest_by_popularity_below_every_successor(training_set):
    model = MarkovChain().fit(training_set(ROWS, 5), Run(0))
    # counts 4 4 1 1 0, all below 2³: eighths
    scores = all_scores(model, SequenceBatch.of([[0], []]))
    assert scores.tolist() == [[0.5, 3, 1, 0.125, 0], [0.5, 0.5, 0.125, 0.125, 0]]


def test_only_the_last_occurrence_in_a_sequence_counts(training_set):
    model = MarkovChain(counting="last_occurrence", popularity_back_off=False).fit(training_set(ROWS, 5), Run(0))
    # last 0s: row 1 → 2, row 2 → 1, row 3 → 1; last 1s: row 1 → 0, row 2 → 3, row 3 ends with it, and had 1 → 0 before
    assert all_scores(model, SequenceBatch.of([[0], [1]])).tolist() == [[0, 2, 1, 0, 0], [2, 0, 0, 1, 0]]


def test_the_last_occurrence_is_that_of_devooghts_code(training_set):
    # its fit lets a dictionary take every pair of a sequence in order, so that the last pair of an item stays
    rng = np.random.default_rng(4)
    rows = [rng.integers(0, 5, rng.integers(1, 12)).tolist() for _ in range(60)]
    model = MarkovChain(counting="last_occurrence", popularity_back_off=False).fit(training_set(rows, 5), Run(0))
    counts = np.zeros((5, 5))
    for row in rows:
        for item, following in dict(pairwise(row)).items():
            counts[item, following] += 1
    assert np.array_equal(all_scores(model, SequenceBatch.of([[i] for i in range(5)])), counts)


def test_kept_successors_break_ties_by_item_number(training_set):
    model = MarkovChain(neighbours=1).fit(training_set([[0, 3], [0, 2], [1, 2], [1, 0], [1, 0]], 4), Run(0))
    assert model.successors_.of(0) == [(2, 1.0)]
    assert model.successors_.of(1) == [(0, 2.0)]


def test_equals_counting_with_numpy(training_set):
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, 13, rng.integers(1, 30)).tolist() for _ in range(40)]
    model = MarkovChain(popularity_back_off=False).fit(training_set(rows, 13), Run(0))
    counts = np.zeros((13, 13))
    for row in rows:
        np.add.at(counts, (row[:-1], row[1:]), 1)
    assert np.array_equal(all_scores(model, SequenceBatch.of([[i] for i in range(13)])), counts)


def test_refuses_bad_fields():
    with pytest.raises(ValueError, match="counting must be one of every, last_occurrence, got 'first'"):
        MarkovChain(counting="first")
    with pytest.raises(ValueError, match="neighbours must be at least 1 or None, got 0"):
        MarkovChain(neighbours=0)
