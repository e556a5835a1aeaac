"""The engine a fit computes with: known before it, part of a cell's key, recorded after it."""

import numpy as np
import pytest

from harness.cells.keys import engine_of
from recsys_data.interactions import Clock
from recsys_data.sequences import Sequences
from recsys_data.split import TrainingSet
from recsys_models.gru4rec import GRU4Rec
from recsys_models.rnn import GRU
from recsys_models.tied_rnn import RNNCCE
from recsys_models.user_gru import StandardGRU
from suites.zoo import NETWORKS
from training.run import Run


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_names_its_engine_and_device_for_the_key(name):
    assert engine_of(NETWORKS[name], "cpu").startswith("torch") and engine_of(NETWORKS[name], "cpu").endswith("-cpu")
    assert engine_of(NETWORKS[name], "cuda:1").endswith("-cuda")


@pytest.mark.parametrize(
    "model, engine",
    [
        (GRU(dim=4, embedding_dim=3, epochs=1), "torch-cpu"),
        (StandardGRU(dim=4, epochs=1), "torch-unrolled-cpu"),
        (GRU4Rec(dim=4, batch_size=2, epochs=1), "torch-unrolled-cpu"),
        (RNNCCE(dim=4, epochs=1), "torch-cpu"),
        (RNNCCE(dim=4, epochs=1, activation="relu"), "torch-unrolled-cpu"),
    ],
)
def test_what_ran_is_what_the_key_said(model, engine):
    items = np.arange(12, dtype=np.int32) % 5
    sequences = Sequences(items, np.arange(12.0), np.array([0, 5, 12]), np.array([0, 1], dtype=np.int32))
    key = engine_of(model, "cpu")
    assert model.fit(TrainingSet(sequences, 2, 5, Clock.WITHIN), Run(0)).engine_ == key == engine
