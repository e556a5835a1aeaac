"""Every neural model of the zoo agrees with its reference, its equations in float64 NumPy."""

import dataclasses
import importlib

import numpy as np
import pytest

from recsys_data.generated.planted import PlantedSignal
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.next_item import NextItemModel
from suites.zoo import MODELS
from training.run import Run

NEURAL = [name for name, model in MODELS.items() if isinstance(model, NextItemModel)]


@pytest.fixture(scope="module")
def split():
    return PerUserFractions(train=0.7, validation=0.1, test=0.2).prepare(PlantedSignal("order", num_users=22).load())


CASES = [(name, "torch") for name in NEURAL]
CASES += [(name, "compiled") for name in NEURAL if MODELS[name].has_compiled_loop]


@pytest.mark.parametrize("name, engine", CASES)
def test_scores_agree_with_the_reference(name, engine, split):
    model = dataclasses.replace(MODELS[name], epochs=2, dim=12)
    model.fit(split.train, Run(0, engine=engine))
    assert model.engine_.startswith(engine)
    batch, _ = next(split.test.batches(max_rows=5))
    ours = np.asarray(model.score(batch).block(slice(None)), dtype=np.float64)
    theirs = importlib.import_module("reference." + type(model).__module__.rpartition(".")[2]).scores(model, batch)
    assert np.ptp(theirs) > 1e-3  # the scores are not all the same
    assert np.abs(ours - theirs).max() < 1e-5
