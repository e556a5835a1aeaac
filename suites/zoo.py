"""Zoo: every model at small size on MovieLens 100K; the contract test covers this list."""

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.factors.sequential_mf import SequentialMF
from baselines.neighbours.decayed_knn import DecayedItemKNN
from baselines.neighbours.item_knn import ItemKNN
from baselines.neighbours.session_knn import SessionKNN, VectorSessionKNN
from baselines.neighbours.user_knn import UserKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity, RecentPopularity
from baselines.simple.random_scores import Random
from baselines.simple.repeat import LastItemRepeat
from baselines.simple.rules import AssociationRules, SequentialRules
from baselines.simple.session_popularity import SessionPopularity
from evaluation.metrics.accuracy import MRR, Recall
from harness.spec import Experiment, Suite
from recsys_data.datasets.movielens import MovieLens100K
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.gru4rec import GRU4Rec, shared_sampling
from recsys_models.mlstm import MLSTM, SpotlightLSTM
from recsys_models.narm import NARM
from recsys_models.phased_lstm import PhasedLSTM
from recsys_models.rnn import GRU, LSTM, RNN
from recsys_models.sasrec import SASRec
from recsys_models.stamp import STAMP, STMO, STMP
from recsys_models.tied_rnn import RNNCCE
from recsys_models.time_lstm import LSTMT, PeepholeLSTM, TimeLSTM1, TimeLSTM2, TimeLSTM3
from recsys_models.user_gru import AttentionalUserGRU, LinearUserGRU, RectifiedUserGRU, StandardGRU
from training.losses.augmented import AugmentedCrossEntropy
from training.losses.loss import CrossEntropy
from training.losses.softmax import SampledCrossEntropy
from training.optimisers.optimisers import Adam

TRAINING = {"batch_size": 16, "learning_rate": 1e-2, "patience": 5, "epochs": 60}
SMALL = {"dim": 32, **TRAINING}
TIED = {"embedding_dim": 32, **SMALL}
SHARED = SampledCrossEntropy(num_negatives=64, sampling=shared_sampling())
MEMORY = {**SMALL, "batch_size": 256}  # targets
ATTENTION = {**SMALL, "dropout": 0.1, "learning_rate": 5e-3, "patience": 20, "epochs": 100, "segments": "all"}
FACTORS = {"dim": 16, "epochs": 60}

BASELINES = {
    "Random": Random(),
    "Popularity": Popularity(),
    "Recent popularity": RecentPopularity(),
    "Session popularity": SessionPopularity(),
    "Last-item repeat": LastItemRepeat(),
    "Markov chain": MarkovChain(),
    "Association rules": AssociationRules(),
    "Sequential rules": SequentialRules(),
    "Item-kNN": ItemKNN(),
    "Decayed item-kNN": DecayedItemKNN(),
    "User-kNN": UserKNN(),
    "S-KNN": SessionKNN(),
    "V-SKNN": VectorSessionKNN(),
    "BPR-MF": BPRMF(**FACTORS),
    "Sequential MF (reconstruction)": SequentialMF(**FACTORS),
    "FPMC": FPMC(**FACTORS),
}
NETWORKS = {
    "RNN": RNN(**TIED),
    "LSTM": LSTM(**TIED),
    "GRU": GRU(**TIED),
    "GRU4Rec": GRU4Rec(**SMALL | {"learning_rate": 0.1, "epochs": 20}, loss=SHARED),
    "LSTM with peepholes": PeepholeLSTM(**SMALL),
    "LSTM_T": LSTMT(gap="previous", **SMALL),
    # units that are mostly closed learn little from short histories: use more units, open during the whole period
    "Phased LSTM": PhasedLSTM(open_share=1.0, **{**TRAINING, "dim": 96, "batch_size": 4, "patience": 8}),
    "Time-LSTM 1": TimeLSTM1(gap="previous", **SMALL),
    "Time-LSTM 2": TimeLSTM2(gap="previous", **SMALL),
    "Time-LSTM 3": TimeLSTM3(gap="previous", **SMALL),
    "Spotlight LSTM": SpotlightLSTM(**SMALL),
    "mLSTM": MLSTM(**SMALL),
    "Standard GRU": StandardGRU(**SMALL),
    "Linear user GRU": LinearUserGRU(**SMALL),
    "Rectified user GRU": RectifiedUserGRU(**SMALL),
    "Attentional user GRU": AttentionalUserGRU(**SMALL),
    # every position is a target, and Adam: prefixes and AdaGrad (suites/rnn_cf.py) take ten times as long
    "RNN-CCE": RNNCCE(dim=32, tied=False, **TRAINING, instances="positions", optimiser=Adam(), loss=CrossEntropy()),
    "RNN-CCE tied": RNNCCE(dim=32, **TRAINING, instances="positions", optimiser=Adam(), loss=AugmentedCrossEntropy()),
    "STMO (reconstruction)": STMO(**MEMORY),
    "STMP": STMP(**MEMORY),
    "STAMP": STAMP(**MEMORY),
    "NARM": NARM(embedding_dim=32, **MEMORY),
    "SASRec": SASRec(**ATTENTION),
    "SASRec (cross-entropy)": SASRec(**ATTENTION, loss=CrossEntropy()),
}
MODELS = {**BASELINES, **NETWORKS}

SUITE = Suite(
    name="zoo",
    title="Zoo: every model at small size",
    experiments=[Experiment(MovieLens100K(), PerUserFractions(train=0.9, validation=0.05, test=0.05), MODELS)],
    seeds=range(1),
    metrics=[MRR(20), Recall(20)],
    baselines=list(BASELINES),
)
