import numpy as np
import pytest
import scipy.sparse as sp
from implicit.nearest_neighbours import CosineRecommender
from sklearn.metrics.pairwise import cosine_similarity

from baselines.counts import cooccurrence
from baselines.neighbours.item_knn import Cosine, ItemKNN
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from training.run import Run

ROWS = [[0, 1, 0], [1, 2], [0, 1, 2], [3]]
PLAIN = Cosine(shrinkage=0.0)


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def random_rows(num_items=37, num_rows=90, longest=40, seed=3):
    rng = np.random.default_rng(seed)
    popular = 1 / np.arange(1, num_items + 1)
    return [
        rng.choice(num_items, rng.integers(1, longest), p=popular / popular.sum()).tolist() for _ in range(num_rows)
    ]


def test_cosine_by_hand(training_set):
    # profiles: {0,1} {1,2} {0,1,2} {3}; 0 in 2, 1 in 3, 2 in 2; C01 = 2, C02 = 1, C12 = 2
    model = ItemKNN(similarity=PLAIN).fit(training_set(ROWS, 5), Run(0))
    assert model.lists_.of(0) == [(1, pytest.approx(2 / 6**0.5)), (2, pytest.approx(1 / 2))]
    assert model.lists_.of(1) == [(0, pytest.approx(2 / 6**0.5)), (2, pytest.approx(2 / 6**0.5))]
    assert model.lists_.of(3) == model.lists_.of(4) == []


def test_hidasis_regularised_cosine_by_hand(training_set):
    # events: supp 0 = 3, 1 = 3, 2 = 2; C01 = 3 (item 0's events in sessions with 1), C10 = 2
    model = ItemKNN(similarity=Cosine(shrinkage=1.0, alpha=0.25), counting="events").fit(training_set(ROWS, 4), Run(0))
    assert model.lists_.of(0) == [
        (1, pytest.approx(3 / (4**0.25 * 4**0.75))), (2, pytest.approx(1 / (4**0.25 * 3**0.75))),
    ]  # fmt: skip
    assert dict(model.lists_.of(1))[0] == pytest.approx(2 / (4**0.25 * 4**0.75))


@pytest.mark.parametrize(("own", "expected"), [("none", None), ("full", 1.0), ("repeats", 1 / 2)])
def test_self_similarity(training_set, own, expected):
    # item 0 lies in two profiles and is repeated in one of them
    lists = ItemKNN(similarity=PLAIN, self_similarity=own).fit(training_set(ROWS, 4), Run(0)).lists_
    assert dict(lists.of(0)).get(0) == (None if expected is None else pytest.approx(expected))


def test_list_scaling(training_set):
    for scaling, power in (("sum", 1), ("length", 2)):
        lists = ItemKNN(list_scaling=scaling).fit(training_set(ROWS, 4), Run(0)).lists_
        assert sum(w**power for _, w in lists.of(1)) == pytest.approx(1)


def test_sessions_are_cut_at_gaps(training_set):
    train = training_set([[0, 1, 2], [2, 0]], 3, times=[[0, 10, 100], [0, 50]])
    lists = ItemKNN(similarity=PLAIN, session_gap=60.0).fit(train, Run(0)).lists_
    # profiles {0,1} {2} {2,0}: 0 and 2 in two each, together in one
    assert dict(lists.of(0))[2] == pytest.approx(1 / 2)
    assert 2 not in dict(lists.of(1))
    with pytest.raises(ValueError, match="session_gap=60 needs the time between events, .*'order inside a sequence'"):
        ItemKNN(session_gap=60.0).fit(training_set(ROWS, 4, clock=Clock.WITHIN), Run(0))


def test_history_sum_adds_the_lists_of_all_events_and_last_item_takes_one(training_set):
    train = training_set(ROWS, 4)
    model = ItemKNN(similarity=PLAIN).fit(train, Run(0))
    rows = np.zeros((4, 4))
    for i in range(4):
        for j, weight in model.lists_.of(i):
            rows[i, j] = weight
    batch = SequenceBatch.of([[0, 2, 0], [3, 1], []], query_positions=[(0, 3), (0, 1), (0, 0), (1, 2), (1, 2), (2, 0)])
    expected = [rows[0] + rows[2] + rows[0], rows[0], np.zeros(4), rows[3] + rows[1], rows[3] + rows[1], np.zeros(4)]
    np.testing.assert_allclose(all_scores(model, batch), expected, rtol=1e-6)
    once = ItemKNN(similarity=PLAIN, count_repeats=False).fit(train, Run(0))
    np.testing.assert_allclose(all_scores(once, batch)[0], rows[0] + rows[2], rtol=1e-6)
    last = ItemKNN(similarity=PLAIN, query="last_item").fit(train, Run(0))
    expected = [rows[0], rows[0], np.zeros(4), rows[1], rows[1], np.zeros(4)]
    np.testing.assert_allclose(all_scores(last, batch), expected, rtol=1e-6)


def test_blocks_and_candidates_agree_with_the_whole_to_the_bit(training_set):
    model = ItemKNN().fit(training_set(random_rows(), 37), Run(0))
    histories = random_rows(seed=4)[:9]
    asked = [(b, r) for b, row in enumerate(histories) for r in range(len(row))]
    scores = model.score(SequenceBatch.of(histories, query_positions=asked))
    whole = scores.block(slice(None))
    assert whole.shape == scores.shape == (len(asked), 37)
    for start in range(0, len(asked), 7):
        part = slice(start, start + 7)
        assert np.array_equal(scores.block(part), whole[part])
        assert np.array_equal(scores.block(part, np.array([5, 2])), whole[part][:, [5, 2]])
        own = np.arange(len(whole[part]))[:, None] + [[0, 3]]
        assert np.array_equal(scores.block(part, own), np.take_along_axis(whole[part], own, 1))


@pytest.mark.parametrize("num_items", [37, 400])
@pytest.mark.parametrize("bits", [True, False])
def test_lists_equal_implicit_and_scikit_learn(training_set, monkeypatch, num_items, bits):
    """Counting by comparing bits and by walking profiles must both equal the two peers, on dense and sparse data."""
    if not bits:
        monkeypatch.setattr(cooccurrence, "BITSET_LIMIT", 0)
    train = training_set(random_rows(num_items, 90, 40 if num_items == 37 else 6), num_items)
    profiles = cooccurrence.Profiles.of(train)
    assert (cooccurrence._bits(profiles).size > 0) == bits
    held = (profiles.profile_counts > 0, profiles.profile_items, profiles.profile_offsets)
    matrix = sp.csr_matrix(held, (90, num_items)).astype(float)
    lists = ItemKNN(neighbours=12, similarity=PLAIN, self_similarity="full").fit(train, Run(0)).lists_
    peer = CosineRecommender(K=12, num_threads=1)
    peer.fit(matrix, show_progress=False)
    exact = cosine_similarity(matrix.T)
    for i in range(num_items):
        ours = lists.of(i)
        weights = [w for _, w in ours]
        assert weights == sorted(weights, reverse=True)
        np.testing.assert_allclose(weights, [exact[i, j] for j, _ in ours], rtol=1e-6)  # right weights …
        best = np.sort(exact[i][exact[i] > 0])[::-1][:12]
        np.testing.assert_allclose(weights, best, rtol=1e-6)  # … and no better one left out
        theirs = np.sort(peer.similarity[i].data)[::-1]
        np.testing.assert_allclose(weights, theirs[theirs > 0], rtol=1e-6)


def test_ties_at_the_cut_go_to_the_lower_item_number(training_set):
    model = ItemKNN(neighbours=2, similarity=PLAIN).fit(training_set([[4, 3, 2, 1, 0]], 5), Run(0))
    assert [[j for j, _ in model.lists_.of(i)] for i in range(5)] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_small_blocks_give_the_same_lists(training_set, monkeypatch):
    train = training_set(random_rows(), 37)
    whole = ItemKNN(neighbours=5).fit(train, Run(0)).lists_
    monkeypatch.setattr(cooccurrence, "BLOCK_ENTRIES", 20)
    cut = ItemKNN(neighbours=5).fit(train, Run(0)).lists_
    assert np.array_equal(whole.items, cut.items) and np.array_equal(whole.weights, cut.weights)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"neighbours": 0}, "neighbours must be at least 1, got 0"),
        ({"query": "all"}, "query must be one of history_sum, last_item, got 'all'"),
        ({"query": "last_item", "count_repeats": False}, "count_repeats must be True where query is 'last_item'"),
        ({"session_gap": -1.0}, "session_gap must be above 0 seconds or None, got -1.0"),
    ],
)
def test_refuses_bad_fields(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        ItemKNN(**fields)


def test_refuses_bad_similarities():
    with pytest.raises(ValueError, match="shrinkage must be at least 0, got -1"):
        Cosine(shrinkage=-1)
    with pytest.raises(ValueError, match="alpha must be at least 0 and at most 1, got 2"):
        Cosine(alpha=2)
