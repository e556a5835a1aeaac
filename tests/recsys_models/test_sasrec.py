"""SASRec against torch's own transformer layer, the reference implementation, and its rules for negatives."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.networks.network import Generators
from recsys_models.sasrec import POSITIONS, VARIANTS, SASRec
from reference.parts.weights import arrays
from reference.sasrec import query
from tests.recsys_models.test_stamp import ITEMS, SESSIONS, network_of, prefixes, training_set
from training.losses.loss import CrossEntropy
from training.losses.sampled import BinaryCrossEntropy
from training.losses.sampling import NegativeSampling
from training.run import Run

DIM, LEN = 4, 5
SIZE = {"dim": DIM, "max_len": LEN, "dropout": 0.0}
MODELS = [SASRec(**SIZE, variant=v, positions=p, heads=h) for v in VARIANTS for p in POSITIONS for h in (1, 2)]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.variant}, {m.positions}, {m.heads}")


@each_model
def test_asked_queries_are_those_of_the_equations(model):
    network = network_of(model)
    sessions = [*SESSIONS, [2, -1, 4], [-1], []]
    asked = [*prefixes(sessions)[::-1], (7, 0), (0, 0)]
    queries = network.encode(SequenceBatch.of(sessions, query_positions=asked)).detach().numpy()
    weights = arrays(network)
    for found, (row, read) in zip(queries, asked, strict=True):
        history = np.array(sessions[row][:read], dtype=int)
        np.testing.assert_allclose(found, query(model, weights, history), atol=1e-11)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("heads", [1, 2])
def test_the_papers_form_is_torchs_transformer_layer_and_the_side_of_the_padding_changes_nothing(heads, side):
    """Histories padded to max_len on either side, with the positions of padding on the left, in torch's own layers."""
    network = network_of(SASRec(**SIZE, variant="paper", heads=heads))
    histories = [[2, 0, 4], [1], [3, 3, 0, 1, 2]]
    counts = np.array([len(h) for h in histories])
    at = (np.arange(LEN) >= LEN - counts[:, None]) if side == "left" else (np.arange(LEN) < counts[:, None])
    rows = np.zeros((3, LEN), dtype=np.int64)
    rows[at] = np.concatenate(histories)
    places = np.zeros_like(rows)
    places[at] = np.concatenate([np.arange(LEN - n, LEN) for n in counts])
    x = network.item_embedding[torch.from_numpy(rows)] + network.position_embedding[torch.from_numpy(places)]
    hidden = ~torch.from_numpy(at)[:, None] | torch.ones(LEN, LEN, dtype=torch.bool).triu(1)
    mask = (hidden * -1e9).double().repeat_interleave(heads, dim=0)  # finite: padded steps see each other
    for block in network.blocks:
        x = torchs_layer(block, heads)(x, src_mask=mask)
    last = x[range(3), LEN - 1 if side == "left" else counts - 1]
    torch.testing.assert_close(network.encode(SequenceBatch.of(histories)), last, atol=1e-9, rtol=0)


def torchs_layer(block, heads):
    """nn.TransformerEncoderLayer with the block's weights."""
    layer = nn.TransformerEncoderLayer(DIM, heads, DIM, 0.0, layer_norm_eps=1e-8, norm_first=True, batch_first=True)
    layer = layer.double()
    attention = layer.self_attn
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([block.query.T, block.key.T, block.value.T]))
        attention.in_proj_bias.zero_()
        attention.out_proj.weight.copy_(torch.eye(DIM))
        attention.out_proj.bias.zero_()
        for linear, name in ((layer.linear1, "inner"), (layer.linear2, "outer")):
            linear.weight.copy_(getattr(block, name).T)
            linear.bias.copy_(getattr(block, f"{name}_bias"))
        for norm, own in ((layer.norm1, block.attention_norm), (layer.norm2, block.forward_norm)):
            norm.weight.copy_(own.gain)
            norm.bias.copy_(own.shift)
    return layer


@each_model
def test_training_reads_no_later_event_and_agrees_with_the_reference(model):
    network = network_of(model).train()
    (batch,) = replace(model, segments="last").batcher().batches(training_set().sequences, np.random.default_rng(0))
    states = network.states(batch.inputs, batch.target_mask.sum(axis=1)).detach()
    weights = arrays(network)
    for row, (items, filled) in enumerate(zip(batch.inputs, batch.target_mask, strict=True)):
        count = int(filled.sum())
        steps = range(count) if model.positions == "from the start" else [count - 1]  # else its place is the last
        for step in steps:
            expected = query(model, weights, items[: step + 1])
            np.testing.assert_allclose(states[row, step].numpy(), expected, atol=1e-11)
        changed = batch.inputs.copy()
        changed[row, count - 1] = (changed[row, count - 1] + 1) % ITEMS
        again = network.states(changed, batch.target_mask.sum(axis=1)).detach()
        assert torch.equal(again[row, : count - 1], states[row, : count - 1])
        assert not torch.equal(again[row, count - 1], states[row, count - 1])


@each_model
def test_gradients(model):
    network = network_of(model, spread=0.5).train()
    (batch,) = model.batcher().batches(training_set().sequences, np.random.default_rng(1))
    at = torch.from_numpy(np.flatnonzero(batch.target_mask))
    names, weights = zip(*network.named_parameters(), strict=True)
    network.forward = lambda: network.encode_training(batch, at) @ network.item_factors.T

    def scores(*values):
        return torch.func.functional_call(network, dict(zip(names, values, strict=True)), ())

    assert torch.autograd.gradcheck(scores, tuple(w.detach().clone().requires_grad_() for w in weights))


def test_attention_with_masks_is_the_attention_without_where_nothing_is_dropped():
    network = network_of(SASRec(**SIZE | {"dropout": 1e-15}, heads=2))
    values = torch.randn(3, LEN, DIM, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    plain = network.blocks[0](values)
    torch.testing.assert_close(network.train().blocks[0](values), plain, atol=1e-12, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_dropout_is_part_of_training_alone_and_comes_from_the_fits_own_generator(variant):
    network = network_of(SASRec(**SIZE | {"dropout": 0.5}, variant=variant)).train()
    items, counts = np.array([[2, 0, 4]]), np.array([3])
    state = torch.get_rng_state()
    assert not torch.equal(network.states(items, counts), network.states(items, counts))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(*(network.eval().states(items, counts) for _ in range(2)))


def test_first_weights_are_those_of_the_released_code():
    network = SASRec(dim=60).network(training_set(num_items=300), Generators.of(Run(0)))
    for weight, ends in (
        (network.item_embedding, 360),
        (network.position_embedding, 110),
        (network.blocks[1].key, 120),
    ):
        bound = (6 / ends) ** 0.5
        assert 0.98 * bound < weight.abs().max().item() <= bound
    assert not network.blocks[0].query_bias.any() and (network.norm.gain == 1).all()


@dataclass(frozen=True)
class Recorded(BinaryCrossEntropy):
    """The loss, with a record of the targets and negatives that it was given."""

    seen: list = field(default_factory=list, compare=False)

    def __call__(self, queries, factors, bias, targets, generator, weights=None, popularity=None, drawn=None):
        self.seen.append((targets, drawn))
        return super().__call__(queries, factors, bias, targets, generator, weights, popularity, drawn)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_negatives_are_items_that_the_sequence_does_not_hold(alpha):
    """Sequence 0 holds items 0 to 3 and sequence 1 items 4 to 9: their negatives are the others, all of them."""
    loss = Recorded(3, NegativeSampling(alpha=alpha))
    train = training_set([[0, 1, 2, 3, 0, 1], [4, 5, 6, 7, 8, 9]], 10)
    SASRec(**SIZE, loss=loss, epochs=40).fit(train, Run(0))
    drawn = {own: set() for own in (True, False)}
    for targets, negatives in loss.seen:
        for target, row in zip(targets.tolist(), negatives.tolist(), strict=True):
            drawn[target < 4].update(row)
    assert drawn == {True: set(range(4, 10)), False: set(range(4))}
    loss.seen.clear()
    SASRec(**SIZE, loss=loss, epochs=5, new_negatives=False).fit(train, Run(0))
    assert all(negatives is None for _, negatives in loss.seen)  # the loss draws, from all items


def test_a_user_who_has_every_item_gets_a_negative_all_the_same():
    model = SASRec(**SIZE, epochs=2).fit(training_set([[0, 1, 2, 3, 4]]), Run(0))
    assert np.isfinite(model.curve_[-1]["loss"])


@pytest.mark.parametrize("loss", [BinaryCrossEntropy(), CrossEntropy()], ids=["own", "cross-entropy"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_learns_with_either_loss(variant, loss):
    """Each item is followed by the next one; the fit repeats to the bit."""
    model = SASRec(dim=8, max_len=6, variant=variant, loss=loss, epochs=60, learning_rate=0.02, dropout=0.1,
                   batch_size=5, new_negatives=False)  # fmt: skip
    ring = training_set([[(s + k) % ITEMS for k in range(7)] for s in range(10)])
    first, second = (replace(model).fit(ring, Run(1)) for _ in range(2))
    for one, other in zip(first.network_.parameters(), second.network_.parameters(), strict=True):
        assert torch.equal(one, other)
    scores = np.asarray(first.score(SequenceBatch.of([[0, 1, 2], [4], [2, 3, 4, 0]])).block(slice(None)))
    assert scores.argmax(axis=1).tolist() == [3, 0, 1]


def test_resumes_where_it_was_killed(tmp_path):
    train = training_set([[(s + k) % ITEMS for k in range(7)] for s in range(10)])

    class Killed(Exception):
        pass

    def kill(record):
        if record.get("epoch") == 2:
            raise Killed

    def model():
        return SASRec(dim=8, max_len=6, epochs=4, batch_size=3)

    with pytest.raises(Killed):
        model().fit(train, Run(3, checkpoint=tmp_path, log=kill))
    resumed, calm = model().fit(train, Run(3, checkpoint=tmp_path)), model().fit(train, Run(3))
    assert resumed.resumed_from_ == 2
    for one, other in zip(resumed.network_.parameters(), calm.network_.parameters(), strict=True):
        assert torch.equal(one, other)


def test_heads_must_divide_dim():
    with pytest.raises(ValueError, match="heads must divide dim = 50, got 3"):
        SASRec(heads=3)
