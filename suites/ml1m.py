"""MovieLens 1M at full size: two recurrent networks and three baselines, every test position ranked against all items.

The ordered edition has no timestamps, only the order of each user's events, which is all that these models need.
"""

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU, LSTM
from suites.presets import REFERENCES

MOVIELENS = MovieLens1MOrdered()
# Chosen on validation with one seed: a large learning rate that decays every epoch peaks after eight to ten epochs.
FULL = {
    "dim": 128,
    "embedding_dim": 64,
    "batch_size": 64,
    "learning_rate": 1e-2,
    "lr_decay": 0.75,
    "patience": 2,
    "epochs": 20,
}

MODELS = {
    **REFERENCES,
    "LSTM": LSTM(**FULL),
    "GRU": GRU(**FULL),
}

SUITE = Suite(
    name="ml1m",
    title="MovieLens 1M: recurrent networks and simple baselines",
    experiments=[Experiment(MOVIELENS, PerUserFractions(train=0.9, validation=0.05, test=0.05), MODELS)],
    seeds=range(3),
    metrics=[MRR(20), Recall(20)],
    baselines=list(REFERENCES),
    claims=[
        Ranking(
            "GRU beats the Markov chain",
            better="GRU",
            worse="Markov chain",
            dataset=MOVIELENS.name,
            metric="MRR@20",
        ),
        Ranking(
            "LSTM beats the Markov chain",
            better="LSTM",
            worse="Markov chain",
            dataset=MOVIELENS.name,
            metric="MRR@20",
        ),
        Ranking(
            "GRU beats LSTM",
            better="GRU",
            worse="LSTM",
            dataset=MOVIELENS.name,
            metric="MRR@20",
        ),
    ],
)
