"""A suite of a few seconds, written to a file as a user would write one, for the tests that run suites."""

from pathlib import Path

import pytest

TINY = '''"""A tiny suite."""

from baselines.simple.popularity import Popularity
from evaluation.verdicts.claims import Ranking
from evaluation.metrics.accuracy import MRR, Recall
from harness.spec import Experiment, Suite
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_models.rnn import GRU

CHAIN = MarkovChainSequences(num_users=30, num_items=25, length=20)
MODELS = {"Popularity": Popularity(), "GRU": GRU(dim=8, embedding_dim=6, epochs=3, patience=3, batch_size=8)}
SUITE = Suite(
    name="tiny",
    title="Tiny",
    experiments=[Experiment(CHAIN, PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)],
    seeds=range(2),
    metrics=[MRR(20), Recall(20)],
    baselines=["Popularity"],
    claims=[Ranking("GRU beats popularity", better="GRU", worse="Popularity", dataset=CHAIN.name, metric="MRR@20")],
)
'''


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """The tiny suite's text, for tests that write it with a change."""
    return TINY


@pytest.fixture
def tiny_suite(tmp_path) -> Path:
    """The path of the tiny suite's file: one deterministic model, one learner, two seeds."""
    path = tmp_path / "tiny.py"
    path.write_text(TINY)
    return path


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items) -> None:
    """Keep tests that share a fixture of their file on one worker, which then makes it once."""
    for item in items:
        shared = (fixture for found in item._fixtureinfo.name2fixturedefs.values() for fixture in found)
        if item.get_closest_marker("xdist_group") is None and any(f.scope == "module" for f in shared):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))


def pytest_make_parametrize_id(val, argname) -> str | None:
    """Name a parameter of bytes by its argument: archives hold the time, and two workers must collect equal names."""
    return argname if isinstance(val, bytes) else None
