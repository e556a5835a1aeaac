"""The further forms of RNN, GRU and LSTM against the equations, layer after layer in float64 NumPy."""

import numpy as np
import pytest
import torch

from recsys_data.sequences import SequenceBatch
from recsys_models.next_item import Generators
from recsys_models.rnn import GRU, LSTM, RNN, LayeredNetwork
from tests.recsys_models import oracles
from tests.recsys_models.test_rnn import tiny_training_set
from training.run import Run

TINY = {"dim": 6, "max_len": 5, "batch_size": 3, "epochs": 2, "dropout": 0.1}
TWO = {"lower_layers": (5,)}
PHI = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0.0), "sigmoid": oracles.sigmoid,
       "elu": lambda x: np.where(x > 0, x, np.expm1(x))}  # fmt: skip
FORMS = [
    RNN(**TINY, **TWO, embedding_dim=4), RNN(**TINY, embedding_dim=None),
    RNN(**TINY, embedding_dim=4, activation="relu"),
    RNN(**TINY, **TWO, embedding_dim=None, activation="sigmoid"),
    GRU(**TINY, **TWO, embedding_dim=4), GRU(**TINY, embedding_dim=None), GRU(**TINY, embedding_dim=4, reset="before"),
    GRU(**TINY, **TWO, embedding_dim=None, reset="before", activation="elu"),
    LSTM(**TINY, **TWO, embedding_dim=4), LSTM(**TINY, embedding_dim=None),
    LSTM(**TINY, embedding_dim=4, peepholes=True),
    LSTM(**TINY, **TWO, embedding_dim=None, peepholes=True, activation="relu"),
]  # fmt: skip


def layer_states(model, w, x):
    """States (T, H) of one layer for inputs (T, I), by the equations in rnn.py."""
    phi, W, b, U = PHI[model.activation], w["weight"], w["bias"], w["recurrent"]
    size = U.shape[0]
    h, c, found = np.zeros(size), np.zeros(size), []
    for a in x @ W + b:
        if isinstance(model, LSTM):
            i, f, o, g = np.split(a + h @ U, 4)
            p = w.get("peephole", np.zeros((3, size)))
            new = oracles.sigmoid(f + p[1] * c) * c + oracles.sigmoid(i + p[0] * c) * phi(g)
            h, c = oracles.sigmoid(o + p[2] * new) * phi(new), new
        elif isinstance(model, GRU) and model.reset == "before":
            u, r = np.split(oracles.sigmoid(a[: 2 * size] + h @ U), 2)
            h = (1 - u) * h + u * phi(a[2 * size :] + (r * h) @ w["candidate"])
        elif isinstance(model, GRU):
            turned = h @ U + w["recurrent_bias"]
            r, z = np.split(oracles.sigmoid(a[: 2 * size] + turned[: 2 * size]), 2)
            h = (1 - z) * np.tanh(a[2 * size :] + r * turned[2 * size :]) + z * h
        else:
            h = phi(a + h @ U)
        found.append(h)
    return np.stack(found)


@pytest.mark.parametrize("model", FORMS, ids=[f"{type(m).__name__}-{n}" for n, m in enumerate(FORMS)])
def test_scores_equal_the_equations(model):
    model.fit(tiny_training_set(), Run(1))
    assert model.engine_ == model.resolved_engine("cpu") == "torch-unrolled-cpu"
    w, items = oracles.arrays(model.network_), [11, 3, 9, 0, 0, 5, 10, 2]  # 11 is START
    x = np.eye(12)[items] if model.embedding_dim is None else w["item_embedding"][items]
    for number in range(1 + len(model.lower_layers)):
        prefix = f"layers.{number}."
        x = layer_states(model, {name[len(prefix) :]: v for name, v in w.items() if name.startswith(prefix)}, x)
    queries = x if model.embedding_dim is None else x @ w["query.weight"].T + w["query.bias"]
    expected = queries @ w["item_embedding"][:11].T + w["item_bias"]
    asked = [(0, read) for read in range(8)]
    scores = model.score(SequenceBatch.of([items[1:]], asked=asked)).block(slice(None)).numpy()
    assert np.abs(scores - expected).max() < 1e-5


@pytest.mark.parametrize("model", FORMS, ids=[f"{type(m).__name__}-{n}" for n, m in enumerate(FORMS)])
def test_training_sees_what_scoring_sees(model):
    train = tiny_training_set()
    model.fit(train, Run(1))
    network = model.network_.eval()  # without dropout
    batch = next(iter(model.windows().batches(train.sequences, np.random.default_rng(0))))
    at = np.flatnonzero(batch.real)
    with torch.no_grad():
        trained = dict(
            zip(batch.events.ravel()[at], network.training_queries(batch, torch.from_numpy(at)), strict=True)
        )
    for row in batch.rows[batch.starts]:
        start = train.sequences.offsets[row]
        items = train.sequences.row(row)[: model.max_len].tolist()
        asked = [(0, read) for read in range(len(items)) if start + read in trained]
        scored = model.score(SequenceBatch.of([items], asked=asked)).queries
        for (_, read), query in zip(asked, scored, strict=True):
            assert torch.allclose(trained[start + read], query, atol=1e-6)


def test_torchs_gru_and_the_engines_are_one_model():
    """The engine's reset-after GRU given the weights of torch's layer gives its scores."""
    train = tiny_training_set()
    plain = GRU(**TINY, embedding_dim=4).fit(train, Run(1))
    layered = GRU(**TINY, **TWO, embedding_dim=4)
    layered.lower_layers = ()
    layered.network_ = network = LayeredNetwork(layered, 11, Generators.of(Run(2)))
    theirs = plain.network_.recurrence
    with torch.no_grad():
        network.layers[0].weight.copy_(theirs.weight_ih_l0.T)
        network.layers[0].recurrent.copy_(theirs.weight_hh_l0.T)
        network.layers[0].bias.copy_(theirs.bias_ih_l0)
        network.layers[0].recurrent_bias.copy_(theirs.bias_hh_l0)
    network.load_state_dict(plain.network_.state_dict() | network.layers.state_dict(prefix="layers."), strict=False)
    batch = SequenceBatch.of([[3, 9, 0], [1]])
    assert torch.allclose(plain.score(batch).block(slice(None)), layered.score(batch).block(slice(None)), atol=1e-6)


def test_bad_fields_in_one_sentence():
    for kind, fields, words in (
        (RNN, {"bidirectional": True}, "bidirectional must be false: RNN is asked after every event of a window"),
        (GRU, {"reset": "never"}, "reset must be one of after, before, got 'never'"),
        (GRU, {"activation": "relu"}, 'activation must be "tanh" where reset is "after", got \'relu\''),
        (LSTM, {"lower_layers": (0,)}, "lower_layers must be at least 1 each, got .0,."),
        (LSTM, {"activation": "sin"}, "activation must be one of tanh, sigmoid, relu, elu, got 'sin'"),
        (RNN, {"embedding_dim": 0}, "embedding_dim must be at least 1, or None for one-hot items, got 0"),
    ):
        with pytest.raises(ValueError, match=words):
            kind(**fields)
