"""Ranks under other batch sizes and another precision: scores within a tolerance, and every move a near-tie."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from evaluation.ranking.rank import rank_held_out
from evaluation.ranking.rank_table import RankTable
from recsys_data.generated.planted import PlantedSignal
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU
from tests.evaluation.ranking.near_ties import max_score_difference, rank_changes, ranked_scores
from training.run import Run

TOLERANCE = 1e-6  # of scores of about 1 in float32, of which a unit in the last place is 6e-8
WHOLE = 65536


@dataclass
class Cast:
    """A fitted model computed in another precision."""

    model: GRU
    dtype: torch.dtype

    def __post_init__(self):
        self.model = copy.deepcopy(self.model)
        self.model.network_.to(self.dtype)

    def score(self, batch):
        return self.model.score(batch)


@pytest.fixture(scope="module")
def split():
    torch.set_num_threads(1)
    return PerUserFractions(train=0.7, validation=0.1, test=0.2).prepare(PlantedSignal("order").load())


@pytest.fixture(scope="module")
def gru(split):
    return GRU(dim=16, epochs=2).fit(split.train, Run(7))


def answers(model, split, cells=WHOLE):
    """The ranks and the scores of a model on the test part."""
    ranks = rank_held_out(model, split.test, split.train.item_counts, max_padded_events=cells)
    return ranks, ranked_scores(model, split.test, max_padded_events=cells)


@pytest.mark.parametrize("cells", [300, 60])
def test_other_batch_sizes_move_near_ties_only(split, gru, cells):
    (one, scores), (other, others) = answers(gru, split), answers(gru, split, cells)
    assert 0.1 < np.abs(scores).max() < 1
    assert max_score_difference(scores, others) <= TOLERANCE
    moved = rank_changes(one, other)
    assert moved.num_rows == len(split.test) == 1600
    assert moved.num_changed <= 0.01 * moved.num_rows
    assert moved.near_ties(one, scores, TOLERANCE).all()
    assert moved.near_ties(other, others, TOLERANCE).all()


def test_another_precision_moves_many_ranks_and_each_is_a_near_tie(split, gru):
    (one, scores), (other, others) = answers(gru, split), answers(Cast(gru, torch.bfloat16), split)
    apart = max_score_difference(scores, others)
    assert 1e-4 < apart < 1e-2  # 8 bits of scores below 1
    moved = rank_changes(one, other)
    assert moved.num_changed > 50
    assert moved.near_ties(one, scores, apart).all()
    assert not moved.near_ties(one, scores, apart / 100).all()  # a tolerance that was not kept explains less


def test_another_model_is_no_near_tie(split, gru):
    one, scores = answers(gru, split)
    other, others = answers(GRU(dim=16, epochs=2).fit(split.train, Run(8)), split)
    assert max_score_difference(scores, others) > 100 * TOLERANCE
    assert not rank_changes(one, other).near_ties(one, scores, TOLERANCE).any()


def test_scores_are_those_that_were_ranked(split, gru):
    for exclude_seen in (False, True):
        part = replace(split, test=replace(split.test, exclude_seen=exclude_seen))
        ranks, scores = answers(gru, part, 300)
        own = scores[ranks.query, ranks.target]
        real = np.isfinite(own)  # a target in the history is no candidate
        assert real.all() != exclude_seen
        assert np.array_equal((scores > own[:, None]).sum(axis=1)[real], ranks.greater[real])
        assert np.array_equal(np.isfinite(scores).sum(axis=1), ranks.candidates)


def table(greater, tied=(0, 0), target=(0, 0)):
    zeros = np.zeros(2, dtype=np.int64)
    return RankTable(
        cluster=zeros, query=np.arange(2), target=np.array(target), repeat=zeros, history=zeros,
        candidates=np.full(2, 5), greater=np.array(greater), tied=np.array(tied), item_counts=np.ones(5, int),
    )  # fmt: skip


# the target, item 0, scores 1; the distances of the others are .002, .003, .5 and 1
SCORES = np.array([[1.0, 1.002, 0.997, 1.5, 0.0]] * 2)


def test_moves_by_hand():
    # query 0 stays; query 1: from place 3 (two greater) to a tie of three at 2 … 4: the ends move by −1 and +1
    moved = rank_changes(table([2, 2]), table([2, 1], tied=[0, 2]))
    assert (moved.num_rows, moved.num_changed, moved.largest_change) == (2, 1, 1)
    assert moved.rows.tolist() == [1]
    # query 0: 2 → 0 greater, by 2; query 1: one tied fewer, so that the worst place moves by 1
    moved = rank_changes(table([2, 2], tied=[0, 1]), table([0, 2]))
    assert moved.changes.tolist() == [2, 1]
    assert moved.largest_change == 2
    assert rank_changes(table([2, 2]), table([2, 2])).largest_change == 0


def test_a_move_needs_as_many_items_within_twice_the_tolerance():
    moved = rank_changes(table([2, 2]), table([1, 0]))  # by 1 and by 2
    for tolerance, near in ((0.0009, [False, False]), (0.0011, [True, False]), (0.0016, [True, True])):
        assert moved.near_ties(table([2, 2]), SCORES, tolerance).tolist() == near  # 0, 1 and 2 items are near
    missed = table([2, 2], target=[-1, -1])
    assert not moved.near_ties(missed, SCORES, 9.0).any()  # what is no candidate has no neighbours


def test_differences_of_what_is_no_candidate():
    one = np.array([[0.0, 1.0, -np.inf]])
    assert max_score_difference(one, np.array([[0.25, 1.0, -np.inf]])) == 0.25
    assert max_score_difference(one, np.array([[0.0, 1.0, 2.0]])) == np.inf


def test_bad_input_is_refused(split, gru):
    with pytest.raises(ValueError, match="target in row 1 is 0 in one table and 3 in the other"):
        rank_changes(table([2, 2]), table([2, 2], target=[0, 3]))
    with pytest.raises(ValueError, match="has 2 rows and the other 1600"):
        rank_changes(table([2, 2]), answers(gru, split)[0])
    with pytest.raises(ValueError, match="this protocol samples candidates"):
        ranked_scores(gru, replace(split.test, num_sampled=10))
    sampled = replace(table([2, 2]), repeat=np.array([0, 1]))
    with pytest.raises(ValueError, match="these ranks have sampled candidates"):
        rank_changes(sampled, sampled).near_ties(sampled, SCORES, 1.0)
