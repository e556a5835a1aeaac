"""my_suite: which models predict the next item best.

See the cost:   python benchmark.py plan THIS_FILE
Run it:         python benchmark.py run THIS_FILE
"""

from baselines.neighbours.item_knn import ItemKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, NDCG, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import LeaveLastOut
from recsys_models.rnn import GRU

# The data. python benchmark.py list datasets names the others; python benchmark.py data import FILE adds yours.
DATASET = MarkovChainSequences(num_users=600, num_items=200, length=60)

# The split: the last event of each user tests. python benchmark.py list protocols names the others.
PROTOCOL = LeaveLastOut()

# Baselines first: a network that does not beat them has learnt nothing worth its cost.
BASELINES = {"Popularity": Popularity(), "Markov chain": MarkovChain(), "Item-kNN": ItemKNN()}
MODELS = {"GRU": GRU(dim=64, batch_size=32, learning_rate=1e-2, epochs=60, patience=4)}

SUITE = Suite(
    name="my_suite",
    title="Which models predict the next item best?",
    experiments=[Experiment(DATASET, PROTOCOL, BASELINES | MODELS)],
    seeds=range(3),
    metrics=[MRR(20), NDCG(20), Recall(20)],  # the first stops the training and is tested first
    baselines=list(BASELINES),
    # What you expect, judged by the run. python benchmark.py list claims names the kinds.
    claims=[
        Ranking("GRU beats popularity", better="GRU", worse="Popularity", dataset=DATASET.name, metric="MRR@20"),
    ],
)
