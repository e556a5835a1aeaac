import dataclasses
import itertools

import numpy as np
import pytest
import torch

from recsys_data.generated.planted import PlantedSignal
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.gru4rec import GRU4Rec, shared_sampling
from recsys_models.networks.network import Generators
from recsys_models.next_item import NextItemModel
from reference.parts.weights import arrays
from tests.recsys_models import gru4rec_reference
from tests.recsys_models.planted_splits import fitted_mrr
from training.losses.sampled import TOP1, BPRMax, TOP1Max
from training.losses.sampling import NegativeSampling
from training.losses.softmax import SampledCrossEntropy
from training.optimisers.optimisers import SGD, Adadelta, Adagrad, Adam, AdamW, Nesterov, RMSprop
from training.run import Run

V, K = 11, 6


def weights_of(network):
    """Copies of a network's weights, which a step then leaves alone."""
    return {name: values.copy() for name, values in arrays(network).items()}


LOSSES = {
    "cross-entropy": SampledCrossEntropy(num_negatives=K, sampling=shared_sampling()),
    "cross-entropy, logq": SampledCrossEntropy(num_negatives=K, sampling=shared_sampling(0.3), logq=0.8),
    "BPR-max": BPRMax(num_negatives=K, sampling=shared_sampling(), regularisation=0.4),
    "BPR-max, elu": BPRMax(num_negatives=K, sampling=shared_sampling(), regularisation=0.4, elu=0.5),
    "TOP1": TOP1(num_negatives=K, sampling=shared_sampling()),
    "TOP1-max": TOP1Max(num_negatives=K, sampling=shared_sampling()),
}
TINY = {"dim": 4, "embedding_dim": 3, "batch_size": 3, "epochs": 2}
KINDS = list(itertools.product(("tied", "separate", "one-hot"), ("before", "after")))


def tiny_training_set(sessions=9):
    rng = np.random.default_rng(0)
    offsets = np.r_[0, np.cumsum(rng.integers(1, 8, sessions))]
    items = rng.integers(0, V, offsets[-1]).astype(np.int32)
    items[:V] = np.arange(V)  # every item occurs, so that its count has a logarithm
    sequences = Sequences(items, np.arange(len(items)) * 1.0, offsets, np.full(sessions, -1, dtype=np.int32))
    return TrainingSet(sequences, 0, V, Clock.BETWEEN)


def prepared(model):
    """The network in float64 and the generators of a fit that has not begun, with the first three batches."""
    train, run = tiny_training_set(), Run(4)
    generators = Generators.of(run)
    model.num_items_ = V
    network = model.network(train, generators).double().train()
    model.loss_ = model.loss.with_counts(train.item_counts, "cpu")
    batches = itertools.islice(model.batcher().batches(train.sequences, np.random.default_rng(0)), 3)
    return network, generators.negatives, list(batches), train.item_counts


def oracle_states(w, model, items, states):
    """The new states of every layer and the last one, from the papers' equations."""
    before = model.reset == "before"
    x = {"tied": w["output"], "separate": w.get("table"), "one-hot": np.eye(V)}[model.inputs][items]
    new = []
    for number, h in enumerate(states):
        W, b, U = (w[f"layers.{number}.{name}"] for name in ("weight", "bias", "recurrent"))
        if before:
            x = gru4rec_reference.gru_before_z(x, h, W, b, U, w[f"layers.{number}.candidate"])
        else:
            x = gru4rec_reference.torch_gru_step(x, h, W, b, U, w[f"layers.{number}.recurrent_bias"])
        new.append(x)
    return new


def oracle_loss(w, model, batch, states, drawn, counts):
    """A step's loss as the codes have it: scores of (targets, drawn) for every session, summed, over batch_size."""
    states = oracle_states(w, model, batch.inputs[:, 0], states)
    targets, loss = batch.targets[:, 0], model.loss
    items = np.r_[targets, drawn]
    scores = states[-1] @ w["output"][items].T + w["bias"][items]
    if isinstance(loss, SampledCrossEntropy):
        alpha = loss.sampling.alpha
        taken = loss.logq * np.log(np.r_[counts[targets], counts[drawn] ** alpha])
        total = gru4rec_reference.sampled_cross_entropy(scores, taken)
    elif isinstance(loss, BPRMax):
        total = gru4rec_reference.bpr_max(scores, loss.regularisation, loss.elu)
    else:
        total = gru4rec_reference.top1(scores, weighted=isinstance(loss, TOP1Max))
    return total / model.batch_size, states


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("inputs, reset", KINDS)
def test_a_step_equals_the_codes_equations(inputs, reset, name):
    """Loss, gradient and AdaGrad's update of three steps, the state carried and reset between them."""
    model = GRU4Rec(**TINY, inputs=inputs, reset=reset, loss=LOSSES[name], lower_layers=(5,), learning_rate=0.1)
    network, generator, batches, counts = prepared(model)
    optimiser = model.optimiser.build(network.parameters(), model.learning_rate, 0.0)
    sums = {key: np.zeros(weight.shape) for key, weight in network.named_parameters()}
    slots = [np.zeros((3, layer.size)) for layer in network.layers]
    rng = np.random.default_rng(1)
    for batch in batches:
        twin = torch.Generator()
        twin.set_state(generator.get_state())
        drawn = model.loss.sampling.draw(K, len(batch.rows), V, twin, model.popularity_).numpy()
        w = weights_of(network)
        states = [np.where(batch.fresh[:, None], 0.0, carried[batch.slots]) for carried in slots]
        expected, states = oracle_loss(w, model, batch, states, drawn, counts)
        optimiser.zero_grad()
        value, count = model.objective(network, batch, generator)
        value.backward()
        assert count == len(batch.rows) and value.item() == pytest.approx(expected, rel=1e-9)
        gradients = {key: weight.grad.to_dense().numpy().copy() for key, weight in network.named_parameters()}
        for key, gradient in gradients.items():  # along a random direction, by central differences of the oracle
            way, step = rng.normal(size=gradient.shape), 1e-6
            first = [np.where(batch.fresh[:, None], 0.0, carried[batch.slots]) for carried in slots]
            up, down = (
                oracle_loss(w | {key: w[key] + sign * step * way}, model, batch, first, drawn, counts)[0]
                for sign in (1, -1)
            )
            assert (gradient * way).sum() == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-8)
            sums[key] += gradient**2
        optimiser.step()
        for key, weight in network.named_parameters():
            moved = w[key] - 0.1 * gradients[key] / np.sqrt(sums[key] + 1e-6)
            assert np.abs(weight.detach().numpy() - moved).max() < 1e-12
        for carried, state in zip(slots, states, strict=True):
            carried[batch.slots] = state


def trained_queries(model, network, batches):
    """The query of every target in training, by its event's number."""
    found = {}
    for batch in batches:
        with torch.no_grad():
            queries = network.encode_training(batch, torch.arange(len(batch.rows)))
        found |= dict(zip(batch.target_events[:, 0].tolist(), queries, strict=True))
    return found


@pytest.mark.parametrize("inputs, reset", KINDS)
def test_a_sessions_state_does_not_leak_into_the_next(inputs, reset):
    """In session-parallel training each target is asked with the state of its own session's events and no others."""
    train = tiny_training_set(sessions=30)
    model = GRU4Rec(**TINY, inputs=inputs, reset=reset, lower_layers=(5,)).fit(train, Run(1))
    batches = list(model.batcher().batches(train.sequences, np.random.default_rng(0)))
    trained = trained_queries(model, model.network_.train(), batches)
    leaky = [dataclasses.replace(batch, fresh=batch.fresh & (number == 0)) for number, batch in enumerate(batches)]
    leaking = trained_queries(model, model.network_, leaky)
    wrong = 0
    for row in range(len(train.sequences)):
        items, start = train.sequences.row(row).tolist(), train.sequences.offsets[row]
        scored = model.score(
            SequenceBatch.of([items], query_positions=[(0, read) for read in range(len(items))])
        ).queries
        for read in range(1, len(items)):
            assert torch.allclose(trained[start + read], scored[read], atol=1e-6)
            wrong += not torch.allclose(leaking[start + read], scored[read], atol=1e-4)
    assert wrong > 10  # the comparison sees a leak where there is one
    assert len(trained) == sum(max(0, length - 1) for length in train.sequences.lengths)


def test_the_gradient_stays_in_its_step_and_dropped_states_are_carried():
    model = GRU4Rec(**TINY, state_dropout=0.5)
    network, _, batches, _ = prepared(model)
    for batch in batches:
        queries = network.encode_training(batch, torch.arange(len(batch.rows)))
        assert not network.carry[0].requires_grad
        assert torch.equal(network.carry[0][batch.slots], queries.detach())
        assert (queries == 0).any()


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("inputs", ["tied", "separate", "one-hot"])
def test_only_rows_that_a_step_looks_up_move(inputs, momentum):
    loss = SampledCrossEntropy(num_negatives=1, sampling=shared_sampling())
    model = GRU4Rec(**TINY | {"batch_size": 2}, inputs=inputs, optimiser=Adagrad(momentum=momentum), loss=loss)
    network, generator, batches, _ = prepared(model)
    optimiser = model.optimiser.build(network.parameters(), model.learning_rate, 0.0)
    for batch in batches:
        twin = torch.Generator()
        twin.set_state(generator.get_state())
        drawn = loss.sampling.draw(1, len(batch.rows), V, twin, model.popularity_).numpy()
        scored = np.isin(np.arange(V), np.r_[batch.targets[:, 0], drawn])
        read = np.isin(np.arange(V), batch.inputs[:, 0])
        before = weights_of(network)
        optimiser.zero_grad()
        model.objective(network, batch, generator)[0].backward()
        optimiser.step()
        moved = {key: (before[key] != value).any(axis=-1) if value.ndim > 1 else before[key] != value
                 for key, value in weights_of(network).items()}  # fmt: skip
        assert moved["bias"].tolist() == scored.tolist()
        assert moved["output"].tolist() == (scored | read if inputs == "tied" else scored).tolist()
        if inputs != "tied":
            assert moved["table" if inputs == "separate" else "layers.0.weight"].tolist() == read.tolist()


def test_first_weights_and_an_empty_history():
    model = GRU4Rec(dim=30, lower_layers=(20,), inputs="one-hot")
    network = model.network(tiny_training_set(), Generators.of(Run(0)))
    bounds = {"output": (6 / (V + 30)) ** 0.5, "layers.0.weight": (6 / (V + 20)) ** 0.5,
              "layers.1.weight": (6 / (20 + 30)) ** 0.5, "layers.1.recurrent": (6 / 60) ** 0.5}  # fmt: skip
    for name, bound in bounds.items():
        weight = dict(network.named_parameters())[name]
        assert 0.95 * bound < weight.abs().max() <= bound
    assert type(network.layers[0]).__name__ == "GRUResetBeforeLayer" == type(network.layers[1]).__name__
    assert (
        type(GRU4Rec().network(tiny_training_set(), Generators.of(Run(0))).layers[0]).__name__ == "GRUResetAfterLayer"
    )
    fitted = GRU4Rec(**TINY).fit(tiny_training_set(), Run(1))
    scores = fitted.score(SequenceBatch.of([[], [1]], query_positions=[(0, 0), (1, 0)])).block(slice(None))
    assert torch.equal(scores, fitted.network_.bias.detach().expand(2, -1))


@pytest.mark.parametrize("name", ["TOP1", "TOP1-max", "BPR-max, elu"])
def test_near_the_optimum_where_order_decides(name):
    planted = PlantedSignal("order", num_users=110, num_items=30, length=40).load()
    loss = dataclasses.replace(LOSSES[name], num_negatives=32)
    model = GRU4Rec(dim=32, batch_size=16, learning_rate=0.1, epochs=4, loss=loss)
    assert fitted_mrr(model, planted) > 0.9 * planted.facts["best"]["MRR@20"]


def test_the_other_targets_are_negatives_only_where_the_sampling_says_so():
    """Two sessions side by side, one drawn negative: without the other's target a softmax over two scores."""
    for kind in (SampledCrossEntropy, BPRMax):
        losses = {}
        for others in (True, False):
            model = GRU4Rec(**TINY, loss=kind(1, NegativeSampling(alpha=0.5, shared=True, batch_targets=others)))
            network, generator, batches, _ = prepared(model)
            losses[others] = model.objective(network, batches[0], generator)[0].item()
            if kind is SampledCrossEntropy and not others:
                assert losses[others] == pytest.approx(np.log(2), rel=0.2)  # first weights are small
            if kind is SampledCrossEntropy and others:
                assert losses[others] == pytest.approx(np.log(4), rel=0.2)  # three sessions: two others, one drawn
        assert losses[True] != losses[False]


def test_the_value_is_the_mean_and_the_gradient_that_of_the_sum_over_the_batch_size():
    model = GRU4Rec(**{**TINY, "batch_size": 8}, loss=LOSSES["TOP1"])
    network, generator, batches, _ = prepared(model)
    short = dataclasses.replace(
        batches[0],
        target_events=batches[0].target_events[:2],
        rows=batches[0].rows[:2],
        slots=np.arange(2),
        fresh=np.ones(2, bool),
    )
    state = generator.get_state()
    value, count = model.objective(network, short, generator)
    value.backward()
    got = network.output.grad.to_dense().clone()
    network.zero_grad()
    mean, _ = NextItemModel.objective(model, network, short, generator.set_state(state))
    mean.backward()
    assert count == 2 and value.item() == pytest.approx(mean.item(), rel=1e-12)
    assert torch.allclose(got, network.output.grad.to_dense() * (2 / 8), rtol=1e-12, atol=0.0)


def test_every_optimiser_takes_row_sparse_gradients():
    for optimiser in (SGD(), SGD(0.5), Nesterov(), Adagrad(momentum=0.5), Adadelta(), RMSprop(), Adam(), AdamW()):
        model = GRU4Rec(**TINY | {"epochs": 1}, optimiser=optimiser).fit(tiny_training_set(), Run(1))
        assert np.isfinite(model.curve_[-1]["loss"])


def test_bad_input_in_one_sentence():
    for fields, words in (
        ({"inputs": "both"}, "inputs must be one of tied, separate, one-hot, got 'both'"),
        ({"reset": "never"}, "reset must be one of port, before, after, got 'never'"),
        ({"session_order": "random"}, "session_order must be one of time, listed, shuffled, got 'random'"),
        ({"max_len": 20}, "max_len must be 1 and weight_decay 0, .* got 20 and 0.0"),
        ({"lower_layers": (0,)}, "lower_layers and embedding_dim must be at least 1, got .0,. and 100"),
        ({"state_dropout": 1.0}, "state_dropout must be at least 0 and below 1, got 1.0"),
        ({"inputs": "one-hot", "state_dropout": 0.5}, "state_dropout must be 0 where the only layer reads one-hot"),
        ({"loss": TOP1()}, "loss must be a sampled loss whose negatives the batch shares"),
    ):
        with pytest.raises(ValueError, match=words):
            GRU4Rec(**fields)
    model = GRU4Rec(**TINY).fit(tiny_training_set(), Run(1))
    with pytest.raises(ValueError, match=f"item {V} in a history is outside the catalogue 0 … {V - 1}"):
        model.score(SequenceBatch.of([[V]]))
