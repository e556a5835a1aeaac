import numpy as np
import pytest

from baselines.factors import negatives
from baselines.factors.negatives import Negatives, NegativeSampler, SeenItems


def sampler(train, seed=0, **fields):
    rows = np.arange(len(train.sequences))
    return NegativeSampler(Negatives(**fields), train, SeenItems(train, rows, len(rows)), np.random.default_rng(seed))


ROWS = [[0, 1, 1, 2], [2, 3], [0, 1, 2, 3, 4]]


@pytest.mark.parametrize("bits", [True, False])
def test_items_the_user_has_seen_are_never_drawn(training_set, monkeypatch, bits):
    if not bits:
        monkeypatch.setattr(negatives, "BITSET_LIMIT", 0)
    draws = sampler(training_set(ROWS, 5))
    assert (draws.seen.bits.size > 0) == bits
    rows = np.repeat([0, 1], 4000)
    drawn = draws.draw(rows, np.full(8000, 2))
    for row, free in ((0, [3, 4]), (1, [0, 1, 4])):
        found, counts = np.unique(drawn[rows == row], return_counts=True)
        assert found.tolist() == free
        # uniform over what is free: 4000 / n each, four standard deviations of √(4000 / n) at most
        assert np.abs(counts - 4000 / len(free)).max() < 4 * (4000 / len(free)) ** 0.5
    assert (draws.draw(np.full(10, 2), np.full(10, 0)) == -1).all()  # has seen every item


def test_target_check_refuses_only_the_target(training_set):
    drawn = sampler(training_set(ROWS, 5), check="target").draw(np.zeros(3000, dtype=int), np.full(3000, 1))
    assert np.unique(drawn).tolist() == [0, 2, 3, 4]


def test_skipping_leaves_steps_out(training_set):
    drawn = sampler(training_set(ROWS, 5), refused="skip").draw(np.zeros(5000, dtype=int), np.full(5000, 1))
    assert np.unique(drawn).tolist() == [-1, 3, 4]
    assert abs((drawn == -1).mean() - 3 / 5) < 0.03


def test_popularity_draws_follow_the_events(training_set):
    drawn = sampler(training_set(ROWS, 5), draw="popularity", check="none").draw(np.zeros(11000, int), np.zeros(11000))
    counts = np.bincount(drawn, minlength=5)  # of 11 events: 2, 3, 3, 2, 1
    np.testing.assert_allclose(counts / 1000, [2, 3, 3, 2, 1], atol=0.2)


@pytest.mark.parametrize(("draw", "best_first"), [("adaptive", True), ("adaptive_reversed", False)])
def test_adaptive_draws_rank_by_the_signed_factor(training_set, draw, best_first):
    """One factor that matters: ranks are geometric from the top of sign · factor, or from its bottom."""
    train = training_set([[0], [1]], 6)
    factors = np.zeros((6, 2))
    factors[:, 1] = [3, 1, 5, 0, 4, 2]
    draws = sampler(train, draw=draw, check="none", mean_rank=2.0)
    rows, targets = np.zeros(20000, int), np.zeros(20000, int)
    for sign in (1, -1):
        queries = np.tile([7.0, sign], (20000, 1))  # factor 0 has no spread, so it is never chosen
        drawn = draws.draw_adaptive(rows, targets, queries, factors)
        order = np.argsort(-sign * factors[:, 1] * (1 if best_first else -1))
        share = np.bincount(drawn, minlength=6)[order] / 20000
        # P(rank r) = 2^−(r + 1), and the tail beyond six ranks begins again at the top
        expected = 0.5 ** np.arange(1, 7) / (1 - 0.5**6)
        np.testing.assert_allclose(share, expected, atol=0.015)


def test_adaptive_draws_choose_factors_by_weight_and_spread(training_set):
    train = training_set([[0], [1]], 4)
    factors = np.array([[8.0, 0], [0, 0], [0, 0], [0, 2.0]])  # σ = 3.46 and 0.87
    draws = sampler(train, draw="adaptive", check="none", mean_rank=1.0)  # always the top
    drawn = draws.draw_adaptive(np.zeros(9000, int), np.zeros(9000, int), np.tile([1.0, 2.0], (9000, 1)), factors)
    # weights 1 · 4 against 2 · 1: two of three draws take item 0, the top of factor 0
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 9000, [2 / 3, 0, 0, 1 / 3], atol=0.02)


def test_adaptive_draws_pass_over_seen_items(training_set):
    train = training_set([[0, 1]], 4)
    factors = np.array([[4.0], [3.0], [2.0], [1.0]])
    one = np.ones((5, 1))
    draws = sampler(train, draw="adaptive", mean_rank=1.0)
    assert (draws.draw_adaptive(np.zeros(5, int), np.zeros(5, int), one, factors) == 2).all()
    skipping = sampler(train, draw="adaptive", mean_rank=1.0, refused="skip")
    assert (skipping.draw_adaptive(np.zeros(5, int), np.zeros(5, int), one, factors) == -1).all()


def test_refuses_bad_fields():
    with pytest.raises(ValueError, match="draw must be one of uniform, .*, got 'all'"):
        Negatives(draw="all")
    with pytest.raises(ValueError, match=r"mean_rank must be at least 1, got 0\.5"):
        Negatives(mean_rank=0.5)
    with pytest.raises(ValueError, match="refused must be 'redraw' where check is 'none'.*got 'skip'"):
        Negatives(check="none", refused="skip")
