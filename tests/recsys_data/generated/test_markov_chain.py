import numpy as np
import pytest

from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock


def test_the_best_score_by_hand():
    # One branch, no noise: the next item is certain, so both are 1. One branch, noise 1: pure chance of 1 in 4 for
    # each of four items, so MRR = (1 + 1/2 + 1/3 + 1/4) / 4 and Recall = 1.
    assert MarkovChainSequences(num_items=4, branching=1, noise=0.0).best() == {"MRR@20": 1.0, "Recall@20": 1.0}
    noisy = MarkovChainSequences(num_items=4, branching=1, noise=1.0)
    assert noisy.best() == pytest.approx({"MRR@20": (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, "Recall@20": 1.0})
    assert noisy.chance() == pytest.approx(noisy.best())
    # One branch, noise 0.2, 40 items: p(1) = 0.8 + 0.2/40, the others 0.2/40 each; 20 places are reached.
    each = 0.2 / 40
    best = MarkovChainSequences(num_items=40, branching=1, noise=0.2).best()
    assert best["MRR@20"] == pytest.approx(0.8 + each * sum(1 / r for r in range(1, 21)))
    assert best["Recall@20"] == pytest.approx(0.8 + 20 * each)


def test_the_transition_matrix_is_doubly_stochastic():
    matrix = MarkovChainSequences(num_items=30, branching=3).transitions()
    np.testing.assert_allclose(matrix.sum(axis=0), 1)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_ranking_by_the_truth_reaches_the_best_on_sampled_events():
    chain = MarkovChainSequences(num_users=2000, num_items=50, length=60, branching=4, noise=0.2, seed=3)
    events = chain.load()
    matrix = chain.transitions()[events.item_ids - 1][:, events.item_ids - 1]
    follows = events.users[1:] == events.users[:-1]
    before, after = events.items[:-1][follows], events.items[1:][follows]
    ranks = 1 + (matrix[before] > matrix[before, after][:, None]).sum(axis=1)
    middle = (matrix[before] == matrix[before, after][:, None]).sum(axis=1)  # the tied tail: mean of 1/rank over it
    gains = np.array([1 / r if r <= 20 else 0.0 for r in range(1, 2 * 50 + 1)])
    cumulative = np.concatenate([[0], np.cumsum(gains)])
    reciprocal = (cumulative[ranks - 1 + middle] - cumulative[ranks - 1]) / middle
    standard_error = reciprocal.std() / np.sqrt(len(reciprocal))
    assert abs(reciprocal.mean() - events.facts["best"]["MRR@20"]) < 4 * standard_error


def test_events_are_deterministic_rectangular_and_timed():
    chain = MarkovChainSequences()
    events = chain.load()
    assert (
        events.fingerprint
        == MarkovChainSequences().load().fingerprint
        != MarkovChainSequences(seed=1).load().fingerprint
    )
    assert events.num_users == 300 != events.num_items == 80
    assert events.clock is Clock.ABSOLUTE and (events.timestamps == np.floor(events.timestamps)).all()
    same_user = events.users[1:] == events.users[:-1]
    assert (np.diff(events.timestamps)[same_user] > 0).all()
    lengths = np.diff(events.offsets)
    assert lengths.min() >= 20 and lengths.max() <= 60 and len(set(lengths)) > 10


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"num_items": 1}, "num_items must be at least 2, got 1"),
        ({"noise": 1.5}, "noise must be at least 0 and at most 1"),
    ],
)
def test_bad_fields(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        MarkovChainSequences(**fields)


def test_the_best_with_few_successors_is_what_counting_places_gives():
    chain = MarkovChainSequences(num_users=2, num_items=30, length=4, branching=3, noise=0.2)
    matrix = chain.transitions()
    for kept in (1, 2, 30):
        mrr = recall = 0.0
        for row in matrix:
            ranked = sorted(row, reverse=True)
            for place, chance in enumerate(ranked, start=1):
                if place <= kept:
                    mrr += chance * (place <= 20) / place
                    recall += chance * (place <= 20)
                else:  # all of the rest tie: any place behind the kept ones is as likely
                    places = range(kept + 1, 31)
                    mrr += chance * sum((r <= 20) / r for r in places) / len(places)
                    recall += chance * sum(r <= 20 for r in places) / len(places)
        expected = {"MRR@20": mrr / 30, "Recall@20": recall / 30}
        assert chain.best(kept) == pytest.approx(expected)
    assert chain.best() == chain.best(30)
