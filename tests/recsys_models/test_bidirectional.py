"""RNN, GRU and LSTM that read both ways: only over a target's own prefix, never over what comes after it."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from recsys_data.generated.planted import PlantedSignal
from recsys_data.sequences import PAD, SequenceBatch
from recsys_models.engine import query_prefixes
from recsys_models.rnn import GRU, LSTM, RNN
from tests.recsys_models.planted_splits import fitted_mrr
from tests.recsys_models.test_rnn import tiny_training_set
from training.run import Run

BOTH_WAYS = {"instances": "prefixes", "bidirectional": True}
TINY = {"dim": 6, "embedding_dim": 4, "max_len": 4, "batch_size": 5, "epochs": 2, **BOTH_WAYS}
KINDS = [RNN, GRU, LSTM]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@each_kind
def test_it_is_refused_where_the_future_would_leak(kind):
    sentence = f'bidirectional must be false unless instances is "prefixes": {kind.__name__} predicts after every event'
    with pytest.raises(ValueError, match=sentence):
        kind(bidirectional=True)


@each_kind
def test_what_happens_after_the_asked_position_moves_no_bit(kind):
    model = kind(**TINY).fit(tiny_training_set(), Run(1))
    asked = [(0, 0), (0, 2), (0, 5), (1, 1), (1, 3)]
    batch = SequenceBatch.of([[3, 9, 0, 7, 7, 2, 4], [5, 6, 5, 8]], query_positions=asked)
    before = model.score(batch).queries
    for position, (row, read) in enumerate(asked):
        items = batch.items.copy()
        items[row, read:] = np.where(items[row, read:] == PAD, PAD, 10 - items[row, read:])
        after = model.score(dataclasses.replace(batch, items=items)).queries
        assert torch.equal(before[position], after[position])
        later = [number for number, (other, more) in enumerate(asked) if other == row and more > read]
        assert all(not torch.equal(before[number], after[number]) for number in later)  # it was something that is read


@each_kind
@pytest.mark.parametrize("lower_layers", [(), (3, 5)])
def test_it_is_torchs_own_bidirectional_layer(kind, lower_layers):
    """Given the engine's weights, torch's packed layer ends every prefix in the same two states."""
    fields = TINY | {"dim": 5, "lower_layers": lower_layers and (5, 5)}
    model = kind(**fields).fit(tiny_training_set(), Run(1))
    network, counts = model.network_.eval(), np.array([3, 1, 4])
    items = np.array([[3, 9, 0, PAD], [7, PAD, PAD, PAD], [1, 2, 2, 10]])
    torchs = getattr(torch.nn, kind.layer)(4, 5, num_layers=1 + len(lower_layers), bidirectional=True)
    with torch.no_grad():
        for number in range(1 + len(lower_layers)):
            for layer, suffix in ((network.layers[number], ""), (network.backward_layers[number], "_reverse")):
                give(kind, layer, torchs, f"l{number}{suffix}")
        values = nn.functional.embedding(torch.from_numpy(np.maximum(items, 0)), network.item_embedding)
        packed = nn.utils.rnn.pack_padded_sequence(values, torch.from_numpy(counts), True, enforce_sorted=False)
        last = torchs(packed)[1]
        last = (last[0] if kind is LSTM else last)[-2:]  # the two directions of the last layer, (2, B, H)
        assert torch.allclose(network.last_states(items, counts), torch.cat([*last], dim=1), atol=1e-6)


def give(kind, layer, torchs, name):
    """Copy a layer's weights into torch's, whose LSTM has its gates as i, f, g, o."""
    order = [0, 1, 3, 2] if kind is LSTM else range(layer.num_gates)

    def turned(weight):
        return torch.cat([weight.chunk(layer.num_gates, dim=-1)[gate] for gate in order], dim=-1)

    getattr(torchs, f"weight_ih_{name}").copy_(turned(layer.weight).T)
    getattr(torchs, f"weight_hh_{name}").copy_(turned(layer.recurrent).T)
    getattr(torchs, f"bias_ih_{name}").copy_(turned(layer.bias))
    getattr(torchs, f"bias_hh_{name}").copy_(getattr(layer, "recurrent_bias", torch.zeros_like(layer.bias)))


@each_kind
@pytest.mark.parametrize(
    "more", [{}, {"embedding_dim": None}, {"lower_layers": (3,)}, {"bidirectional": False}], ids=str
)
def test_training_sees_what_scoring_sees(kind, more):
    train = tiny_training_set()
    model = kind(**TINY | more).fit(train, Run(1))
    seen = []
    for batch in model.batcher().batches(train.sequences, np.random.default_rng(0)):
        at = np.flatnonzero(batch.target_mask)
        with torch.no_grad():
            queries = model.network_.encode_training(batch, torch.from_numpy(at))
        for row, query in enumerate(queries):
            read = batch.inputs[row][batch.inputs[row] != PAD]
            assert torch.allclose(query, model.score(SequenceBatch.of([read.tolist()])).queries[0], atol=1e-6)
            seen.append(len(read))
    assert len(seen) == np.maximum(train.sequences.lengths - 1, 0).sum() and max(seen) == model.max_len


def test_the_gradient_is_that_of_its_finite_differences():
    model = GRU(**TINY | {"dim": 3, "lower_layers": (2,)})
    network = model.fit(tiny_training_set(), Run(1)).network_.double()
    items, counts = np.array([[3, 9, 0], [7, 7, PAD]]), np.array([3, 2])
    weights = list(network.parameters())
    assert torch.autograd.gradcheck(lambda *_: network.last_states(items, counts), weights)


def test_the_last_max_len_events_are_read_and_the_empty_history_is_zero(monkeypatch):
    model = LSTM(**TINY).fit(tiny_training_set(), Run(1))
    long, short = SequenceBatch.of([[8, 1, 3, 9, 0, 7]]), SequenceBatch.of([[3, 9, 0, 7]])
    assert torch.equal(model.score(long).queries, model.score(short).queries)
    assert torch.equal(model.score(SequenceBatch.of([[]])).queries[0], model.network_.query.bias)
    batch = SequenceBatch.of([[8, 1, 3], [5], []], query_positions=[(0, 3), (1, 1), (2, 0), (0, 1)])
    together = model.score(batch).queries
    monkeypatch.setattr(query_prefixes, "QUERIES_PER_BLOCK", 2)
    assert torch.allclose(model.score(batch).queries, together, atol=1e-6)


@each_kind
def test_near_the_optimum_where_order_decides_and_near_chance_where_nothing_does(kind):
    fields = {"dim": 24, "embedding_dim": 24, "max_len": 6, "learning_rate": 0.01, "epochs": 3, **BOTH_WAYS}
    planted, permuted = (
        PlantedSignal("order", num_users=110, num_items=30, length=40, permuted=p).load() for p in (0, 1)
    )
    assert fitted_mrr(kind(**fields), planted) > 0.9 * planted.facts["best"]["MRR@20"]
    assert fitted_mrr(kind(**fields | {"epochs": 1}), permuted) < 1.2 * permuted.facts["chance"]["MRR@20"]


@each_kind
def test_a_fit_repeats_to_the_bit_and_leaves_the_fields_alone(kind):
    model = kind(**TINY, dropout=0.2)
    before = dataclasses.asdict(model)
    one, two = (dataclasses.replace(model).fit(tiny_training_set(), Run(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True))
    assert dataclasses.asdict(one) == before
    assert not torch.equal(one.network_.layers[0].weight, one.network_.backward_layers[0].weight)
