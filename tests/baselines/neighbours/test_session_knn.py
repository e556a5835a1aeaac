import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from baselines.neighbours.session_knn import SessionKNN, VectorSessionKNN, position_weights
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from training.run import Run

ROWS = [[0, 1], [1, 2, 1], [0, 3], [4]]  # sessions A B C D, newest last


def all_scores(model, batch):
    return model.score(batch).block(slice(None))


def test_cosine_by_hand(training_set):
    model = SessionKNN().fit(training_set(ROWS, 5), Run(0))
    batch = SequenceBatch.of([[0, 1, 0], [], [-1, 4]], query_positions=[(0, 1), (0, 3), (1, 0), (2, 2)])
    # q = {0}: A 1/√2, C 1/√2; q = {0, 1}: A 2/2 = 1, B 1/2, C 1/2; nobody; q = {4}: D 1
    root = 2**-0.5
    expected = [[2 * root, root, 0, root, 0], [1.5, 1.5, 0.5, 0.5, 0], [0] * 5, [0, 0, 0, 0, 1]]
    np.testing.assert_allclose(all_scores(model, batch), expected, rtol=1e-6)


def test_jaccard_by_hand(training_set):
    model = SessionKNN(similarity="jaccard").fit(training_set(ROWS, 5), Run(0))
    # q = {0, 1}: A 2/2, B 1/3 (0, 1, 2), C 1/3 (0, 1, 3)
    expected = [[4 / 3, 4 / 3, 1 / 3, 1 / 3, 0]]
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0, 1]])), expected, rtol=1e-6)


def test_one_neighbour_of_equally_near_ones_is_the_newest(training_set):
    model = SessionKNN(neighbours=1).fit(training_set(ROWS, 5), Run(0))
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0]])), [[2**-0.5, 0, 0, 2**-0.5, 0]], rtol=1e-6)


def test_candidates_are_the_most_recent_sessions_that_share_an_item(training_set):
    # A is nearest to [0, 1] but the two newest candidates are B and C
    model = SessionKNN(sample_size=2).fit(training_set(ROWS, 5), Run(0))
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0, 1]])), [[0.5] * 4 + [0]], rtol=1e-6)
    # played at other times, A and B are the newest
    train = training_set(ROWS, 5, times=[[8, 9], [5, 6, 7], [1, 2], [3]])
    older = SessionKNN(sample_size=2).fit(train, Run(0))
    np.testing.assert_allclose(all_scores(older, SequenceBatch.of([[0, 1]])), [[1, 1.5, 0.5, 0, 0]], rtol=1e-6)


def test_random_candidates_are_seeded_and_say_so(training_set):
    train = training_set([[0, i] for i in range(1, 40)], 40, clock=Clock.WITHIN)
    model = SessionKNN(sampling="random", sample_size=5)
    assert not model.deterministic and SessionKNN().deterministic
    assert model.clock is Clock.NONE and SessionKNN().clock is Clock.BETWEEN
    batch = SequenceBatch.of([[0]])
    drawn = [all_scores(model.fit(train, Run(seed)), batch)[0, 1:] for seed in (0, 0, 1)]
    assert all((row > 0).sum() == 5 for row in drawn)
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])
    with pytest.raises(ValueError, match="needs an order between sessions, .* use sampling='listed_last' or 'random'"):
        SessionKNN().fit(train, Run(0))


def test_sessions_listed_last_stand_for_the_most_recent(training_set):
    train = training_set(ROWS, 5, times=[[8, 9], [5, 6, 7], [1, 2], [3]], clock=Clock.WITHIN)
    model = SessionKNN(sampling="listed_last", sample_size=2).fit(train, Run(0))  # B and C, whatever the times
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0, 1]])), [[0.5] * 4 + [0]], rtol=1e-6)


def test_vector_form_by_hand(training_set):
    model = VectorSessionKNN().fit(training_set(ROWS, 5), Run(0))
    # q = 0 2 0 1: places 1/4 … 1; 0 at place 3 (3/4), 2 at 2/4, 1 at 1; three different items
    # A {0,1}: (3/4 + 1) / 3, newest shared 1 at lag 1 → × 1; B {1,2}: (1 + 1/2) / 3, lag 1; C {0,3}: 1/4, lag 2 → × 1/2
    a, b, c = 1.75 / 3, 1.5 / 3, 0.75 / 3 / 2
    batch = SequenceBatch.of([[0, 2, 0, 1]])
    np.testing.assert_allclose(all_scores(model, batch), [[a + c, a + b, b, c, 0]], rtol=1e-6)
    # only the last two events: q = 0 1: places 1/2, 1; two items
    near = VectorSessionKNN(window=2).fit(training_set(ROWS, 5), Run(0))
    a, b, c = 1.5 / 2, 1 / 2, 0.5 / 2 / 2
    np.testing.assert_allclose(all_scores(near, batch), [[a + c, a + b, b, c, 0]], rtol=1e-6)
    # idf: 4 sessions; events of items 2, 3, 1, 1, 1
    rare = VectorSessionKNN(window=2, idf_weight=2.0).fit(training_set(ROWS, 5), Run(0))
    boost = 1 + 2 * np.log(4 / np.array([2, 3, 1, 1, 1]))
    np.testing.assert_allclose(all_scores(rare, batch), [[a + c, a + b, b, c, 0]] * boost, rtol=1e-6)


def test_tuned_vector_form_by_hand(training_set):
    model = VectorSessionKNN(position_weights="logarithmic", recency="quadratic", idf_weight=2.0)
    model.fit(training_set(ROWS, 5), Run(0))
    # q = 3 0: 0 at the end weighs 1 / log10(1.7), 3 one event earlier 1 / log10(2.7); two different items
    late, early = 1 / np.log10(1.7) / 2, 1 / np.log10(2.7) / 2
    # A {0,1}: late, lag 1; C {0,3}: both, lag 1
    boost = 1 + 2 * np.log(4 / np.array([2, 3, 1, 1, 1]))
    expected = np.array([[late + late + early, late, 0, late + early, 0]]) * boost
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[3, 0]])), expected, rtol=1e-6)
    # q = 3 4: D {4} at lag 1, C {0,3} at lag 2, which weighs 1/4
    expected = np.array([[early / 4, 0, 0, early / 4, late]]) * boost
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[3, 4]])), expected, rtol=1e-6)


@pytest.mark.parametrize("negative", [False, True])
def test_negative_weights_are_cut_or_kept(training_set, negative):
    # item 0 has five events in two sessions: its boost is 1 + 2 ln(2/5) = -0.83; items 1 and 2 have 1 + 2 ln 2
    model = VectorSessionKNN(position_weights="same", recency="same", idf_weight=2.0, negative_weights=negative)
    model.fit(training_set([[0, 0, 0, 1], [0, 0, 2]], 3), Run(0))
    frequent, rare = 1 + 2 * np.log(2 / 5), 1 + 2 * np.log(2)
    expected = [[2 * frequent if negative else 0, rare, rare]]
    np.testing.assert_allclose(all_scores(model, SequenceBatch.of([[0]])), expected, rtol=1e-6)
    # linear recency: 0 and 1 are shared at lags 12 and 1 of a query with three different items, 3 is in no session
    model = VectorSessionKNN(position_weights="same", recency="linear", negative_weights=negative)
    model.fit(training_set([[0, 2], [1]], 4), Run(0))
    far = (1 - 1.2) / 3 if negative else 0
    batch = SequenceBatch.of([[0] + [3] * 10 + [1]])
    np.testing.assert_allclose(all_scores(model, batch), [[far, 0.9 / 3, far, 0]], rtol=1e-6)


def weights(kind, n):
    """Those of the places 1 … n of a query of n events."""
    behind, power = position_weights(kind, n)
    return behind[::-1] * (np.arange(1, n + 1) / n) ** power


def test_place_weights_by_hand():
    assert weights("same", 3).tolist() == [1, 1, 1]
    assert weights("share", 4).tolist() == [0.25, 0.5, 0.75, 1]
    assert weights("quadratic", 2).tolist() == [0.25, 1]
    np.testing.assert_allclose(weights("linear", 12)[[0, 1, 10, 11]], [0, 0, 0.9, 1], atol=1e-12)
    np.testing.assert_allclose(weights("logarithmic", 5)[[4, 0]], [1 / np.log10(1.7), 1 / np.log10(5.7)])


@pytest.mark.parametrize("kind", ["same", "share", "linear", "logarithmic", "quadratic"])
def test_a_long_history_takes_no_square_of_its_length(training_set, kind):
    model = VectorSessionKNN(sampling="listed_last", position_weights=kind).fit(
        training_set([[0, 1], [0, 2]], 3), Run(0)
    )
    all_scores(model, SequenceBatch.of([[0]]))  # compiled
    batch = SequenceBatch.of([[0] * 2000])
    tracemalloc.start()
    all_scores(model, batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 2000


def by_brute_force(rows, times, history, k, sample, lags, boosts):
    """V-SKNN with quadratic places straight from its definition, with Python sets and exact similarities."""
    places = [Fraction(p, len(history)) ** 2 for p in range(1, len(history) + 1)]
    newest = {item: p for p, item in enumerate(history, start=1)}
    sessions = [(times[s][-1], s) for s, row in enumerate(rows) if set(row) & set(newest)]
    found = []
    for time, s in sorted(sessions, reverse=True)[:sample]:
        shared = set(rows[s]) & set(newest)
        similarity = sum(places[newest[i] - 1] for i in shared) / len(newest)
        found.append((round(similarity, 12), time, s))  # equal similarities must tie
    scores = np.zeros(len(boosts))
    for similarity, _, s in sorted(found, reverse=True)[:k]:
        lag = len(history) + 1 - max(newest[i] for i in set(rows[s]) & set(newest))
        for item in set(rows[s]):
            scores[item] += float(similarity) * lags(lag) * boosts[item]
    return scores


TUNED = {"recency": "linear", "idf_weight": 10.0, "negative_weights": True}  # as session-rec on Diginetica


@pytest.mark.parametrize(("more", "lags"), [({}, lambda d: 1 / d), (TUNED, lambda d: 1 - d / 10)])
def test_equals_brute_force_in_any_block(training_set, more, lags):
    rng = np.random.default_rng(5)
    rows = [rng.integers(0, 17, rng.integers(1, 8)).tolist() for _ in range(120)]
    starts = rng.permutation(120) * 100.0
    times = [[start + t for t in range(len(row))] for row, start in zip(rows, starts, strict=True)]
    train = training_set(rows, 17, times=times)
    histories = [rng.integers(0, 17, rng.integers(1, 20)).tolist() for _ in range(20)]  # lags above 10 too
    asked = [(b, r) for b, row in enumerate(histories) for r in range(1, len(row) + 1)]
    model = VectorSessionKNN(neighbours=7, sample_size=25, position_weights="quadratic", **more).fit(train, Run(0))
    events = np.bincount(np.concatenate(rows), minlength=17)
    boosts = 1 + more.get("idf_weight", 0.0) * np.log(len(rows) / events)
    scores = model.score(SequenceBatch.of(histories, query_positions=asked))
    whole = scores.block(slice(None))
    for m, (b, read) in enumerate(asked):
        expected = by_brute_force(rows, times, histories[b][:read], 7, 25, lags, boosts)
        np.testing.assert_allclose(whole[m], expected, rtol=1e-5, atol=1e-9)
    for start in range(0, len(asked), 9):
        assert np.array_equal(scores.block(slice(start, start + 9)), whole[start : start + 9])
    assert np.array_equal(scores.block(slice(2, 4), np.array([4, 1])), whole[2:4][:, [4, 1]])


def test_refuses_bad_fields():
    with pytest.raises(ValueError, match="sample_size must be at least 1, got 0"):
        SessionKNN(sample_size=0)
    with pytest.raises(ValueError, match="sampling must be one of recent, listed_last, random, got 'old'"):
        VectorSessionKNN(sampling="old")
    with pytest.raises(ValueError, match="recency must be one of .*, got 'div'"):
        VectorSessionKNN(recency="div")
    with pytest.raises(ValueError, match="window must be at least 1 or None, got 0"):
        SessionKNN(window=0)
