"""Presets: the settings that libraries and papers come with, by name, so that no suite holds magic numbers.

Not a suite: other suites name these values. Sources stand in docs/baselines.md and in each model's docstring.
"""

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.factors.negatives import Negatives
from baselines.factors.sequential_mf import SequentialMF
from baselines.neighbours.decayed_knn import DecayedItemKNN
from baselines.neighbours.item_knn import ItemKNN
from baselines.neighbours.user_knn import UserKNN

BPR_MYMEDIALITE = BPRMF(
    dim=10,
    epochs=30,
    learning_rate=0.05,
    reg_user=0.0025,
    reg_positive=0.0025,
    reg_negative=0.00025,
    reg_bias=0.0,
    positives="users",
    init_scale=0.1,
)
BPR_IMPLICIT = BPRMF(
    dim=100,
    epochs=100,
    learning_rate=0.01,
    reg_user=0.01,
    reg_positive=0.01,
    reg_negative=0.01,
    reg_bias=0.01,
    positives="with_replacement",
    init="uniform",
    init_scale=0.005,
    negatives=Negatives("popularity", refused="skip"),
)
# hidasib/GRU4Rec's baselines.py. Its biases are declared and never moved; its negative is the item of one of the first
# num_items events, unchecked, to which that of any event comes nearest
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
BPR_DONKERS = BPRMF(dim=20, epochs=30, learning_rate=0.01)  # decays and draws are not stated
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
FPMC_RECBOLE = FPMC(dim=64, chain_dim=64, weight_decay=0.0)  # without its Adam and mini-batches
FPMC_SESSION_REC = FPMC(
    dim=100, chain_dim=100, learning_rate=0.05, weight_decay=0.0025, negatives=Negatives("adaptive", "target")
)
SEQUENTIAL_MF_DONKERS = SequentialMF(dim=20, epochs=30, learning_rate=0.01)  # window 2; a reconstruction
ITEM_KNN_HIDASI = ItemKNN(neighbours=100, query="last_item", counting="events")  # λ = 20, α = 0.5
ITEM_KNN_DECAYED_DONKERS = DecayedItemKNN(rate=1.0)  # the unit of age is not stated; here it is the position
USER_KNN_DEVOOGHT = UserKNN(neighbours=80)
