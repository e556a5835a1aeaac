"""A suite of seconds with a learner, a tuned model and seeds; runs of it in stores of their own."""

from dataclasses import replace

import pytest

from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest

SUITE = """
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from harness.tuning import Choice, Tuning
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU

CHAIN = MarkovChainSequences(num_users=20, num_items=15, length=12)
MODELS = {"Popularity": Popularity(), "Markov": MarkovChain(), "GRU": GRU(dim=4, epochs=2, max_len=8, batch_size=8)}
TUNING = Tuning(2, {"Markov": {"neighbours": Choice(1, 5, 9)}})
SUITE = Suite(name="small", title="Small", seeds=[0, 1], metrics=[MRR(5), Recall(5)],
              experiments=[Experiment(CHAIN, PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS,
                                      tuning=TUNING)],
              baselines=["Popularity"],
              claims=[Ranking("GRU first", better="GRU", worse="Popularity", dataset=CHAIN.name, metric="MRR@5")])
"""


def run_into(results, suite, **overrides):
    """Run the suite file into ``results``; return its store and the outcome."""
    store = Store.open(results)
    request = replace(RunRequest(str(suite), store.root), overrides=Overrides(**overrides))
    return store, run_session(make_plan(request.load(), store), store)


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory):
    """The path of the suite's file."""
    path = tmp_path_factory.mktemp("suite") / "small.py"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def stores(tmp_path_factory, suite_file):
    """A store with every cell and two with a part each; the tuned model and popularity are in both parts."""
    folder = tmp_path_factory.mktemp("stores")
    parts = {"whole": {}, "first": {"seeds": (0,)}, "second": {"seeds": (1,)}}
    return {name: run_into(folder / name, suite_file, **chosen)[0] for name, chosen in parts.items()}
