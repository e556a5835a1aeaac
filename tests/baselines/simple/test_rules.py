import numpy as np
import pytest

from baselines.counts.recency import recency_weights
from baselines.simple.markov import MarkovChain
from baselines.simple.rules import AssociationRules, SequentialRules
from recsys_data.sequences import SequenceBatch
from training.run import Run

ROWS = [[0, 1, 0, 2], [1, 2], [3]]


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def test_association_rules_count_pairs_of_events(training_set):
    # row 1: 0 twice, 1 once, 2 once: 01 makes 2 pairs, 02 makes 2, 12 one, 0 with itself 2 (either way round)
    # row 2: 12 one more
    model = AssociationRules(popularity_back_off=False).fit(training_set(ROWS, 5), Run(0))
    batch = SequenceBatch.of([[2, 0], [1], [2], [3], []])
    expected = [[2, 2, 2, 0, 0], [2, 0, 2, 0, 0], [2, 2, 0, 0, 0], [0] * 5, [0] * 5]
    assert all_scores(model, batch).tolist() == expected


def test_sequential_rules_weigh_by_distance(training_set):
    # row 1: 0→1 at 1, 0→0 at 2, 0→2 at 3 and at 1; 1→0 at 1, 1→2 at 2; row 2: 1→2 at 1
    model = SequentialRules(popularity_back_off=False).fit(training_set(ROWS, 5), Run(0))
    expected = [[1 / 2, 1, 1 / 3 + 1, 0, 0], [1, 0, 1 / 2 + 1, 0, 0], [0] * 5]
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0], [1], []])), expected, rtol=1e-6)
    near = SequentialRules(steps=2, popularity_back_off=False).fit(training_set(ROWS, 5), Run(0))
    np.testing.assert_allclose(all_scores(near, SequenceBatch.of([[0]])), [[1 / 2, 1, 1, 0, 0]], rtol=1e-6)


def test_sequential_rules_of_four_steps_with_quadratic_weights(training_set):
    # row 1: 0 is followed by 1 … 4 at distances 1 … 4 and by 5 at 5, too far; row 2: by 2 at 1
    model = SequentialRules(steps=4, recency="quadratic", popularity_back_off=False)
    model.fit(training_set([[0, 1, 2, 3, 4, 5], [0, 2]], 6), Run(0))
    expected = [[0, 1, 1 / 4 + 1, 1 / 9, 1 / 16, 0]]
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0]])), expected, rtol=1e-6)


def test_back_off_stays_below_the_weakest_rule(training_set):
    for model in (AssociationRules(), SequentialRules(recency="quadratic")):
        model.fit(training_set([[0, 1, 2, 3], [4, 4, 5]], 7), Run(0))
        row = all_scores(model, SequenceBatch.of([[0]]))[0]
        assert row[4] > row[5] > row[6] == 0  # popularity 2, 1, 0
        assert row[4] < row[[1, 2, 3]].min()
        assert all_scores(model, SequenceBatch.of([[]]))[0].argmax() == 4


def test_one_step_is_the_markov_chain(training_set):
    rng = np.random.default_rng(2)
    train = training_set([rng.integers(0, 11, 20).tolist() for _ in range(30)], 11)
    batch = SequenceBatch.of([[i] for i in range(11)])
    chain = MarkovChain(neighbours=4).fit(train, Run(0))
    assert np.array_equal(all_scores(SequentialRules(steps=1, neighbours=4).fit(train, Run(0)), batch),
                          all_scores(chain, batch))  # fmt: skip


def test_decays_by_hand():
    assert recency_weights("same", 3).tolist() == [1, 1, 1]
    np.testing.assert_allclose(recency_weights("reciprocal", 3), [1, 1 / 2, 1 / 3])
    np.testing.assert_allclose(recency_weights("linear", 12)[[0, 4, 9, 10, 11]], [0.9, 0.5, 0, 0, 0], atol=1e-12)
    signed = recency_weights("linear", 101, negative=True)
    np.testing.assert_allclose(signed[[0, 9, 10, 11, 99, 100]], [0.9, 0, -0.1, -0.2, -9, 0], atol=1e-12)
    np.testing.assert_allclose(recency_weights("logarithmic", 9)[8], 1 / np.log10(10.7))
    np.testing.assert_allclose(recency_weights("quadratic", 4)[3], 1 / 16)


def test_refuses_bad_fields():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        SequentialRules(steps=0)
    with pytest.raises(ValueError, match="recency must be one of same, .*, got 'div'"):
        SequentialRules(recency="div")
    with pytest.raises(ValueError, match="neighbours must be at least 1, got 0"):
        AssociationRules(neighbours=0)
