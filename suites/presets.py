"""Presets: settings of published baselines, by name, shared by the suites.

Not a suite. docs/baselines.md and each model's docstring name the sources.
"""

from typing import Any

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.factors.negatives import Negatives
from baselines.factors.sequential_mf import SequentialMF
from baselines.neighbours.decayed_knn import DecayedItemKNN
from baselines.neighbours.item_knn import ItemKNN
from baselines.neighbours.session_knn import SessionKNN, VectorSessionKNN
from baselines.neighbours.user_knn import UserKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from baselines.simple.rules import AssociationRules, SequentialRules
from recsys_models.gru4rec import GRU4Rec, shared_sampling
from training.losses.sampled import TOP1

REFERENCES = {"Popularity": Popularity(), "Markov chain": MarkovChain(), "Item-kNN": ItemKNN()}  # at their defaults
LISTED = {"sampling": "listed_last"}  # for session sets that list training sessions by date, without times

# hidasib/GRU4Rec's baselines.py. It declares biases and never updates them. Its negative is the item of one of the
# first num_items events, unchecked; the item of any event is the closest option here
BPR_HIDASI = BPRMF(
    dim=100,
    epochs=10,
    learning_rate=0.01,
    reg_user=0.0,
    reg_positive=0.0,
    reg_negative=0.0,
    biases=False,
    init="uniform",
    init_scale=0.05,
    negatives=Negatives("popularity", check="none"),
    query="history_mean",
)
BPR_DONKERS = BPRMF(dim=20, epochs=30, learning_rate=0.01)  # regularisation and sampling are not stated
BPR_DEVOOGHT = BPRMF(
    dim=20,
    learning_rate=0.01,
    positives="users",
    init_scale=1.0,
    reg_user=0.0,
    reg_positive=0.0,
    reg_negative=0.0,
    negatives=Negatives("adaptive_reversed", mean_rank=100.0),
)
FPMC_SESSION_REC = FPMC(
    dim=100, chain_dim=100, learning_rate=0.05, weight_decay=0.0025, negatives=Negatives("adaptive", "target")
)
SEQUENTIAL_MF_DONKERS = SequentialMF(dim=20, epochs=30, learning_rate=0.01)  # window 2; a reconstruction
ITEM_KNN_HIDASI = ItemKNN(neighbours=100, query="last_item", counting="events")  # λ = 20, α = 0.5
ITEM_KNN_DECAYED_DONKERS = DecayedItemKNN(rate=1.0)  # the unit of age is not stated; here it is the position
USER_KNN_DEVOOGHT = UserKNN(neighbours=80)
# The TOP1 settings of the ICLR 2016 paper for RSC15, from its script, which has final_act tanh (not available here) and
# does not sort by time. GRU4Rec rows of 2017 and 2018 most likely used them
GRU4REC_2016 = GRU4Rec(
    inputs="one-hot",
    reset="before",
    batch_size=50,
    dropout=0.5,
    learning_rate=0.01,
    session_order="listed",
    loss=TOP1(num_negatives=0, sampling=shared_sampling()),
)

# session-rec's tuned values (conf/save, the baselines file of each split): sequential rules; S-KNN; V-SKNN
SESSION_REC: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "YooChoose 1/64": (
        {"steps": 4, "recency": "quadratic"},
        {"neighbours": 500, "sample_size": 1000},
        {"neighbours": 1000, "sample_size": 5000, "position_weights": "logarithmic", "recency": "quadratic",
         "idf_weight": 2.0},
    ),
    "YooChoose 1/4": (
        {"steps": 2, "recency": "logarithmic"},
        {"neighbours": 1500, "sample_size": 500, "similarity": "jaccard"},
        {"neighbours": 1000, "sample_size": 1000, "position_weights": "logarithmic", "recency": "quadratic",
         "idf_weight": 5.0},
    ),
    "Diginetica": (
        {"steps": 15, "recency": "reciprocal"},
        {"neighbours": 50, "sample_size": 500},
        {"neighbours": 1500, "sample_size": 10_000, "position_weights": "quadratic", "recency": "linear",
         "idf_weight": 10.0},
    ),
    "Diginetica, file order": (
        {"steps": 8, "recency": "quadratic"},
        {"neighbours": 100, "sample_size": 500},
        {"neighbours": 500, "sample_size": 10_000, "position_weights": "quadratic", "recency": "quadratic",
         "idf_weight": 10.0},
    ),
}  # fmt: skip


def session_rec_methods(split: str, sampling: str = "listed_last") -> dict[str, Any]:
    """The simple methods of session-rec, tuned for a split; 20 rules for each item, no back-off, signed weights."""
    rules, s_knn, v_sknn = SESSION_REC[split]
    pruned = {"neighbours": 20, "popularity_back_off": False}
    return {
        "Markov chain": MarkovChain(**pruned),
        "Association rules": AssociationRules(**pruned),
        "Sequential rules": SequentialRules(**rules, **pruned),
        "S-KNN": SessionKNN(**s_knn, sampling=sampling),
        "V-SKNN": VectorSessionKNN(**v_sknn, sampling=sampling, negative_weights=True),
    }
