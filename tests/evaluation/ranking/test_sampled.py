from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.ranking.counts import ABSENT
from evaluation.ranking.rank import rank_held_out
from evaluation.ranking.sampled import sampled_counts
from recsys_data.scores import Dense
from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut
from tests.evaluation.rank_tables import same_columns

ITEMS = 150


def held_out(num_queries=4000, **changes):
    """Sequences of three events that are asked once, after the second."""
    rng = np.random.default_rng(3)
    items = rng.integers(ITEMS, size=3 * num_queries).astype(np.int32)
    part = HeldOut(
        sequences=Sequences(items, np.zeros(len(items)), np.arange(num_queries + 1) * 3, np.arange(num_queries)),
        sequence_of=np.arange(num_queries),
        history_lengths=np.full(num_queries, 2),
        query_times=np.full(num_queries, np.nan),
        targets=items[2::3],
        target_offsets=np.arange(num_queries + 1),
        clusters=np.arange(num_queries),
        num_sampled=100,
        repeats=3,
        sample_seed=5,
    )
    return replace(part, **changes)


@dataclass
class Fixed:
    """The same scores for every query."""

    values: np.ndarray

    def score(self, batch):
        return Dense(np.tile(self.values, (len(batch.query_positions), 1)))


@dataclass
class Tensors(Fixed):
    """The same scores as tensors."""

    def score(self, batch):
        return Dense(torch.tensor(super().score(batch).values))


COUNTS = np.ones(ITEMS, dtype=np.int64)
ASCENDING = Fixed(np.arange(ITEMS, dtype=np.float32))


def test_chance_level_of_one_among_a_hundred_and_one():
    ranks = rank_held_out(ASCENDING, held_out(), COUNTS)
    # a rank that has nothing to do with the target is uniform on 1 … 101
    assert Recall(10).measure(ranks) == pytest.approx(10 / 101, abs=0.012)
    assert MRR(10).measure(ranks) == pytest.approx(sum(1 / r for r in range(1, 11)) / 101, abs=0.005)
    assert set(ranks.candidates) == {101}
    assert ranks.repeat[:4].tolist() == [0, 1, 2, 0]


def test_counts_follow_from_the_draw():
    ranks = rank_held_out(ASCENDING, held_out(num_sampled=ITEMS - 1, repeats=1), COUNTS)
    # all other items are drawn, so item t of 0 … 149 has 149 − t above it: full ranking again
    assert np.array_equal(ranks.greater, ITEMS - 1 - ranks.target)
    flat = rank_held_out(Fixed(np.zeros(ITEMS, dtype=np.float32)), held_out(), COUNTS)
    assert set(flat.tied) == {100}
    assert set(flat.greater) == {0}


def test_draws_depend_on_seed_and_query_not_on_batches():
    part = held_out(500)
    one = rank_held_out(ASCENDING, part, COUNTS)
    assert same_columns(one, rank_held_out(ASCENDING, part, COUNTS, max_padded_events=30))
    assert not same_columns(one, rank_held_out(ASCENDING, replace(part, sample_seed=6), COUNTS))
    first, second = one.greater[one.repeat == 0], one.greater[one.repeat == 1]
    assert not np.array_equal(first, second)


def test_dropped_targets_and_seen_items():
    part = held_out(6, targets=np.array([-1, 1, 2, 3, 4, 5], dtype=np.int32), exclude_seen=True, num_sampled=140)
    ranks = rank_held_out(ASCENDING, part, COUNTS)
    assert ranks.greater[:3].tolist() == [141, 141, 141]
    with pytest.raises(ValueError, match=r"query \d+ has 147 other items to draw from, but 148 are to be drawn"):
        rank_held_out(ASCENDING, replace(part, num_sampled=148), COUNTS)
    with pytest.raises(ValueError, match="lists of the best items need a ranking of all items"):
        rank_held_out(ASCENDING, part, COUNTS, top_k=5)


def test_a_score_that_is_not_finite_is_named():
    broken = np.arange(ITEMS, dtype=np.float32)
    broken[17] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite score for item 17"):
        rank_held_out(Fixed(broken), held_out(), COUNTS)


@pytest.mark.parametrize("exclude_seen", [False, True])
def test_tensors_are_drawn_from_as_arrays_are(exclude_seen):
    part = held_out(40, exclude_seen=exclude_seen)
    one, other = (rank_held_out(model, part, COUNTS) for model in (ASCENDING, Tensors(ASCENDING.values)))
    assert same_columns(one, other)


def test_counts_of_a_draw_by_hand():
    # NumPy's own draw: the numbers of the 7 items that are neither the target (4) nor excluded (1, 2)
    part = held_out(2, num_sampled=3, repeats=2, sample_seed=9)
    scores = Dense(np.tile(np.arange(10, dtype=np.float32), (2, 1)))
    excluded = np.array([[1, 2, ABSENT], [ABSENT, ABSENT, ABSENT]])
    found = sampled_counts(scores, slice(0, 2), np.array([5, 6]), np.array([[4, ABSENT], [7, 3]]), excluded, part)
    expected = np.zeros((2, 2, 2), dtype=np.int64)
    for row, column, repeat, target, out in ((0, 0, 0, 4, [1, 2]), (0, 0, 1, 4, [1, 2]), (0, 1, 0, 0, [1, 2]),
            (0, 1, 1, 0, [1, 2]), (1, 0, 0, 7, []), (1, 0, 1, 7, []), (1, 1, 0, 3, []), (1, 1, 1, 3, [])):  # fmt: skip
        others = np.setdiff1d(np.arange(10), [target, *out])
        rng = np.random.default_rng([9, 5 + row, column, repeat])
        expected[row, column, repeat] = (others[rng.choice(len(others), 3, replace=False)] > target).sum()
    assert [array.dtype for array in found[:2]] == [np.int64, np.int64]
    np.testing.assert_array_equal(found[0], expected)
    assert (found[1] == 0).all() and found[1].shape == (2, 2, 2) and found[2] is None


def test_what_cannot_be_drawn_is_refused():
    part = held_out(1, targets=np.array([3], dtype=np.int32), num_sampled=ITEMS)
    with pytest.raises(ValueError) as error:
        rank_held_out(ASCENDING, part, COUNTS)
    assert str(error.value) == (
        "query 0 has 149 other items to draw from, but 150 are to be drawn; sample fewer items or rank all of them"
    )
