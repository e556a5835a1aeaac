import dataclasses

import numpy as np
import pytest
import torch

import reference.user_gru
from recsys_data.generated.planted import PlantedSignal
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import HeldOut, TrainingSet
from recsys_models.user_gru import AttentionalUserGRU, LinearUserGRU, RectifiedUserGRU, StandardGRU
from tests.recsys_models.planted_splits import fitted_mrr, mrr
from training.run import Run

TINY = {"dim": 5, "max_len": 4, "batch_size": 3, "epochs": 2}
KINDS = [StandardGRU, LinearUserGRU, RectifiedUserGRU, AttentionalUserGRU]


def tiny_training_set(num_users=7):
    rng = np.random.default_rng(0)
    offsets = np.r_[0, np.cumsum(rng.integers(1, 15, 7))]
    items = rng.integers(0, 11, offsets[-1]).astype(np.int32)
    users = np.arange(7, dtype=np.int32) if num_users else np.full(7, -1, dtype=np.int32)
    return TrainingSet(Sequences(items, np.arange(len(items)) * 1.0, offsets, users), num_users, 11, Clock.WITHIN)


CASES = [kind(**TINY) for kind in KINDS] + [
    RectifiedUserGRU(**TINY, filter_candidate=False, stateful=False, user_l2_on="matrices"),
    RectifiedUserGRU(**TINY, threshold_gradient="straight-through", user_mask="sequence"),
    AttentionalUserGRU(**TINY, bracket="transform first", attention_init="item first"),
    AttentionalUserGRU(**TINY, attention_init="uniform", user_mask="sequence", user_l2_on="table"),
    LinearUserGRU(**TINY, user_mask="sequence", user_l2=0.0, output_dropout=0.1),
]


@pytest.mark.parametrize("model", CASES, ids=[f"{type(m).__name__}-{n}" for n, m in enumerate(CASES)])
def test_scores_equal_the_papers_equations(model):
    model = dataclasses.replace(model).fit(tiny_training_set(), Run(3))
    items, asked = [3, 9, 0, 0, 5], [(0, 0), (0, 3), (1, 5), (2, 2), (3, 4)]
    batch = SequenceBatch.of([items] * 4, users=[4, 0, -1, 7], query_positions=asked)
    assert np.abs(model.score(batch).block(slice(None)).numpy() - reference.user_gru.scores(model, batch)).max() < 1e-5
    if type(model) is not StandardGRU:
        assert model.unseen_users_ == 2


@pytest.mark.parametrize("mask", ["step", "sequence"])
@pytest.mark.parametrize("kind", KINDS[1:])
def test_training_sees_what_scoring_sees(kind, mask):
    """Without dropout, states in training, carried from window to window, are those of one whole reading."""
    train = tiny_training_set()
    model = kind(**TINY, dropout=0.0, user_dropout=0.0, user_mask=mask).fit(train, Run(1))
    network = model.network_.train()
    network.masks_each_step = mask == "step"  # the path that gives every step its own vector
    trained = {}
    for batch in model.batcher().batches(train.sequences, np.random.default_rng(0)):
        at = np.flatnonzero(batch.target_mask)
        with torch.no_grad():
            queries = network.encode_training(batch, torch.from_numpy(at))
        trained |= dict(zip(batch.target_events.ravel()[at].tolist(), queries, strict=True))
    for row in range(7):
        items = train.sequences.row(row).tolist()
        asked = [(0, read) for read in range(len(items))]
        scored = model.score(SequenceBatch.of([items], users=[row], query_positions=asked)).queries
        start = train.sequences.offsets[row]
        for read in range(len(items)):
            assert torch.allclose(trained[start + read], scored[read], atol=1e-6)


def test_the_rectified_models_thresholds_stay_where_they_were_drawn():
    fields = TINY | {"epochs": 3, "user_l2": 0.0}
    for gradient, moves in (("none", False), ("straight-through", True)):
        model = RectifiedUserGRU(**fields, threshold_gradient=gradient)
        first = model.network(tiny_training_set(), generators_of(Run(5)))
        model.fit(tiny_training_set(), Run(5))
        for name in ("thresholds", "user_weight"):
            assert torch.equal(getattr(model.network_, name), getattr(first, name)) is not moves
        assert not torch.equal(model.network_.filtered, first.filtered)


def generators_of(run):
    from recsys_models.networks.network import Generators

    return Generators.of(run)


def test_the_attention_gate_begins_as_its_switch_says():
    gates = {}
    for name in ("near zero", "uniform", "item first"):
        network = AttentionalUserGRU(dim=50, attention_init=name).network(tiny_training_set(), generators_of(Run(1)))
        e, x = network.item_embedding[:7], network.user_embedding
        gates[name] = torch.sigmoid(e @ network.weight + x @ network.user_weight + network.bias[150:]).detach()
    assert (gates["near zero"] - 0.5).abs().max() < 0.01  # the paper's words: half of both vectors, no standard GRU
    assert 0.45 < gates["uniform"].mean() < 0.55 and (gates["uniform"] - 0.5).abs().max() > 0.02
    assert gates["item first"].max() < 0.1  # the paper's intent: nearly a standard GRU


@pytest.mark.parametrize("where, expected", [("rows", 1.5), ("table", 15.0), ("matrices", 10.0)])
def test_the_penalty_by_hand(where, expected):
    # vectors (u, u) for users u = 0 … 3, and (1, 1) for a fifth: half the squares of a vector are ½ (u² + u²) = u²
    # rows, for windows of users 1, 1, 2, 0: (1 + 1 + 4 + 0) / 4 = 1.5; table: 0 + 1 + 4 + 9 + 1 = 15;
    # the one matrix, 2 × 6 numbers whose square is 5/3: ½ · 12 · 5/3 = 10
    model = LinearUserGRU(dim=2, user_l2=1.0, user_l2_on=where)
    offsets = np.array([0, 1, 2, 3, 4, 5])
    sequences = Sequences(np.zeros(5, dtype=np.int32), np.zeros(5), offsets, np.array([0, 1, 2, 3, 4], dtype=np.int32))
    network = model.network(TrainingSet(sequences, 5, 3, Clock.WITHIN), generators_of(Run(0)))
    with torch.no_grad():
        network.user_embedding.copy_(torch.tensor([0.0, 1.0, 2.0, 3.0, 1.0])[:, None].expand(5, 2))
        network.user_weight.fill_((5 / 3) ** 0.5)

    class Batch:
        users = np.array([1, 1, 2, 0])

    assert model.penalty(network, Batch).item() == pytest.approx(expected)


def habits(num_users=40, favourites=8, length=24):
    """Training: neutral, favourite, neutral, favourite …, the favourite being the user's own; test: one neutral item.

    Who knows the user can know the favourite (MRR 1). Who does not can put the 8 in any order: (1 + 1/2 + … + 1/8) / 8.
    """
    rng = np.random.default_rng(0)
    users = np.arange(num_users, dtype=np.int32)
    own = 8 + rng.permutation(np.arange(num_users) % favourites)
    events = rng.integers(0, 8, (num_users, length))
    events[:, 1::2] = own[:, None]
    train = Sequences(events.astype(np.int32).ravel(), np.arange(events.size) * 1.0,
                      np.arange(num_users + 1) * length, users)  # fmt: skip
    fresh = np.stack([rng.integers(0, 8, num_users), own], axis=1).astype(np.int32)
    later = Sequences(fresh.ravel(), np.arange(2.0 * num_users), np.arange(num_users + 1) * 2, users)
    ones = np.ones(num_users, dtype=np.int64)
    test = HeldOut(
        later, np.arange(num_users), ones, ones * np.nan, own.astype(np.int32), np.arange(num_users + 1), users
    )
    return TrainingSet(train, num_users, 16, Clock.WITHIN), test


LEARNER = {"dim": 24, "max_len": 4, "batch_size": 16, "learning_rate": 0.02, "epochs": 15, "user_l2": 0.0}
CHANCE = sum(1 / rank for rank in range(1, 9)) / 8


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_user_decides_who_knows_the_user_knows(kind):
    train, test = habits()
    fields = {name: value for name, value in LEARNER.items() if name != "user_l2" or kind is not StandardGRU}
    reached = mrr(kind(**fields, stateful=False).fit(train, Run(0)), train, test)
    assert reached < 1.3 * CHANCE if kind is StandardGRU else reached > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_near_the_optimum_where_order_decides_and_near_chance_where_nothing_does(kind):
    fields = {"dim": 32, "batch_size": 10, "learning_rate": 0.01, "epochs": 3, "dropout": 0.0}
    planted, permuted = (PlantedSignal("order", num_items=30, permuted=p).load() for p in (False, True))
    assert fitted_mrr(kind(**fields), planted) > 0.95 * planted.facts["best"]["MRR@20"]
    assert fitted_mrr(kind(**fields), permuted) < 1.2 * permuted.facts["chance"]["MRR@20"]


def test_same_seed_same_bits_and_bad_input_in_one_sentence():
    one, two = (AttentionalUserGRU(**TINY).fit(tiny_training_set(), Run(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True))
    with pytest.raises(ValueError, match="LinearUserGRU learns a vector for each user, but these sequences are anon"):
        LinearUserGRU(**TINY).fit(tiny_training_set(num_users=0), Run(0))
    for kind, fields, words in (
        (LinearUserGRU, {"user_dropout": 1.0}, "user_dropout must be at least 0 and below 1, got 1.0"),
        (LinearUserGRU, {"user_mask": "day"}, "user_mask must be one of step, sequence, got 'day'"),
        (LinearUserGRU, {"user_l2_on": "all"}, "user_l2_on must be one of rows, matrices, table, got 'all'"),
        (RectifiedUserGRU, {"slope": 1.0}, "slope must be above 0 and below 1, got 1.0"),
        (AttentionalUserGRU, {"bracket": "none"}, "bracket must be one of gate first, transform first, got 'none'"),
    ):
        with pytest.raises(ValueError, match=words):
            kind(**fields)
