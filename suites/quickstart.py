"""Quickstart: one model per family, on synthetic data with a known best score and on MovieLens 100K.

Takes minutes on two CPU cores. The synthetic chain has a known upper bound for every sequential model. MovieLens 100K
is real, small and hardly sequential (many ratings share a second), so modest gains over popularity are expected.
"""

from baselines.simple.markov import MarkovChain
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Gain, Ranking
from harness.spec import Experiment, Suite
from recsys_data.datasets.movielens import MovieLens100K
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU, LSTM
from suites.presets import REFERENCES

PER_USER_90_5_5 = PerUserFractions(train=0.9, validation=0.05, test=0.05)
CHAIN = MarkovChainSequences(num_users=600, num_items=200, length=60)
ML100K = MovieLens100K()
SMALL = {"dim": 32, "embedding_dim": 32, "batch_size": 32, "learning_rate": 1e-2, "patience": 4, "epochs": 60}

# 1. One model per family, at a size that two cores finish in minutes.
MODELS = {
    **REFERENCES,
    "LSTM": LSTM(**SMALL),
    "GRU": GRU(**SMALL),
}

# 2. Two rankings with exactly known expected scores: all successors of an item, and the most likely one alone.
ONE_SUCCESSOR = {"Markov chain (one successor)": MarkovChain(neighbours=1, popularity_back_off=False)}
EXPECTED_GAIN = CHAIN.best()["MRR@20"] / CHAIN.best(kept=1)["MRR@20"] - 1

SUITE = Suite(
    name="quickstart",
    title="Quickstart: one model per family",
    experiments=[
        Experiment(CHAIN, PER_USER_90_5_5, MODELS | ONE_SUCCESSOR),
        Experiment(ML100K, PER_USER_90_5_5, MODELS),
    ],
    seeds=range(3),
    metrics=[MRR(20), Recall(20)],
    baselines=list(REFERENCES),
    claims=[
        Ranking(
            "GRU beats popularity on Markov data",
            better="GRU",
            worse="Popularity",
            dataset=CHAIN.name,
            metric="MRR@20",
        ),
        Ranking(
            "GRU beats popularity on MovieLens 100K",
            better="GRU",
            worse="Popularity",
            dataset=ML100K.name,
            metric="MRR@20",
        ),
        Gain(
            "ranking all successors of an item gains over the most likely one what the chain's probabilities predict",
            better="Markov chain",
            worse="Markov chain (one successor)",
            dataset=CHAIN.name,
            metric="MRR@20",
            gain=EXPECTED_GAIN,
            digits=4,
            same_test=False,
        ),
        Ranking(
            "item-kNN, which ignores order, beats the Markov chain on Markov data",
            better="Item-kNN",
            worse="Markov chain",
            dataset=CHAIN.name,
            metric="MRR@20",
        ),
    ],
    notes=[
        "The claims are Encore's own examples of verdicts; the fourth is deliberately false.",
    ],
)
