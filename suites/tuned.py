"""Tuned: the ranking of the models with and without the same tuning budget for all.

Seven models on MovieLens 100K, each with its default settings and each after a random search with the same number of
trials, selected on the validation part. Comparisons in the literature often tune only the proposed model (Ferrari
Dacrema, Cremonesi and Jannach 2019). The search spaces are common ranges, fixed before any result was seen; epochs are
few, so that the suite takes minutes.
"""

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.neighbours.decayed_knn import DecayedItemKNN
from baselines.neighbours.item_knn import Cosine, ItemKNN
from baselines.neighbours.session_knn import SessionKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from harness.tuning import Choice, IntUniform, LogUniform, Tuning, Uniform
from recsys_data.datasets.movielens import MovieLens100K
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU

ML100K = MovieLens100K()
TRIALS = 12

# 1. The models at their defaults, except for the number of epochs.
MODELS = {
    "Markov chain": MarkovChain(),
    "Item-kNN": ItemKNN(),
    "Decayed item-kNN": DecayedItemKNN(),
    "S-KNN": SessionKNN(),
    "BPR-MF": BPRMF(epochs=30, patience=3),
    "FPMC": FPMC(epochs=30, patience=3),
    "GRU": GRU(dim=64, embedding_dim=64, batch_size=32, epochs=4, patience=2),
}

# 2. The search spaces.
COSINES = [Cosine(shrinkage, alpha) for shrinkage in (0.0, 20.0, 100.0) for alpha in (0.5, 0.75)]
SPACES = {
    "Markov chain": {"counting": Choice("every", "last_occurrence"), "neighbours": Choice(10, 20, 50, 100, 200, None)},
    "Item-kNN": {
        "neighbours": IntUniform(10, 400),
        "similarity": Choice(*COSINES),
        "query": Choice("history_sum", "last_item"),
        "counting": Choice("profiles", "events"),
    },
    "Decayed item-kNN": {
        "item_knn": Choice(*(ItemKNN(neighbours=n, similarity=s) for n in (50, 100, 200, 400) for s in COSINES)),
        "rate": LogUniform(0.01, 3.0),
    },
    "S-KNN": {
        "neighbours": IntUniform(20, 500),
        "similarity": Choice("cosine", "jaccard"),
        "window": Choice(None, 5, 10, 20, 50),
    },
    "BPR-MF": {
        "dim": Choice(16, 32, 64),
        "learning_rate": LogUniform(0.01, 0.2),
        "reg_user": LogUniform(1e-4, 0.1),
        "reg_positive": LogUniform(1e-4, 0.1),
        "reg_negative": LogUniform(1e-4, 0.1),
    },
    "FPMC": {
        "dim": Choice(16, 32, 64),
        "chain_dim": Choice(16, 32, 64),
        "learning_rate": LogUniform(0.01, 0.2),
        "weight_decay": LogUniform(1e-4, 0.1),
    },
    "GRU": {
        "dim": Choice(16, 32, 64),
        "embedding_dim": Choice(16, 32, 64),
        "learning_rate": LogUniform(5e-4, 0.05),
        "dropout": Uniform(0.0, 0.5),
    },
}


def untuned(label: str) -> str:
    """The label of a model's untuned row."""
    return f"{label} (untuned)"


def by_order(better: str, worse: str) -> Ranking:
    """Encore's own claim about two tuned models."""
    return Ranking(
        f"after the same tuning {better} beats {worse}",
        better=better,
        worse=worse,
        dataset=ML100K.name,
        metric="MRR@20",
    )


SUITE = Suite(
    name="tuned",
    title="Does the ranking of the models change when all get the same tuning?",
    experiments=[
        Experiment(
            ML100K,
            PerUserFractions(train=0.9, validation=0.05, test=0.05),
            MODELS | {"Popularity": Popularity()} | {untuned(label): model for label, model in MODELS.items()},
            tuning=Tuning(TRIALS, SPACES),
        )
    ],
    seeds=range(3),
    metrics=[MRR(20), Recall(20)],
    baselines=["Popularity", *(label for label in MODELS if label != "GRU")],
    comparisons=[(label, untuned(label)) for label in MODELS],
    claims=[by_order("GRU", "Markov chain"), by_order("GRU", "FPMC"), by_order("Markov chain", "Item-kNN")],
    notes=[
        f"Every model except popularity, which has nothing to tune, had {TRIALS} trials of random search on the "
        "validation part, at any cost. The rows marked “(untuned)” are the models at their defaults.",
        "The GRU stops after at most 4 epochs, tuned or not, so that the suite takes minutes: no result here is that "
        "of a fully trained GRU.",
    ],
)
