"""RNN-CCE against float64 NumPy written from its equations; what it reads; its first weights; its refusals."""

import dataclasses
import math

import numpy as np
import pytest
import torch

import reference.tied_rnn
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.tied_rnn import RNNCCE
from reference.parts.weights import arrays
from reference.tied_rnn import state as state_after
from training.batches.sequence_noise import SequenceNoise
from training.control.clipping import ClipValue
from training.control.fit_control import FitControl
from training.losses.augmented import AugmentedCrossEntropy, Summed
from training.losses.loss import CrossEntropy
from training.optimisers.optimisers import Adagrad, Adam
from training.run import Run

TINY = {"dim": 5, "max_len": 4, "batch_size": 3, "epochs": 2}
PLAIN = {"loss": Summed(CrossEntropy()), "tied": False}
SHAPES = {"tied": {}, "one-hot": PLAIN, "embedded": {**PLAIN, "embedding_dim": 3}}
HISTORIES = [[3, 1, 4, 1, 5, 9, 2], [6, 5], [8], []]


def tiny_training_set(users=7, items=11):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 12, users)
    events = rng.integers(0, items, lengths.sum()).astype(np.int32)
    offsets = np.r_[0, np.cumsum(lengths)]
    sequences = Sequences(events, np.arange(len(events), dtype=float), offsets, np.arange(users, dtype=np.int32))
    return TrainingSet(sequences, users, items, Clock.WITHIN)


def fitted(**fields):
    return RNNCCE(**{**TINY, **fields}).fit(tiny_training_set(), Run(1))


CASES = [(cell, shape, {}) for cell in ("LSTM", "GRU", "vanilla") for shape in SHAPES]
CASES += [
    ("LSTM", "one-hot", {"peepholes": True, "trained_start": True, "init": "lasagne", "forget_bias": 0.0}),
    ("GRU", "tied", {"trained_start": True, "init": "lasagne"}),
    ("LSTM", "tied", {"instances": "positions", "optimiser": Adam(), "learning_rate": 0.01}),
]


@pytest.mark.parametrize("cell, shape, more", CASES)
def test_scores_equal_the_equations(cell, shape, more):
    model = fitted(cell=cell, **SHAPES[shape], **more)
    batch = SequenceBatch.of(HISTORIES)
    got = np.asarray(model.score(batch).block(slice(0, len(HISTORIES))))
    np.testing.assert_allclose(got, reference.tied_rnn.scores(model, batch), atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_torchs_lstm_and_the_unrolled_one_agree_in_states_and_gradients(shape):
    network = fitted(**SHAPES[shape]).network_.double()
    network.zero, network.row_sparse = network.zero.double(), False
    items = np.array([[3, 1, 4], [1, 5, -1]])
    by = {}
    for native in (True, False):
        network.native = native
        states = network.states(items)
        weights = [p for name, p in network.named_parameters() if name not in ("output", "item_bias")]
        by[native] = [states, *torch.autograd.grad((states * states.cos()).sum(), weights)]
    for got, want in zip(by[True], by[False], strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("instances", ["prefixes", "positions"])
def test_training_queries_are_the_states_before_their_targets(instances):
    """Each target's query has read the items before it inside its window, and nothing else."""
    model = fitted(instances=instances)
    sequences = tiny_training_set().sequences
    checked = 0
    for batch in model.batcher().batches(sequences, np.random.default_rng(3)):
        at = np.flatnonzero(batch.target_mask)
        queries = model.network_.encode_training(batch, torch.from_numpy(at)).detach().numpy()
        for query, place in zip(queries, at, strict=True):
            row, step = divmod(int(place), batch.target_events.shape[1])
            event = int(batch.target_events[row, step])
            first = int(batch.target_events[row, 0]) - 1  # the first item that the window reads
            first = max(first, int(sequences.offsets[batch.rows[row]]))
            assert batch.targets[row, step] == sequences.items[event]
            np.testing.assert_allclose(
                query, state_after(model, arrays(model.network_), sequences.items[first:event]), atol=1e-5
            )
            checked += 1
    assert checked > 10


def test_row_sparse_gradients_train_to_the_same_weights():
    train = tiny_training_set()
    fields = {**TINY, **SHAPES["one-hot"], "epochs": 3}
    sparse = RNNCCE(**fields).fit(train, Run(1))
    assert sparse.network_.row_sparse

    class Dense(RNNCCE):
        row_sparse = False

    dense = Dense(**fields).fit(train, Run(1))
    assert not dense.network_.row_sparse
    for name, weight in sparse.network_.state_dict().items():
        torch.testing.assert_close(weight, dense.network_.state_dict()[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "fields",
    [
        {"weight_decay": 0.1},
        {"max_norm": 1.0},
        {"control": FitControl(clip=ClipValue(0.1))},
        {"optimiser": Adam()},
        {"optimiser": Adagrad(momentum=0.5)},
    ],
)
def test_gradients_are_whole_where_every_row_moves_or_is_measured(fields):
    assert not fitted(**SHAPES["one-hot"], **fields).network_.row_sparse


def test_the_cost_falls_by_training_and_noise_changes_what_is_learnt():
    calm = fitted(epochs=30)
    assert calm.curve_[-1]["loss"] < 0.7 * calm.curve_[0]["loss"]
    noisy = fitted(epochs=30, noise=SequenceNoise(dropout=0.3, swap=0.2, shuf=0.2))
    assert not torch.equal(calm.network_.item_embedding, noisy.network_.item_embedding)


def test_first_weights_follow_tensorflow_or_lasagne():
    model = RNNCCE(dim=40, tied=False, embedding_dim=30, loss=Summed(CrossEntropy()), epochs=1, learning_rate=1e-12)
    network = model.fit(tiny_training_set(items=50), Run(2)).network_
    bound = math.sqrt(6 / (30 + 40 + 160))  # input and recurrent weights are one matrix there
    for weight in (network.weight, network.recurrent[0]):
        assert 0.98 * bound < weight.abs().max() <= bound + 1e-6
    assert network.item_embedding.abs().max() <= math.sqrt(6 / (50 + 30)) + 1e-6
    assert network.output.abs().max() <= math.sqrt(6 / (50 + 40)) + 1e-6
    i, f, o, g = network.bias.detach().chunk(4)
    assert torch.allclose(f, torch.ones(40)) and torch.allclose(torch.cat([i, o, g]), torch.zeros(120))
    other = dataclasses.replace(model, init="lasagne", forget_bias=0.0)
    other = other.fit(tiny_training_set(items=50), Run(2)).network_
    assert other.weight.std().item() == pytest.approx(0.1, rel=0.05)
    assert other.item_embedding.std().item() == pytest.approx(0.01, rel=0.1)
    assert torch.allclose(other.bias, torch.zeros(160))


def test_a_killed_fit_ends_with_the_same_bits(tmp_path):
    fields = {"epochs": 4, "noise": SequenceNoise(swap=0.3), "shuffled": True, "dropout": 0.2}
    calm = fitted(**fields)

    class Killed(Exception):
        pass

    def kill_after_two(record):
        if record.get("epoch") == 2:
            raise Killed

    model = RNNCCE(**{**TINY, **fields})
    with pytest.raises(Killed):
        model.fit(tiny_training_set(), Run(1, checkpoint=tmp_path, log=kill_after_two))
    resumed = RNNCCE(**{**TINY, **fields}).fit(tiny_training_set(), Run(1, checkpoint=tmp_path))
    assert resumed.resumed_from_ == 2
    for name, weight in calm.network_.state_dict().items():
        assert torch.equal(weight, resumed.network_.state_dict()[name]), name


def test_users_of_two_events_give_no_prefix_and_no_error():
    sequences = Sequences(np.array([1, 2], dtype=np.int32), np.arange(2.0), np.array([0, 2]), np.array([0]))
    model = RNNCCE(**TINY).fit(TrainingSet(sequences, 1, 11, Clock.WITHIN), Run(1))
    assert np.isfinite(np.asarray(model.score(SequenceBatch.of([[1]])).block(slice(0, 1)))).all()


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"cell": "LSTMCell"}, "cell must be one of LSTM, GRU, vanilla, got 'LSTMCell'"),
        ({"activation": "lrelu"}, "activation must be one of tanh, sigmoid, relu, elu, got 'lrelu'"),
        ({"instances": "all"}, "instances must be one of prefixes, positions, got 'all'"),
        ({"init": "torch"}, "init must be one of tensorflow, lasagne, got 'torch'"),
        ({"embedding_dim": 7}, "embedding_dim must be dim (50) or None where tied, got 7"),
        ({**PLAIN, "embedding_dim": 0}, "embedding_dim must be at least 1, or None for one-hot items, got 0"),
        ({"tied": False}, "loss must have no softened targets where tied is false, such as Summed(CrossEntropy())"),
        ({"cell": "GRU", "peepholes": True}, "peepholes must be false for cell 'GRU': only an LSTM has them"),
    ],
)
def test_bad_fields_are_refused(fields, words):
    with pytest.raises(ValueError) as caught:
        RNNCCE(**fields)
    assert words in str(caught.value)


def test_an_item_outside_the_catalogue_is_named():
    with pytest.raises(ValueError, match="item 11 in a history is outside the catalogue 0 … 10"):
        fitted().score(SequenceBatch.of([[11]]))


def test_press_and_wolfs_sharing_has_one_table_and_no_softened_target():
    shared = fitted(loss=Summed(CrossEntropy()))
    assert shared.network_.output is None
    same = fitted(loss=Summed(AugmentedCrossEntropy(gamma=0.0)))
    torch.testing.assert_close(shared.network_.item_embedding, same.network_.item_embedding, rtol=1e-4, atol=1e-5)
