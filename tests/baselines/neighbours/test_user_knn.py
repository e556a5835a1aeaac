import tracemalloc

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from baselines.neighbours.user_knn import UserKNN
from recsys_data.sequences import SequenceBatch
from training.run import Run


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def test_by_hand(training_set):
    # users 0 {0,1} 1 {1,2,3} 2 {4}; q = {1}: 1/√2 and 1/√3; unknown user −1 and known user 0, who is left out
    train = training_set([[0, 1, 1], [1, 2, 3], [4]], 5)
    batch = SequenceBatch.of([[1, 1], [1], []], users=[-1, 0, 2])
    a, b = 2**-0.5, 3**-0.5
    expected = [[a, a + b, b, b, 0], [0, b, b, b, 0], [0] * 5]
    np.testing.assert_allclose(all_scores(UserKNN().fit(train, Run(0)), batch), expected, rtol=1e-6)
    both = UserKNN(exclude_self=False).fit(train, Run(0))
    np.testing.assert_allclose(all_scores(both, batch)[1], expected[0], rtol=1e-6)
    # one neighbour of q = {1, 2}: 1/2 for user 0, 2/√6 for user 1
    one = UserKNN(neighbours=1).fit(train, Run(0))
    c = 2 / 6**0.5
    np.testing.assert_allclose(all_scores(one, SequenceBatch.of([[1, 2]])), [[0, c, c, c, 0]], rtol=1e-6)


def test_equals_scikit_learn(training_set):
    rng = np.random.default_rng(6)
    rows = [rng.integers(0, 23, rng.integers(1, 12)).tolist() for _ in range(70)]
    histories = [rng.integers(0, 23, 9).tolist() for _ in range(15)]
    binary = [np.isin(np.arange(23), row) for row in rows]
    queries = [np.isin(np.arange(23), row) for row in histories]
    near = np.round(cosine_similarity(queries, binary), 12)  # equal similarities must tie
    kept = np.zeros_like(near)
    for m, row in enumerate(near):
        best = np.argsort(-row, kind="stable")[:8]  # ties by the order of the users
        kept[m, best] = row[best]
    model = UserKNN(neighbours=8).fit(training_set(rows, 23), Run(0))
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of(histories)), kept @ binary, rtol=1e-5)


def test_users_are_found_by_their_number_not_their_place(training_set):
    train = training_set([[0, 1], [0, 2]], 3, users=[5, 2])
    model = UserKNN().fit(train, Run(0))
    scores = all_scores(model, SequenceBatch.of([[0], [0], [0]], users=[5, 2, 99]))
    assert scores[0, 1] == 0 < scores[0, 2]
    assert scores[1, 2] == 0 < scores[1, 1]
    assert (scores[2, 1:] > 0).all()


def test_a_long_history_takes_no_square_of_its_length(training_set):
    model = UserKNN().fit(training_set([[0, 1], [0, 2]], 3), Run(0))
    all_scores(model, SequenceBatch.of([[0]]))  # compiled
    batch = SequenceBatch.of([[0] * 2000])
    tracemalloc.start()
    all_scores(model, batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 2000


def test_refuses_no_neighbours():
    with pytest.raises(ValueError, match="neighbours must be at least 1, got 0"):
        UserKNN(neighbours=0)
