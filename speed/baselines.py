"""All baselines: fit time, scoring rate, memory and accuracy, with session-rec's reruns where they exist.

    OMP_NUM_THREADS=1 python -m speed.baselines [yoochoose-1-64] [diginetica] [ml-1m-ordered]     (default: all)

Each model runs in its own process, forked after the data are read and the compiled loops are loaded, by its own CPU
clock, on one thread. fit: CPU seconds; ratio: fit time divided by implicit's for the same model and data, taken in
turn; rate: test events scored and ranked in full per CPU second; MB: peak memory of the process beyond the data.
"""

from __future__ import annotations

import copy
import multiprocessing
import sys
import time
import warnings
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.factors.negatives import Negatives
from baselines.factors.sequential_mf import SequentialMF
from baselines.neighbours.decayed_knn import DecayedItemKNN
from baselines.neighbours.item_knn import Cosine, ItemKNN
from baselines.neighbours.session_knn import SessionKNN, VectorSessionKNN
from baselines.neighbours.user_knn import UserKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from baselines.simple.random_scores import Random
from baselines.simple.repeat import LastItemRepeat
from baselines.simple.rules import AssociationRules, SequentialRules
from baselines.simple.session_popularity import SessionPopularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.ranking.rank import rank_held_out
from recsys_data.datasets.diginetica import Diginetica
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.datasets.yoochoose import YooChoose64
from recsys_data.generated.planted import PlantedSignal
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.protocols.published import AsPublished
from recsys_data.split import Split
from speed.item_knn import matrices
from speed.timing import in_turn, peak_memory, ratios, require_one_thread
from suites.presets import LISTED
from suites.session_baselines import RERUNS
from training.run import Run

TEXTBOOK = Cosine(shrinkage=0.0)
MODELS: dict[str, Any] = {
    "random": Random(),
    "popularity": Popularity(),
    "session popularity": SessionPopularity(),
    "repeat of the last item": LastItemRepeat(),
    "Markov chain": MarkovChain(),
    "Association rules": AssociationRules(),
    "Sequential rules": SequentialRules(),
    "item-kNN, last item (Hidasi)": ItemKNN(query="last_item", counting="events"),
    "item-kNN, history (cosine)": ItemKNN(similarity=TEXTBOOK),
    "item-kNN, history, own included": ItemKNN(similarity=TEXTBOOK, self_similarity="repeats"),
    "decayed item-kNN, e^-lag": DecayedItemKNN(ItemKNN(similarity=TEXTBOOK)),
    "user-kNN, 80": UserKNN(),
    "S-KNN": SessionKNN(500, 1000, **LISTED),
    "V-SKNN": VectorSessionKNN(500, 5000, **LISTED),
    "V-SKNN, idf 5, logarithmic": VectorSessionKNN(500, 5000, position_weights="logarithmic", idf_weight=5.0, **LISTED),
    "BPR-MF, 64": BPRMF(dim=64),
    "BPR-MF, 64, history mean": BPRMF(dim=64, query="history_mean"),
    "BPR-MF, 20 (Donkers)": BPRMF(dim=20, learning_rate=0.01),
    "FPMC, 32 + 32": FPMC(),
    "sequential MF (reconstruction)": SequentialMF(),
    "sequential MF, separate (reconstr.)": SequentialMF("separate"),
}  # fmt: skip
KNOWN_USERS_ONLY = {"BPR-MF, 64", "BPR-MF, 20 (Donkers)"}  # for sessions these equal the history mean
WHOLE_HISTORIES = {"S-KNN", "V-SKNN", "V-SKNN, idf 5, logarithmic"}  # used as sessions; the table says so
SETS = {
    "yoochoose-1-64": (YooChoose64(), AsPublished(validation=0)),
    "diginetica": (Diginetica(), AsPublished(validation=0)),
    "ml-1m-ordered": (MovieLens1MOrdered(), PerUserFractions()),
}
RERUN_LABELS = {"V-SKNN, idf 5, logarithmic": "V-SKNN"}  # rows under another label in suites/session_baselines.py


def measure(model: Any, split: Split) -> dict[str, float]:
    """Measure one fit and one full ranking in this process."""
    before, started = peak_memory(), time.process_time()
    model.fit(split.train, Run(seed=0))
    fitted = time.process_time()
    ranks = rank_held_out(model, split.test, split.train.item_counts)
    ranked = time.process_time()
    return {
        "fit": fitted - started, "rate": len(split.test) / (ranked - fitted), "memory": peak_memory() - before,
        "recall": 100 * Recall(20).measure(ranks), "mrr": 100 * MRR(20).measure(ranks),
    }  # fmt: skip


def measure_in_fork(model: Any, split: Split) -> dict[str, float]:
    """Call ``measure`` in a forked process."""

    def work(answer: Connection) -> None:
        answer.send(measure(copy.deepcopy(model), split))

    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=work, args=(sender,))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


def against_implicit(split: Split) -> dict[str, str]:
    """Ratios of fit times to implicit's, for the two models that it also has (data with known users only)."""
    train, _ = matrices(split)
    knn = ItemKNN(similarity=TEXTBOOK, self_similarity="full")
    bpr = BPRMF(
        dim=64, epochs=10, reg_user=0.01, reg_positive=0.01, positives="with_replacement",
        negatives=Negatives("popularity", refused="skip"),
    )  # fmt: skip
    peers = {
        "item-kNN, history (cosine)": (knn, CosineRecommender(K=100, num_threads=1)),
        "BPR-MF, 64": (bpr, BayesianPersonalizedRanking(64, iterations=10, num_threads=1, use_gpu=False)),
    }
    out = {}
    for name, (ours, theirs) in peers.items():
        both = in_turn([
            lambda ours=ours: ours.fit(split.train, Run(0)),
            lambda theirs=theirs: theirs.fit(train, show_progress=False),
        ])  # fmt: skip
        out[name] = ratios(*both)
    return out


def print_table(name: str) -> None:
    """Print all models on one data set."""
    dataset, protocol = SETS[name]
    split = protocol.prepare(dataset.load())
    sessions = split.train.num_users == 0
    print(f"\n{dataset.title}, {protocol.name}: {len(split.train):,} training events, {len(split.test):,} test events, "
          f"{split.train.num_items:,} items")  # fmt: skip
    peers = {} if sessions else against_implicit(split)
    print(f"{'model':36} {'fit s':>7} {'rate /s':>9} {'MB':>6} {'Recall@20':>9} {'MRR@20':>7}  rerun (gap of ours)")
    for label, model in MODELS.items():
        if sessions and label in KNOWN_USERS_ONLY:
            continue
        row = measure_in_fork(model, split)
        print(f"{label:36} {row['fit']:7.2f} {row['rate']:9,.0f} {row['memory']:6.0f} {row['recall']:9.2f} "
              f"{row['mrr']:7.2f}  {_rerun(name, label, row)}", flush=True)  # fmt: skip
    for label, ratio in peers.items():
        print(f"fit time to implicit's, {label}: {ratio}")
    if not sessions:
        print(f"whole histories are used as sessions in {', '.join(sorted(WHOLE_HISTORIES))}")


def _rerun(name: str, label: str, row: dict[str, float]) -> str:
    """Format the published rerun of a row and the relative difference of ours from it."""
    reruns, label = RERUNS.get(name, {}), RERUN_LABELS.get(label, label)
    if label not in reruns:
        return ""
    recall, mrr = reruns[label]
    return f"{recall:.2f} ({row['recall'] / recall - 1:+.1%}) / {mrr:.2f} ({row['mrr'] / mrr - 1:+.1%})"


def main() -> None:
    """Print the tables of the data sets named in the arguments."""
    require_one_thread()
    warnings.simplefilter("ignore")
    small = PerUserFractions().prepare(PlantedSignal("order").load())
    for model in MODELS.values():  # load the compiled loops, so that no fit below waits for them
        rank_held_out(copy.deepcopy(model).fit(small.train, Run(seed=0)), small.test, small.train.item_counts)
    np.seterr(all="raise", under="ignore")
    for name in sys.argv[1:] or SETS:
        print_table(name)


if __name__ == "__main__":
    main()
