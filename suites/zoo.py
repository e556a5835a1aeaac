"""Zoo: every model at small size on MovieLens 100K. The contract test runs over this list."""

from baselines.item_knn import ItemKNN
from baselines.markov import MarkovChain
from baselines.popularity import Popularity
from evaluation.metrics import MRR, Recall
from harness.spec import Experiment, Suite
from recsys_data.movielens import MovieLens100K
from recsys_data.protocols import PerUserFractions
from recsys_models.rnn import GRU, LSTM

SMALL = {"dim": 32, "embedding_dim": 32, "batch_size": 16, "learning_rate": 1e-2, "patience": 5, "epochs": 60}
MODELS = {
    "Popularity": Popularity(),
    "Markov chain": MarkovChain(),
    "Item-kNN": ItemKNN(),
    "LSTM": LSTM(**SMALL),
    "GRU": GRU(**SMALL),
}

SUITE = Suite(
    name="zoo",
    title="Zoo: every model at small size",
    experiments=[Experiment(MovieLens100K(), PerUserFractions(train=0.9, validation=0.05, test=0.05), MODELS)],
    seeds=range(1),
    metrics=[MRR(20), Recall(20)],
    baselines=["Popularity", "Markov chain", "Item-kNN"],
)
