"""What a model's score returns: each mistake is named with what was expected and what came."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from evaluation.ranking.rank import NonFiniteScores, rank_held_out
from recsys_data.scores import Dense, Factored, Sparse
from tests.evaluation.ranking.test_rank import NUM_ITEMS, held_out

ITEMS = np.arange(NUM_ITEMS)


class Mine:
    """Returns what it is given a function for: of the number of queries."""

    def __init__(self, answer):
        self.answer = answer

    def score(self, batch):
        return self.answer(len(batch.query_positions))


def ranked(answer, **changes):
    return rank_held_out(Mine(answer), replace(held_out(), **changes), ITEMS)


EXPECTED = "Mine.score must return Dense, Factored or Sparse from recsys_data.scores for .* queries × 11 items, "
WRAP = r"of shape \(\d+, 11\); wrap it: Dense\(scores\)"
NUMBERS = "Mine.score must return scores that are finite real numbers, "


@pytest.mark.parametrize("answer, sentence", [
    (lambda m: None, EXPECTED + "got None; does it end with a return statement?"),
    (lambda m: [[0.0] * NUM_ITEMS] * m, EXPECTED + r"got a list of \d+ values; make it an array and wrap it"),
    (lambda m: {}, EXPECTED + "got a dict of 0 values$"),
    (lambda m: 3.0, EXPECTED + "got a float$"),
    (lambda m: (r for r in "ab"), EXPECTED + "got a generator$"),
    (lambda m: np.zeros((m, NUM_ITEMS)), EXPECTED + "got a NumPy array " + WRAP),
    (lambda m: torch.zeros(m, NUM_ITEMS), EXPECTED + "got a Tensor " + WRAP),
    (lambda m: Dense([[0.0] * NUM_ITEMS] * m), EXPECTED + r"got Dense of no arrays: values = a list of \d+ values"),
    (lambda m: Dense(None), EXPECTED + "got Dense of no arrays: values = None"),
    (lambda m: Dense(np.zeros((m, NUM_ITEMS + 1))), EXPECTED + r"got Dense scores of shape \(\d+, 12\)"),
    (lambda m: Dense(np.zeros((NUM_ITEMS, m))), EXPECTED + r"got Dense scores of shape \(11, "),
    (lambda m: Dense(np.zeros(NUM_ITEMS)), EXPECTED + r"got Dense scores of shape \(11,\)"),
    (lambda m: Dense(np.full((m, NUM_ITEMS), "1.0")), NUMBERS + "got Dense with values of type <U3"),
    (lambda m: Dense(np.full((m, NUM_ITEMS), None)), NUMBERS + "got Dense with values of type object"),
    (lambda m: Dense(np.zeros((m, NUM_ITEMS), complex)), NUMBERS + "got Dense with values of type complex128"),
    (lambda m: Dense(torch.zeros(m, NUM_ITEMS, dtype=torch.complex64)), NUMBERS + "got Dense with values of type "
     "torch.complex64"),
])  # fmt: skip
@pytest.mark.parametrize("changes", [{}, {"num_sampled": 3, "repeats": 1}])
def test_a_mistake_is_named(answer, sentence, changes):
    with pytest.raises(ValueError, match=sentence):
        ranked(answer, **changes)


def test_nan_names_the_query_and_the_item():
    scores = np.zeros((100, NUM_ITEMS))
    scores[3, 4] = np.nan
    with pytest.raises(NonFiniteScores, match=r"Mine gave query \d+ .* a NaN or infinite score for item 4; scores"):
        ranked(lambda m: Dense(scores[:m]))


@pytest.mark.parametrize("answer", [
    lambda m: Dense(np.zeros((m, NUM_ITEMS), dtype=np.int64)),
    lambda m: Dense(np.zeros((m, NUM_ITEMS), dtype=bool)),
    lambda m: Dense(np.zeros((m, NUM_ITEMS), dtype=np.float16)),
    lambda m: Dense(torch.zeros(m, NUM_ITEMS, dtype=torch.bfloat16)),
    lambda m: Factored(np.zeros((m, 2)), np.zeros((NUM_ITEMS, 2))),
    lambda m: Sparse(csr_matrix((m, NUM_ITEMS))),
])  # fmt: skip
def test_real_numbers_of_every_kind_are_ranked(answer):
    found = ranked(answer)
    assert (found.tied == np.where(found.target < 0, 0, NUM_ITEMS - 1)).all()
