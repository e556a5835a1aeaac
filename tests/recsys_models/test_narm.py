"""NARM against hand-made numbers and an independent float64 NumPy reading of the equations."""

import dataclasses

import numpy as np
import pytest
import torch

from baselines.simple.markov import MarkovChain
from recsys_data.sequences import SequenceBatch
from recsys_models.narm import BATCHES, DECODERS, ENCODERS, NARM, VARIANTS
from recsys_models.networks.network import Generators
from reference.narm import context
from reference.parts.weights import arrays
from tests.recsys_models.planted_splits import cut, fitted_mrr
from tests.recsys_models.test_stamp import ITEMS, SESSIONS, network_of, prefixes, training_set
from tests.recsys_models.test_stamp_signals import BEST, LAST_CLICK_ALONE, taste_and_last_click
from training.run import Run

SIZE = {"dim": 3, "embedding_dim": 2, "max_len": 4, "dropout": 0.0, "input_dropout": 0.0}
MODELS = [NARM(**SIZE, variant=v, encoder=e, decoder=d) for v in VARIANTS for e in ENCODERS for d in DECODERS]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.variant} {m.encoder} {m.decoder}")


def decoded(model, weights, history):
    found = context(model, weights, np.array(history, dtype=int))
    return found if model.decoder == "full" else found @ weights["bilinear"].T


@each_model
def test_asked_queries_are_those_of_the_equations(model):
    network = network_of(model)
    sessions = [*SESSIONS, [2, -1, 4], [-1], []]  # unknown items are read as 0, and nothing gives 0
    asked = [*prefixes(sessions)[::-1], (7, 0), (0, 0)]
    queries = network.encode(SequenceBatch.of(sessions, query_positions=asked)).detach().numpy()
    weights = arrays(network)
    for query, (row, read) in zip(queries, asked, strict=True):
        np.testing.assert_allclose(query, decoded(model, weights, sessions[row][:read]), atol=1e-12)
    assert not queries[-1].any()


@pytest.mark.parametrize("batches", BATCHES)
@each_model
def test_training_queries_are_those_of_the_equations(model, batches):
    model = dataclasses.replace(model, batches=batches, batch_size=4, max_len=7)
    network, found = network_of(model).train(), {}
    for batch in model.batcher().batches(training_set().sequences, np.random.default_rng(0)):
        at = np.flatnonzero(batch.target_mask)
        queries = network.encode_training(batch, torch.from_numpy(at)).detach().numpy()
        found |= dict(zip((batch.input_events.ravel()[at] + 1).tolist(), queries, strict=True))
    weights, offset = arrays(network), 0
    for session in SESSIONS:
        for read in range(1, len(session)):
            np.testing.assert_allclose(found.pop(offset + read), decoded(model, weights, session[:read]), atol=1e-12)
        offset += len(session)
    assert not found


def test_two_clicks_by_hand():
    """One number each: x = 1, 2; z = σ(0) = ½, so h_1 = ½ tanh 1, h_2 = ½ h_1 + ½ tanh 2; every α = 2 σ(0) = 1."""
    h1 = 0.5 * np.tanh(1.0)
    h2 = 0.5 * h1 + 0.5 * np.tanh(2.0)
    for variant, local in (("paper", h1 + h2), ("official", (h1 + h2) / 2)):
        network = network_of(NARM(dim=1, embedding_dim=1, variant=variant))
        with torch.no_grad():
            for weight in network.parameters():
                weight.zero_()
            network.item_embedding[:2] = torch.tensor([[1.0], [2.0]])
            network.gru.weight[0, 2] = 1.0
            network.weigh.fill_(2.0)
            network.bilinear.copy_(torch.tensor([[1.0, 10.0]]))
        query = network.encode(SequenceBatch.of([[0, 1]])).item()
        assert query == pytest.approx(h2 + 10 * local, abs=1e-12)


@each_model
def test_gradients(model):
    network = network_of(model, spread=0.5).train()
    batch = next(iter(model.batcher().batches(training_set().sequences, np.random.default_rng(1))))
    at = torch.from_numpy(np.flatnonzero(batch.target_mask))
    names, weights = zip(*network.named_parameters(), strict=True)
    network.forward = lambda: network.encode_training(batch, at) @ network.item_factors.T

    def scores(*values):
        return torch.func.functional_call(network, dict(zip(names, values, strict=True)), ())

    assert torch.autograd.gradcheck(scores, tuple(w.detach().clone().requires_grad_() for w in weights))


def test_first_weights_are_those_of_the_released_code():
    network = NARM().network(training_set(num_items=400), Generators.of(Run(0)))
    for weight, fan in ((network.item_embedding, 400), (network.gru.weight, 50), (network.bilinear, 50),
                        (network.of_last, 100), (network.of_state, 100)):  # fmt: skip
        assert weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=0.03)
    assert network.weigh.std().item() == pytest.approx(2**0.5, rel=0.25)
    for part in (*network.gru.recurrent.chunk(2, dim=1), network.gru.candidate):
        torch.testing.assert_close(part @ part.T, torch.eye(100), atol=1e-4, rtol=0)
    assert not network.gru.bias.any()
    assert network.bilinear.shape == (50, 200) and network.item_bias is None
    full = NARM(decoder="full", encoder="local").network(training_set(), Generators.of(Run(0)))
    assert full.item_factors.shape == (ITEMS, 100) and not full.item_bias.any()


def test_dropout_is_on_item_vectors_and_on_the_context():
    for field, drops in (("input_dropout", "input_dropout"), ("dropout", "dropout")):
        network = network_of(NARM(**SIZE | {field: 0.5})).train()
        assert getattr(network, drops).rate == 0.5
        batch = next(iter(NARM(**SIZE).batcher().batches(training_set().sequences, np.random.default_rng(1))))
        at = torch.from_numpy(np.flatnonzero(batch.target_mask))
        one, other = (network.encode_training(batch, at) for _ in range(2))
        assert not torch.equal(one, other)
        assert torch.equal(*(network.eval().encode_training(batch, at) for _ in range(2)))


@pytest.fixture(scope="module")
def data():
    return taste_and_last_click()


def test_comes_near_the_optimum_where_taste_and_last_click_decide(data):
    """Neither is enough alone: a Markov chain stays at what the last click tells."""
    found = fitted_mrr(NARM(dim=32, embedding_dim=32, dropout=0.2, learning_rate=1e-2, epochs=10), data)
    assert 0.93 * BEST < found < 1.02 * BEST
    assert fitted_mrr(MarkovChain(), data) < 1.03 * LAST_CLICK_ALONE < found


def test_resumes_where_it_was_killed(data, tmp_path):
    """A fit cut off after one epoch and begun again ends with the bits of one that was left alone."""
    train, _ = cut(data)

    class Killed(Exception):
        pass

    def kill(record):
        if record.get("epoch") == 1:
            raise Killed

    def model():
        return NARM(dim=8, embedding_dim=8, epochs=3, learning_rate=1e-2)

    with pytest.raises(Killed):
        model().fit(train, Run(3, checkpoint=tmp_path, log=kill))
    resumed, calm = model().fit(train, Run(3, checkpoint=tmp_path)), model().fit(train, Run(3))
    assert resumed.resumed_from_ == 1
    for one, other in zip(resumed.network_.parameters(), calm.network_.parameters(), strict=True):
        assert torch.equal(one, other)
