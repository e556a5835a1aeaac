"""Random, the repeat of the last item, and session popularity."""

import numpy as np
import pytest

from baselines.simple.random_scores import Random
from baselines.simple.repeat import LastItemRepeat
from baselines.simple.session_popularity import SessionPopularity
from recsys_data.sequences import SequenceBatch
from training.run import Run


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def test_repeat_by_hand(training_set):
    train = training_set([[0, 1, 2, 3, 4]], 5)
    batch = SequenceBatch.of([[3, 1, 2, 1], [], [4, -1]], query_positions=[(0, 4), (0, 1), (1, 0), (2, 2)])
    one = all_scores(LastItemRepeat().fit(train, Run(0)), batch)
    assert one.tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0] * 5, [0] * 5]
    three = all_scores(LastItemRepeat(depth=3).fit(train, Run(0)), batch)
    # lags: 1 at 0 (its second place, at lag 2, does not count), 2 at 1; of [4, ?] item 4 at lag 1
    assert three.tolist() == [[0, 1, 0.5, 0, 0], [0, 0, 0, 1, 0], [0] * 5, [0, 0, 0, 0, 0.5]]
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        LastItemRepeat(depth=0)


def test_session_popularity_by_hand(training_set):
    # popularity 1, 2, 0 → quarters
    model = SessionPopularity().fit(training_set([[0, 1, 1]], 3), Run(0))
    batch = SequenceBatch.of([[2, 0, 2], [-1]], query_positions=[(0, 0), (0, 2), (0, 3), (1, 1)])
    assert all_scores(model, batch).tolist() == [[0.25, 0.5, 0], [1.25, 0.5, 1], [1.25, 0.5, 2], [0.25, 0.5, 0]]


def test_random_gives_each_history_an_order_of_its_own_in_any_batch(training_set):
    train = training_set([[0]], 5000)
    model = Random().fit(train, Run(1))
    batch = SequenceBatch.of(
        [[1, 2], [2, 1], [1, 2], []], users=[0, 0, 1, -1], query_positions=[(0, 2), (0, 1), (1, 2), (2, 2), (3, 0)]
    )
    scores = all_scores(model, batch)
    assert (scores >= 0).all() and (scores < 1).all()
    # uniform: mean 1/2 with standard deviation √(1/12 / 25,000) = 0.0018
    assert abs(scores.mean() - 0.5) < 0.01
    assert np.abs(np.corrcoef(scores) - np.eye(5)).max() < 0.06  # standard deviation 1 / √5,000 = 0.014
    alone = all_scores(model, SequenceBatch.of([[2, 1, 7]], users=[0], query_positions=[(0, 2)]))
    assert np.array_equal(alone[0], scores[2])
    assert np.array_equal(model.score(batch).block(slice(1, 3), np.array([7, 3])), scores[1:3][:, [7, 3]])
    own = np.array([[7, 3], [1, 0]])
    assert np.array_equal(model.score(batch).block(slice(1, 3), own), np.take_along_axis(scores[1:3], own, 1))
    assert np.array_equal(all_scores(Random().fit(train, Run(1)), batch), scores)
    assert not np.array_equal(all_scores(Random().fit(train, Run(2)), batch), scores)
