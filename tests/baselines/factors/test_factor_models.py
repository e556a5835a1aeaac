"""What BPR-MF, FPMC and sequential MF share: planted factors, seeds, checkpoints, patience, stated answers."""

import dataclasses
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.bpr import BayesianPersonalizedRanking

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.factors.negatives import Negatives
from baselines.factors.sequential_mf import SequentialMF
from recsys_data.sequences import SequenceBatch
from training.control.guard import Diverged
from training.run import Run

SMALL = [
    BPRMF(dim=4, epochs=5), BPRMF(dim=4, epochs=5, negatives=Negatives("adaptive", mean_rank=3.0), positives="users"),
    FPMC(dim=3, chain_dim=4, epochs=5), FPMC(dim=3, chain_dim=4, epochs=5, negatives=Negatives("adaptive", "target")),
    SequentialMF(dim=4, epochs=5, lag_weights="learned"), SequentialMF("separate", dim=4, epochs=5),
    SequentialMF("context_only", dim=4, epochs=5, positives="with_replacement"),
]  # fmt: skip
LABELS = [f"{type(m).__name__}-{n}" for n, m in enumerate(SMALL)]
each = pytest.mark.parametrize("model", SMALL, ids=LABELS)


def all_scores(model, batch):
    return np.asarray(model.score(batch).block(slice(None)), dtype=np.float64)


@pytest.fixture
def walks(training_set):
    rng = np.random.default_rng(0)
    return training_set([rng.integers(0, 29, rng.integers(2, 15)).tolist() for _ in range(40)], 29)


BATCH = SequenceBatch.of([[3, 5, 7], [], [3, -1], []], users=[0, 1, -1, -1])


@each
def test_equal_seeds_equal_bits_and_fields_stay(walks, model):
    first, again, other = (dataclasses.replace(model).fit(walks, Run(seed)) for seed in (4, 4, 5))
    assert first == model
    assert np.array_equal(all_scores(first, BATCH), all_scores(again, BATCH))
    assert not np.array_equal(all_scores(first, BATCH), all_scores(other, BATCH))
    assert first.epochs_ == 5 == len(first.curve_) and first.stopped_ == "epoch limit" and first.resumed_from_ is None


@each
def test_a_killed_fit_ends_with_the_same_bits(walks, model, tmp_path):
    calm = dataclasses.replace(model).fit(walks, Run(4))

    class Killed(Exception):
        pass

    def kill(record):
        if record["epoch"] == 3:
            raise Killed

    with pytest.raises(Killed):
        dataclasses.replace(model).fit(walks, Run(4, checkpoint=tmp_path, log=kill))
    log = []
    resumed = dataclasses.replace(model).fit(walks, Run(4, checkpoint=tmp_path, log=log.append))
    assert log[0] == {"event": "resumed", "epoch": 3} and resumed.resumed_from_ == 3
    assert np.array_equal(all_scores(calm, BATCH), all_scores(resumed, BATCH))
    assert [r["loss"] for r in calm.curve_] == [r["loss"] for r in resumed.curve_]


@each
def test_patience_keeps_the_best_epoch(walks, model):
    values = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    seen = []

    def validate(current):
        seen.append(all_scores(current, BATCH))
        return next(values)

    fitted = dataclasses.replace(model, patience=2).fit(walks, Run(4, validate=validate))
    assert (fitted.epochs_, fitted.best_epoch_, fitted.stopped_) == (4, 2, "patience")
    assert np.array_equal(all_scores(fitted, BATCH), seen[1])


@each
def test_unknown_users_and_empty_histories_have_an_answer(walks, model):
    scores = all_scores(dataclasses.replace(model).fit(walks, Run(4)), BATCH)
    assert np.isfinite(scores).all()
    assert np.ptp(scores[2]) > 0  # an unknown user with a history is not left without an order


def test_stated_answers(walks):
    fpmc = FPMC(dim=3, chain_dim=4, epochs=2).fit(walks, Run(1))
    np.testing.assert_allclose(all_scores(fpmc, BATCH)[1], fpmc.item_factors_ @ fpmc.user_factors_[1], atol=1e-6)
    assert np.ptp(all_scores(fpmc, BATCH)[3]) == 0
    mean = fpmc.item_factors_ @ fpmc.item_factors_[3]
    np.testing.assert_allclose(all_scores(fpmc, BATCH)[2], mean, atol=1e-6)  # the item read last is unknown
    nobody = dataclasses.replace(fpmc, unknown_users="none").fit(walks, Run(1))
    assert np.ptp(all_scores(nobody, BATCH)[2]) == 0
    bpr = BPRMF(dim=4, epochs=2).fit(walks, Run(1))
    np.testing.assert_allclose(
        all_scores(bpr, BATCH)[0], bpr.item_factors_ @ bpr.user_factors_[0] + bpr.biases_, atol=1e-6
    )
    np.testing.assert_allclose(all_scores(bpr, BATCH)[3], bpr.biases_, atol=1e-6)
    session = dataclasses.replace(bpr, query="history_mean").fit(walks, Run(1))
    expected = session.item_factors_ @ session.item_factors_[[3, 5, 7]].mean(axis=0) + session.biases_
    np.testing.assert_allclose(all_scores(session, BATCH)[0], expected, atol=1e-6)


def test_anonymous_sessions_learn_factors_that_no_query_reaches(training_set):
    rows = [[0, 1, 2], [3, 4]]
    train = training_set(rows, 5, users=[-1, -1])
    model = BPRMF(dim=3, epochs=2).fit(train, Run(0))
    assert model.user_factors_.shape == (2, 3) and train.num_users == 0
    scores = all_scores(model, SequenceBatch.of([[0, 1]], users=[0]))
    expected = model.item_factors_ @ model.item_factors_[[0, 1]].mean(axis=0) + model.biases_
    np.testing.assert_allclose(scores[0], expected, atol=1e-6)


def test_divergence_is_named(walks):
    with pytest.raises(Diverged, match=r"epoch \d: the loss is nan; try a learning_rate below 1e\+06"):
        BPRMF(dim=4, epochs=9, learning_rate=1e6).fit(walks, Run(0))


def planted(seed, num_users=300, num_items=50, dim=3, length=60):
    """Users who draw items from the softmax of planted factors; the true scores too."""
    rng = np.random.default_rng(seed)
    true = rng.standard_normal((num_users, dim)) @ rng.standard_normal((dim, num_items)) * 0.7
    chances = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    return [rng.choice(num_items, length, p=chances[u]).tolist() for u in range(num_users)], true


def recovered(scores, true):
    """How many of a user's pairs of items stand in the planted order: 0.5 is chance, 1 all."""
    pairs = [
        np.sign(row[:, None] - row) * np.sign(goal[:, None] - goal) for row, goal in zip(scores, true, strict=True)
    ]
    return (np.sum(pairs) / np.size(true) / (true.shape[1] - 1) + 1) / 2


ANY = Negatives(check="none")
EVEN = {"reg_user": 0.03, "reg_positive": 0.03, "reg_negative": 0.03}


@pytest.mark.parametrize(
    ("model", "least"),
    [
        (BPRMF(dim=3, epochs=40, learning_rate=0.03, biases=False, negatives=ANY, **EVEN), 0.89),
        (FPMC(dim=3, chain_dim=2, epochs=40, learning_rate=0.03, weight_decay=0.05, negatives=ANY), 0.89),
        (SequentialMF("separate", dim=3, epochs=40, learning_rate=0.03, weight_decay=0.03, negatives=ANY), 0.89),
        # the shared table also serves the context, which here tells of the user's taste a second time
        (SequentialMF("shared", dim=3, epochs=40, learning_rate=0.03, weight_decay=0.02, negatives=ANY), 0.83),
    ],
    ids=["BPR-MF", "FPMC", "separate", "shared"],
)
def test_planted_factors_are_recovered(training_set, model, least):
    """From 60 draws of each of 300 users, the order of their items by the planted factors of rank 3."""
    taken, true = planted(3)
    fitted = model.fit(training_set(taken, 50), Run(0))
    scores = all_scores(fitted, SequenceBatch.of([[]] * 300, users=list(range(300))))  # the user's factors alone
    assert recovered(scores, true) > least
    assert recovered(scores[::-1], true) < 0.55  # another user's factors do not do


@pytest.mark.parametrize("model", [
    FPMC(dim=2, chain_dim=8, epochs=60), SequentialMF("separate", 1, dim=8, epochs=60, learning_rate=0.05),
], ids=["FPMC", "separate"])  # fmt: skip
def test_planted_transitions_are_recovered(training_set, model):
    """Walks over planted transition scores of rank 3: what follows an item is ordered as planted."""
    rng = np.random.default_rng(1)
    true = 1.5 * rng.standard_normal((31, 3)) @ rng.standard_normal((3, 31))
    chances = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    walks = []
    for _ in range(150):
        walk = [int(rng.integers(31))]
        while len(walk) < 60:
            walk.append(int(rng.choice(31, p=chances[walk[-1]])))
        walks.append(walk)
    fitted = dataclasses.replace(model, negatives=Negatives(check="target")).fit(training_set(walks, 31), Run(0))
    scores = all_scores(fitted, SequenceBatch.of([[i] for i in range(31)], users=[-1] * 31))
    frequencies = np.argsort(np.argsort(scores, axis=1), axis=1)
    planted_ranks = np.argsort(np.argsort(true, axis=1), axis=1)
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(frequencies, planted_ranks, strict=True)]
    assert np.mean(likeness) > 0.75


def test_bpr_is_as_good_as_implicit_at_its_settings(training_set):
    taken, true = planted(3)
    ours = BPRMF(
        dim=16, epochs=100, learning_rate=0.05, reg_user=0.01, reg_positive=0.01, reg_negative=0.01,
        reg_bias=0.01, positives="with_replacement", negatives=Negatives("popularity", refused="skip"),
        init="uniform", init_scale=0.5 / 16,
    )  # fmt: skip
    alone = SequenceBatch.of([[]] * 300, users=list(range(300)))
    mine = [recovered(all_scores(ours.fit(training_set(taken, 50), Run(s)), alone), true) for s in range(3)]
    pairs = np.unique([(u, i) for u, row in enumerate(taken) for i in row], axis=0)
    matrix = sp.csr_matrix((np.ones(len(pairs), np.float32), pairs.T), (300, 50))
    theirs = []
    for seed in range(3):
        peer = BayesianPersonalizedRanking(
            15, learning_rate=0.05, regularization=0.01, iterations=100, num_threads=1, random_state=seed, use_gpu=False
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer.fit(matrix, show_progress=False)
        theirs.append(recovered(peer.user_factors @ peer.item_factors.T, true))
    assert np.mean(mine) > np.mean(theirs) - 0.01


def test_refuses_bad_fields():
    with pytest.raises(ValueError, match="learning_rate must be above 0, got 0"):
        BPRMF(learning_rate=0)
    with pytest.raises(ValueError, match="positives must be one of shuffled, .*, got 'all'"):
        FPMC(positives="all")
    with pytest.raises(ValueError, match="variant must be one of shared, separate, context_only, got 'c'"):
        SequentialMF(variant="c")
    with pytest.raises(ValueError, match="patience must be at least 1 or None, got 0"):
        BPRMF(patience=0)
    with pytest.raises(ValueError, match=r"reg_bias must be 0 where biases is False, got 0\.1"):
        BPRMF(biases=False, reg_bias=0.1)
