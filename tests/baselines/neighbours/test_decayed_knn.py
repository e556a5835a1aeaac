import numpy as np
import pytest

from baselines.neighbours.decayed_knn import DAY, DecayedItemKNN
from baselines.neighbours.item_knn import Cosine, ItemKNN
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from training.run import Run

# items 0 and 1 together twice, 2 and 3 together once
ROWS = [[0, 1], [1, 0], [2, 3]]
PLAIN = ItemKNN(similarity=Cosine(shrinkage=0.0))  # s01 = s10 = 2/2 = 1, s23 = s32 = 1
E1 = np.exp(-1)


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def fitted(train, **fields):
    return DecayedItemKNN(item_knn=PLAIN, **fields).fit(train, Run(0))


def test_age_in_positions(training_set):
    model = fitted(training_set(ROWS, 4))
    batch = SequenceBatch.of([[0, 2, 0], []], query_positions=[(0, 1), (0, 2), (0, 3), (1, 0)])
    # item 1 from 0 at age 0; then at age 1, and 3 from 2 at age 0; then 1 at ages 2 and 0, 3 at age 1
    expected = [[0, 1, 0, 0], [0, E1, 0, 1], [0, E1**2 + 1, 0, E1], [0, 0, 0, 0]]
    np.testing.assert_allclose(all_scores(model, batch), expected, rtol=1e-6)


def test_age_in_days_with_a_half_life(training_set):
    model = fitted(training_set(ROWS, 4), age="days", half_life=2.0)
    batch = SequenceBatch.of([[0, 2, 0]], timestamps=[[5 * DAY, 7 * DAY, 11 * DAY]])
    # ages 6, 4, 0 days are 3, 2, 0 half lives
    np.testing.assert_allclose(all_scores(model, batch), [[0, 1 / 8 + 1, 0, 1 / 4]], rtol=1e-6)


def test_age_as_a_share_of_the_history(training_set):
    model = fitted(training_set(ROWS, 4), age="share_of_history")
    batch = SequenceBatch.of([[0, 2, 0]], timestamps=[[10, 40, 50]], query_positions=[(0, 1), (0, 2), (0, 3), (0, 0)])
    # after two events ages 1 and 0; after three 1, (50 − 40) / 40 and 0
    expected = [[0, 1, 0, 0], [0, E1, 0, 1], [0, E1 + 1, 0, np.exp(-0.25)], [0] * 4]
    np.testing.assert_allclose(all_scores(model, batch), expected, rtol=1e-6)
    scores = model.score(batch)
    assert np.array_equal(scores.block(slice(1, 3), np.array([3, 1])), scores.block(slice(1, 3))[:, [3, 1]])


def test_without_decay_it_is_the_plain_item_knn(training_set):
    rng = np.random.default_rng(0)
    train = training_set([rng.integers(0, 13, 9).tolist() for _ in range(25)], 13)
    batch = SequenceBatch.of([rng.integers(0, 13, 9).tolist() for _ in range(6)])
    plain = all_scores(ItemKNN().fit(train, Run(0)), batch)
    for age in ("position", "days", "share_of_history"):
        still = DecayedItemKNN(age=age, rate=0.0).fit(train, Run(0))
        np.testing.assert_allclose(all_scores(still, batch), plain, rtol=1e-5)


def test_ratio_divides_by_all_similarities_of_an_item(training_set):
    # 0 and 1 in two profiles together, 1 and 2 in one; supports 2, 3, 1
    train = training_set([[0, 1], [0, 1], [1, 2]], 3)
    plain = {i: dict(fitted(train).lists_.of(i)) for i in range(3)}
    row = all_scores(fitted(train, form="ratio", rate=0.0), SequenceBatch.of([[0]]))[0]
    assert row[1] == pytest.approx(plain[0][1] / (plain[0][1] + plain[2][1]))
    whole = all_scores(fitted(train, form="ratio", rate=0.0), SequenceBatch.of([[0, 2]]))[0]
    assert whole[1] == pytest.approx(1)  # both of item 1's neighbours have been read


def test_a_very_long_history_stays_finite_and_equal_in_every_block(training_set):
    model = fitted(training_set(ROWS, 4))
    batch = SequenceBatch.of([[2] + [0] * 300], query_positions=[(0, r) for r in range(0, 302, 7)])
    scores = all_scores(model, batch)
    assert np.isfinite(scores).all() and scores[-1, 3] == 0  # e^−300 has vanished
    assert np.array_equal(model.score(batch).block(slice(20, 30)), scores[20:30])


def test_times_are_refused_where_there_are_none(training_set):
    with pytest.raises(ValueError, match="age='days' needs the time between events, .*'order inside a sequence'"):
        fitted(training_set(ROWS, 4, clock=Clock.WITHIN), age="days")
    assert DecayedItemKNN().clock is Clock.WITHIN and DecayedItemKNN(age="days").clock is Clock.RELATIVE
    with pytest.raises(ValueError, match="half_life must be above 0 or None, got 0"):
        DecayedItemKNN(half_life=0)
    with pytest.raises(ValueError, match="count_repeats must be True"):
        DecayedItemKNN(item_knn=ItemKNN(count_repeats=False))
