"""Tuned: whether the order of the models changes when all get the same tuning.

Seven models on MovieLens 100K, each as it comes and each after a random search of the same number of trials, chosen on
the validation part. Comparisons in the literature often tune the proposed model alone (Ferrari
Dacrema, Cremonesi and Jannach 2019); here nobody is favoured. Spaces are those of the usual ranges, not made after
looking at any result; epochs are few, so that all fits in minutes.
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
from harness.tuning import Choice, LogUniform, Tuning, Uniform, Whole
from recsys_data.datasets.movielens import MovieLens100K
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU

ML100K = MovieLens100K()
TRIALS = 12

# 1. Each model as it comes, but for the epochs of those that learn.
MODELS = {
    "Markov chain": MarkovChain(),
    "Item-kNN": ItemKNN(),
    "Decayed item-kNN": DecayedItemKNN(),
    "S-KNN": SessionKNN(),
    "BPR-MF": BPRMF(epochs=30, patience=3),
    "FPMC": FPMC(epochs=30, patience=3),
    "GRU": GRU(dim=64, embedding_dim=64, batch_size=32, epochs=4, patience=2),
}

# 2. What each may be instead.
COSINES = [Cosine(shrinkage, alpha) for shrinkage in (0.0, 20.0, 100.0) for alpha in (0.5, 0.75)]
SPACES = {
    "Markov chain": {"counting": Choice("every", "last_occurrence"), "neighbours": Choice(10, 20, 50, 100, 200, None)},
    "Item-kNN": {
        "neighbours": Whole(10, 400),
        "similarity": Choice(*COSINES),
        "query": Choice("history_sum", "last_item"),
        "counting": Choice("profiles", "events"),
    },
    "Decayed item-kNN": {
        "item_knn": Choice(*(ItemKNN(neighbours=n, similarity=s) for n in (50, 100, 200, 400) for s in COSINES)),
        "rate": LogUniform(0.01, 3.0),
    },
    "S-KNN": {
        "neighbours": Whole(20, 500),
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
    """The label of the row in which a model is as it comes."""
    return f"{label} (untuned)"


def by_order(better: str, worse: str) -> Ranking:
    """Encore's own question about two tuned models."""
    return Ranking(
        f"after the same tuning {better} beats {worse}",
        better=better,
        worse=worse,
        dataset=ML100K.name,
        metric="MRR@20",
        place="Encore's own claim",
    )


SUITE = Suite(
    name="tuned",
    title="Does the order of the models change when all get the same tuning?",
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
        f"Every model but popularity, which has nothing to tune, had {TRIALS} trials of random search on the "
        "validation part, whatever they cost. The rows marked “(untuned)” are the models as they come.",
        "The GRU stops after 4 epochs at the latest, tuned or not, so that the suite ends in minutes: no result here "
        "is what it reaches when it is trained out.",
    ],
)
