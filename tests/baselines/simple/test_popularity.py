import numpy as np
import pytest

from baselines.simple.popularity import Popularity, RecentPopularity, as_back_off
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from training.run import Run


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def test_counts_for_everybody(training_set):
    # item 0 once, 1 twice, 2 three times, 3 never
    model = Popularity().fit(training_set([[2, 1, 2], [0, 2, 1]], 4), Run(0))
    batch = SequenceBatch.of([[3], [], [-1]], users=[-1, 0, 1])
    assert all_scores(model, batch).tolist() == [[1, 2, 3, 0]] * 3


def test_back_off_is_exact_and_below_one():
    # the largest count is 5 < 2³, so counts are divided by 8
    assert as_back_off(np.array([0, 5, 2, 2])).tolist() == [0, 0.625, 0.25, 0.25]
    assert as_back_off(np.array([0, 0])).tolist() == [0, 0]
    large = as_back_off(np.array([2**24 - 1, 2**24 - 2]))
    assert 1 > large[0] > large[1]


def test_recent_share_counts_the_newest_events_and_all_their_ties(training_set):
    times = [[1, 2, 9], [3, 8, 8]]
    train = training_set([[0, 0, 1], [0, 2, 1]], 4, times=times)
    # 6 events, half of them: the third newest is at time 8, so times ≥ 8: items 1, 2, 1
    # item 0 has no event there: its 3 of at most 3 < 2² events back off to 3/4
    model = RecentPopularity(share=0.5).fit(train, Run(0))
    assert all_scores(model, SequenceBatch.of([[0]])).tolist() == [[0.75, 2, 1, 0]]
    # a share of 2/6 cuts between the two events at time 8: both are inside all the same
    assert np.array_equal(RecentPopularity(share=1 / 3).fit(train, Run(0)).scores_, model.scores_)


def test_recent_days(training_set):
    day = 86_400.0
    train = training_set([[0, 1], [2, 1]], 3, times=[[0, 3 * day], [2.5 * day, 2 * day]])
    assert RecentPopularity(days=0.5).fit(train, Run(0)).scores_.tolist() == [0.25, 1, 1]


def test_recent_popularity_refuses_clocks_that_do_not_compare_users(training_set):
    with pytest.raises(ValueError, match="clock is 'order inside a sequence'; use Popularity"):
        RecentPopularity().fit(training_set([[0, 1]], 2, clock=Clock.WITHIN), Run(0))
    with pytest.raises(ValueError, match="days=2 needs timestamps in seconds"):
        RecentPopularity(days=2).fit(training_set([[0, 1]], 2, clock=Clock.BETWEEN), Run(0))
    with pytest.raises(ValueError, match="share must be above 0 and at most 1, got 0"):
        RecentPopularity(share=0)
