"""Fits on a device: the same bits twice, killed and resumed; ranks as on the CPU. The tests marked gpu need a GPU."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from evaluation.ranking.rank import rank_held_out
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU
from suites.zoo import NETWORKS
from training.run import Run

GPU = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]
ON_CPU = ("GRU", "Time-LSTM 1", "STAMP")  # the logic of these tests; every network has its own tests on the CPU
CASES = [pytest.param("cpu", name) for name in ON_CPU] + [pytest.param("cuda", name, marks=GPU) for name in NETWORKS]


@pytest.fixture(scope="module")
def split():
    data = MarkovChainSequences(num_users=40, num_items=50, length=20).load()
    return PerUserFractions(train=0.8, validation=0.1, test=0.1).prepare(data)


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    torch.use_deterministic_algorithms(True)


def model_of(name):
    gap = {"gap": "previous"} if hasattr(NETWORKS[name], "gap") else {}
    return dataclasses.replace(NETWORKS[name], epochs=2, **gap)


@pytest.mark.parametrize("device, name", CASES)
def test_two_fits_have_the_same_bits_and_the_ranks_of_the_cpu(device, name, split):
    first, second = (model_of(name).fit(split.train, Run(1, device=device)) for _ in range(2))
    one, two = (list(model.network_.state_dict().values()) for model in (first, second))
    assert all(map(torch.equal, one, two)) and all(weight.device.type == device for weight in one)
    moved = copy.copy(first)
    moved.network_ = copy.deepcopy(first.network_).to("cpu")
    there, here = (rank_held_out(model, split.test, split.train.item_counts) for model in (first, moved))
    assert np.mean(there.greater == here.greater) > 0.98  # but for near-ties


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=GPU)])
def test_killed_and_resumed_on_a_device_gives_the_same_bits(device, split, tmp_path):
    def kill(record):
        if record["event"] == "epoch" and record["epoch"] == 2:
            raise KeyboardInterrupt

    def fitted(folder=None, log=lambda record: None):
        model = GRU(dim=8, embedding_dim=8, epochs=3, batch_size=16, dropout=0.2)
        run = Run(1, device=device, checkpoint=folder, log=log)
        return list(model.fit(split.train, run).network_.state_dict().values())

    calm = fitted()
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path, kill)
    assert all(map(torch.equal, calm, fitted(tmp_path)))
