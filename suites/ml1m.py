"""MovieLens 1M at full size: two recurrent networks and three baselines, every test position against all items.

The first real run. The ordered edition has no timestamps, only each user's order, which is all that these models need.
"""

from baselines.neighbours.item_knn import ItemKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU, LSTM

MOVIELENS = MovieLens1MOrdered()
# Found on validation with one seed: a large step that shrinks every epoch is at its best after eight to ten epochs.
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
    "Popularity": Popularity(),
    "Markov chain": MarkovChain(),
    "Item-kNN": ItemKNN(),
    "LSTM": LSTM(**FULL),
    "GRU": GRU(**FULL),
}

SUITE = Suite(
    name="ml1m",
    title="MovieLens 1M: recurrent networks against cheap baselines",
    experiments=[Experiment(MOVIELENS, PerUserFractions(train=0.9, validation=0.05, test=0.05), MODELS)],
    seeds=range(3),
    metrics=[MRR(20), Recall(20)],
    baselines=["Popularity", "Markov chain", "Item-kNN"],
    claims=[
        Ranking(
            "GRU beats the Markov chain",
            better="GRU",
            worse="Markov chain",
            dataset=MOVIELENS.name,
            metric="MRR@20",
            place="Encore's own claim 1",
        ),
        Ranking(
            "LSTM beats the Markov chain",
            better="LSTM",
            worse="Markov chain",
            dataset=MOVIELENS.name,
            metric="MRR@20",
            place="Encore's own claim 2",
        ),
        Ranking(
            "GRU beats LSTM",
            better="GRU",
            worse="LSTM",
            dataset=MOVIELENS.name,
            metric="MRR@20",
            place="Encore's own claim 3, open",
        ),
    ],
)
