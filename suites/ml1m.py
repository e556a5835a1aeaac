"""MovieLens 1M at full size: recurrent networks, SASRec and baselines, every test position ranked against all items.

The ordered edition has no timestamps, only the official order of each user's events: all that these models need.
"""

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU, LSTM
from recsys_models.sasrec import SASRec
from suites.presets import REFERENCES
from training.losses.loss import CrossEntropy

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

# Not tuned. A pass for each query would be most of the work, so positions count from the start.
ATTENTION = {
    "dim": 64,
    "max_len": 200,
    "dropout": 0.2,
    "segments": "all",
    "positions": "from the start",
    "patience": 10,
    "epochs": 100,
}

MODELS = {
    **REFERENCES,
    "LSTM": LSTM(**FULL),
    "GRU": GRU(**FULL),
    "SASRec": SASRec(**ATTENTION),
    "SASRec (cross-entropy)": SASRec(**ATTENTION, loss=CrossEntropy()),
}

SUITE = Suite(
    name="ml1m",
    title="MovieLens 1M: recurrent networks, SASRec and simple baselines",
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
        Ranking(
            "cross-entropy helps SASRec",
            better="SASRec (cross-entropy)",
            worse="SASRec",
            dataset=MOVIELENS.name,
            metric="MRR@20",
        ),
    ],
)
