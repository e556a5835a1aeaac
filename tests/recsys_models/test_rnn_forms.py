"""The further forms of RNN, GRU and LSTM: the engine, training beside scoring, refusals."""

import numpy as np
import pytest
import torch

from recsys_data.sequences import SequenceBatch
from recsys_models.networks.layered import LayeredNetwork
from recsys_models.networks.network import Generators
from recsys_models.rnn import GRU, LSTM, RNN
from tests.recsys_models.test_rnn import tiny_training_set
from training.run import Run

TINY = {"dim": 6, "max_len": 5, "batch_size": 3, "epochs": 2, "dropout": 0.1}
TWO = {"lower_layers": (5,)}
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


@pytest.mark.parametrize("model", FORMS, ids=[f"{type(m).__name__}-{n}" for n, m in enumerate(FORMS)])
def test_training_sees_what_scoring_sees(model):
    train = tiny_training_set()
    model.fit(train, Run(1))
    assert model.engine_ == model.resolved_engine("cpu") == "torch-unrolled-cpu"
    network = model.network_.eval()  # without dropout
    batch = next(iter(model.batcher().batches(train.sequences, np.random.default_rng(0))))
    at = np.flatnonzero(batch.target_mask)
    with torch.no_grad():
        trained = dict(
            zip(batch.target_events.ravel()[at], network.encode_training(batch, torch.from_numpy(at)), strict=True)
        )
    for row in batch.rows[batch.starts]:
        start = train.sequences.offsets[row]
        items = train.sequences.row(row)[: model.max_len].tolist()
        asked = [(0, read) for read in range(len(items)) if start + read in trained]
        scored = model.score(SequenceBatch.of([items], query_positions=asked)).queries
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
        (RNN, {"instances": "each"}, "instances must be one of positions, prefixes, got 'each'"),
        (GRU, {"instances": "prefixes", "shuffled": False}, 'shuffled must be true where instances is "prefixes"'),
        (GRU, {"reset": "never"}, "reset must be one of after, before, got 'never'"),
        (GRU, {"activation": "relu"}, 'activation must be "tanh" where reset is "after", got \'relu\''),
        (LSTM, {"lower_layers": (0,)}, "lower_layers must be at least 1 each, got .0,."),
        (LSTM, {"activation": "sin"}, "activation must be one of tanh, sigmoid, relu, elu, got 'sin'"),
        (RNN, {"embedding_dim": 0}, "embedding_dim must be at least 1, or None for one-hot items, got 0"),
    ):
        with pytest.raises(ValueError, match=words):
            kind(**fields)
