"""STAMP's variants against hand-made numbers and an independent float64 NumPy reading of the equations."""

import dataclasses

import numpy as np
import pytest
import torch

from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.networks.network import Generators
from recsys_models.stamp import STAMP, STMO, STMP, VARIANTS
from reference.parts.weights import arrays
from reference.stamp import query as query_after
from training.batches.prefixes import Prefixes
from training.losses.loss import CrossEntropy
from training.losses.sampled import BPR
from training.run import Run

SESSIONS = [[2, 0, 2, 4], [1], [3, 3], [0, 4, 1, 2, 3, 0, 1], [4, 2, 0, 1, 1, 3, 2]]
ITEMS, DIM = 5, 3


def training_set(sessions=SESSIONS, num_items=ITEMS):
    items = np.concatenate(sessions).astype(np.int32)
    offsets = np.r_[0, np.cumsum([len(s) for s in sessions])]
    users = np.full(len(sessions), -1, dtype=np.int32)
    return TrainingSet(Sequences(items, np.zeros(len(items)), offsets, users), 0, num_items, Clock.WITHIN)


def network_of(model, dtype=torch.float64, spread=0.8):
    """A network whose weights, biases too, are far from zero."""
    made = model.network(training_set(), Generators.of(Run(3))).to(dtype)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in made.parameters():
            weight.normal_(0.0, spread, generator=generator)
    return made.eval()


def prefixes(sessions):
    return [(row, read) for row, session in enumerate(sessions) for read in range(1, len(session) + 1)]


MODELS = [
    *(STAMP(dim=DIM, max_len=n, variant=v) for v in VARIANTS for n in (4, 7)),
    *(STMP(dim=DIM, max_len=5, variant=v) for v in VARIANTS),
    STAMP(dim=DIM, max_len=4, variant="official", lookup_norm=1.0),
    STAMP(dim=DIM, max_len=4, last_click=False),
    STMP(dim=DIM, max_len=6, last_click=False),
    STMO(dim=DIM, max_len=4),
    STMO(dim=DIM, max_len=4, variant="official", lookup_norm=0.5),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_asked_queries_are_those_of_the_equations(model, dtype, tolerance):
    network = network_of(model, dtype)
    asked = prefixes(SESSIONS)[::-1]  # in no order that the network likes
    queries = network.encode(SequenceBatch.of(SESSIONS, query_positions=asked)).detach().numpy()
    weights = arrays(network)
    for query, (row, read) in zip(queries, asked, strict=True):
        np.testing.assert_allclose(query, query_after(model, weights, np.array(SESSIONS[row][:read])), atol=tolerance)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_unknown_items_are_read_as_zero_and_an_empty_history_has_the_biases_alone(model):
    network = network_of(model)
    histories = [[2, -1, 4], [-1, 1], [3, -1], []]
    queries = network.encode(SequenceBatch.of(histories)).detach().numpy()
    weights = arrays(network)
    for query, history in zip(queries, histories, strict=True):
        np.testing.assert_allclose(query, query_after(model, weights, np.array(history, dtype=int)), atol=1e-12)
    zero = np.zeros(DIM)
    used = [name for name, used in (("general", model.averages), ("current", model.last_click)) if used]
    alone = np.prod([np.tanh(weights.get(f"{name}_bias", zero)) for name in used], axis=0)
    np.testing.assert_allclose(queries[3], alone, atol=1e-12)


@pytest.mark.parametrize("batches", ["sessions", "prefixes", "equal lengths"])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_training_queries_are_those_of_the_equations(model, batches):
    model = dataclasses.replace(model, batches=batches, batch_size=4)
    network = network_of(model).train()
    found = {}
    for batch in model.batcher().batches(training_set().sequences, np.random.default_rng(0)):
        at = np.flatnonzero(batch.target_mask)
        queries = network.encode_training(batch, torch.from_numpy(at))
        events = batch.input_events.ravel()[at] + 1
        found |= dict(zip(events.tolist(), queries.detach().numpy(), strict=True))
    offset, count = 0, 0
    for session in SESSIONS:
        for read in range(1, len(session)):
            query = query_after(model, arrays(network), np.array(session[:read]))
            np.testing.assert_allclose(found[offset + read], query, atol=1e-12)
            count += 1
        offset += len(session)
    assert len(found) == count


def test_one_session_by_hand():
    """Items a = (1, 0) and b = (0, 2); identity cells without bias; attention that gives every event w_0 · σ(0) = 1."""
    network = network_of(STAMP(dim=2, variant="paper"))
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        network.item_embedding[:2] = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        network.general.copy_(torch.eye(2))
        network.current.copy_(torch.eye(2))
        network.weigh.fill_(1.0)
    batch = SequenceBatch.of([[0, 1]], query_positions=[(0, 1), (0, 2), (0, 0)])
    t = np.tanh
    # a: m_a = 1 · a, m_t = a; a b: m_a = a + b = (1, 2), m_t = b = (0, 2), so only the second axis is left
    by_hand = [[t(1.0) * t(1.0), 0.0], [0.0, t(2.0) * t(2.0)], [0.0, 0.0]]
    np.testing.assert_allclose(network.encode(batch).detach(), by_hand, atol=1e-12)
    network.adds_mean = True  # official: m = m_a + m_s = (1, 2) + (1/2, 1)
    by_hand = [[t(2.0) * t(1.0), 0.0], [0.0, t(3.0) * t(2.0)], [0.0, 0.0]]
    np.testing.assert_allclose(network.encode(batch).detach(), by_hand, atol=1e-12)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_gradients(model):
    network = network_of(model, spread=0.5).train()
    batch = next(
        iter(
            Prefixes(model.max_len, 100, targets_per_row=3).batches(training_set().sequences, np.random.default_rng(1))
        )
    )
    at = torch.from_numpy(np.flatnonzero(batch.target_mask))
    names, weights = zip(*network.named_parameters(), strict=True)
    pad = network.item_embedding[ITEMS:].detach()  # RecBole's pad vector gets no gradient from queries; else no row

    def queries(*values):
        given = {f"inner.{name}": value for name, value in zip(names, values, strict=True)}
        given["inner.item_embedding"] = torch.cat([given["inner.item_embedding"][:ITEMS], pad])
        return torch.func.functional_call(_Training(network), given, (batch, at))

    assert torch.autograd.gradcheck(queries, tuple(w.detach().clone().requires_grad_() for w in weights))


class _Training(torch.nn.Module):
    """encode_training as a forward."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, batch, at):
        return self.inner.encode_training(batch, at)


def test_padding_matters_in_recbole_and_not_when_masked():
    batch = SequenceBatch.of(SESSIONS)
    for variant, moves in (("recbole", True), ("recbole_masked", False)):
        short, long = (network_of(STAMP(dim=DIM, max_len=n, variant=variant)) for n in (7, 12))
        long.load_state_dict(short.state_dict())
        difference = (short.encode(batch) - long.encode(batch)).abs().max()
        assert (difference > 1e-3) == moves, variant


def test_the_pad_vector_is_a_class_while_recbole_is_trained_and_never_a_candidate():
    network = network_of(STAMP(dim=DIM, variant="recbole"))
    assert len(network.item_factors) == ITEMS
    assert len(network.train().item_factors) == ITEMS + 1
    assert len(network_of(STAMP(dim=DIM, variant="recbole", loss=BPR())).train().item_factors) == ITEMS
    assert len(network_of(STAMP(dim=DIM, variant="recbole_masked")).train().item_factors) == ITEMS


class RecBoles(torch.nn.Module):
    """RecBole 1.2.1's STAMP as its code states it: right padding in slot 0, ``padding_idx``, and no mask."""

    def __init__(self, network):
        super().__init__()
        table = torch.cat([network.item_embedding[-1:], network.item_embedding[:-1]]).detach().clone()
        self.items = torch.nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
        names = (
            "of_item",
            "of_last",
            "of_mean",
            "of_bias",
            "weigh",
            "general",
            "general_bias",
            "current",
            "current_bias",
        )
        self.weights = torch.nn.ParameterDict({name: getattr(network, name).detach().clone() for name in names})

    def loss(self, slots, lengths, targets):
        w, read = self.weights, self.items(slots)
        last, mean = read[torch.arange(len(read)), lengths - 1], read.sum(dim=1) / lengths[:, None]
        state = read @ w["of_item"] + (last @ w["of_last"] + mean @ w["of_mean"] + w["of_bias"])[:, None]
        memory = ((state.sigmoid() @ w["weigh"])[:, :, None] * read).sum(dim=1) + mean
        query = (memory @ w["general"] + w["general_bias"]).tanh() * (last @ w["current"] + w["current_bias"]).tanh()
        return torch.nn.functional.cross_entropy(query @ self.items.weight.T, targets)


def test_a_training_step_has_the_loss_and_gradients_of_recboles_embedding_with_a_padding_slot():
    model = STAMP(dim=DIM, max_len=9, variant="recbole", batches="prefixes", batch_size=1000)
    network, sequences = network_of(model).train(), training_set().sequences
    model.loss_ = model.loss.with_counts(training_set().item_counts, torch.device("cpu"))
    (batch,) = model.batcher().batches(sequences, np.random.default_rng(0))
    loss, _ = model.objective(network, batch, torch.Generator())
    loss.backward()

    lengths = (batch.inputs >= 0).sum(axis=1)
    slots = np.zeros((len(lengths), model.max_len), dtype=np.int64)
    slots[:, : batch.inputs.shape[1]] = batch.inputs + 1  # PAD is -1
    theirs = RecBoles(network)
    expected = theirs.loss(*map(torch.from_numpy, (slots, lengths, batch.targets.max(axis=1) + 1)))
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(network.item_embedding.grad.roll(1, dims=0), theirs.items.weight.grad)
    assert theirs.items.weight.grad[0].abs().max() > 1e-3  # as a class of the softmax
    for name, weight in theirs.weights.items():
        torch.testing.assert_close(getattr(network, name).grad, weight.grad)


def test_cut_lookups_leave_the_table_untouched():
    network = network_of(STAMP(dim=DIM, variant="official", lookup_norm=0.5))
    before = network.item_embedding.detach().clone()
    read = network.lookup(np.arange(ITEMS))
    assert (before.norm(dim=1) > 0.5).any()
    torch.testing.assert_close(read.norm(dim=1), before.norm(dim=1).clamp(max=0.5))
    network.train().encode_training(*_a_batch()).sum().backward()
    assert torch.equal(network.item_embedding, before)
    assert torch.equal(network.eval().item_factors, before)


def _a_batch():
    batch = next(iter(Prefixes(4, 100, targets_per_row=4).batches(training_set().sequences, np.random.default_rng(1))))
    return batch, torch.from_numpy(np.flatnonzero(batch.target_mask))


def test_first_weights_have_the_official_spread():
    network = STAMP(dim=100, variant="official").network(training_set(num_items=500), Generators.of(Run(0)))
    assert network.item_embedding.std().item() == pytest.approx(0.002, rel=0.02)
    for weight in (network.of_item, network.of_last, network.of_mean, network.general, network.current):
        assert weight.std().item() == pytest.approx(0.05, rel=0.03)
    assert network.of_bias is network.general_bias is network.current_bias is None
    biased = STAMP(dim=4).network(training_set(), Generators.of(Run(0)))
    assert not biased.of_bias.any()


def test_the_sum_has_the_value_of_the_mean_and_the_gradient_of_the_sum():
    batch, at = _a_batch()
    values, grads = {}, {}
    for reduction in ("mean", "sum"):
        model = STAMP(dim=DIM, max_len=4, reduction=reduction)
        network, model.loss_ = network_of(model).train(), model.loss
        value, count = model.objective(network, batch, torch.Generator())
        value.backward()
        values[reduction], grads[reduction] = value.item(), [weight.grad for weight in network.parameters()]
    assert count == len(at) == 16
    assert values["sum"] == values["mean"]
    for summed, averaged in zip(grads["sum"], grads["mean"], strict=True):
        torch.testing.assert_close(summed, averaged * count)


@pytest.mark.parametrize("loss", [CrossEntropy(), BPR()], ids=repr)
@pytest.mark.parametrize("variant", VARIANTS)
def test_learns_with_either_loss(variant, loss):
    """Each item is followed by the next one: the loss falls, and the fit repeats to the bit."""
    model = STAMP(dim=8, variant=variant, loss=loss, epochs=30, learning_rate=0.02, batch_size=16, max_len=6)
    ring = training_set([[(s + k) % ITEMS for k in range(7)] for s in range(10)])
    first, second = (dataclasses.replace(model).fit(ring, Run(1)) for _ in range(2))
    assert first.curve_[-1]["loss"] < 0.5 * first.curve_[0]["loss"]
    for one, other in zip(first.network_.parameters(), second.network_.parameters(), strict=True):
        assert torch.equal(one, other)
    best = first.score(SequenceBatch.of([[0, 1, 2]])).block(slice(0, 1)).argmax()
    assert best == 3


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("variant", "corrected", "variant must be one of paper, official"),
        ("batches", "shuffled", "batches must be one of sessions, prefixes"),
        ("reduction", "max", "reduction must be one of mean, sum, got 'max'"),
        ("lookup_norm", 0.0, "lookup_norm must be above 0 or None, got 0.0"),
        ("item_std", -1.0, "item_std must be above 0 and finite, got -1.0"),
        ("max_len", 0, "max_len must be at least 1, got 0"),
    ],
)
def test_bad_fields(field, value, words):
    with pytest.raises(ValueError, match=words):
        STAMP(**{field: value})


def test_the_last_click_alone_cannot_be_left_out():
    with pytest.raises(ValueError, match="last_click must be true in a model of the last click alone"):
        STMO(last_click=False)


def test_an_unknown_item_is_named():
    with pytest.raises(ValueError, match="item 5 in a history is outside the catalogue 0 … 4"):
        network_of(STAMP(dim=DIM)).encode(SequenceBatch.of([[5]]))
