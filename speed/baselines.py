"""The table of all baselines: fit time, score rate, memory, and accuracy beside session-rec's reruns.

``OMP_NUM_THREADS=1 python -m speed.baselines [yoochoose-1-64] [diginetica] [ml-1m-ordered]`` (all by default)

Each model runs in a process of its own that is forked after the data are read and the compiled loops are loaded, by
its own CPU clock, on one thread. fit: CPU seconds; ratio: fit time to implicit's for the same model and data, taken in
turn; rate: test events scored and ranked in full a CPU second; MB: what the process held beyond the data at its peak.
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
from recsys_data.datasets.planted import PlantedSignal
from recsys_data.datasets.yoochoose import YooChoose64
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.protocols.published import AsPublished
from recsys_data.split import Split
from speed.item_knn import matrices
from speed.pairing import data_folder, in_turn, peak_memory, ratios, require_one_thread
from training.run import Run

LISTED = {"sampling": "listed_last"}  # both session sets list training sessions by date, without times
TEXTBOOK = Cosine(shrinkage=0.0)
MODELS: dict[str, Any] = {
    "random": Random(),
    "popularity": Popularity(),
    "session popularity": SessionPopularity(),
    "repeat of the last item": LastItemRepeat(),
    "Markov chain": MarkovChain(),
    "association rules": AssociationRules(),
    "sequential rules": SequentialRules(),
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
TO_KNOWN_USERS_ONLY = {"BPR-MF, 64", "BPR-MF, 20 (Donkers)"}  # with sessions this is the history mean
WHOLE_HISTORIES = {"S-KNN", "V-SKNN", "V-SKNN, idf 5, logarithmic"}  # as sessions: said in the table
SETS = {
    "yoochoose-1-64": (YooChoose64(), AsPublished(validation=0)),
    "diginetica": (Diginetica(), AsPublished(validation=0)),
    "ml-1m-ordered": (MovieLens1MOrdered(), PerUserFractions()),
}
# Recall@20 and MRR@20 of session-rec's reruns (docs/tables_single), each method tuned by its authors
RERUNS = {
    "yoochoose-1-64": {
        "S-KNN": (64.23, 25.22), "V-SKNN": (69.61, 28.79), "V-SKNN, idf 5, logarithmic": (69.61, 28.79),
        "Markov chain": (64.76, 29.83), "sequential rules": (66.74, 30.33), "association rules": (66.52, 28.62),
    },
    "diginetica": {
        "S-KNN": (48.46, 17.36), "V-SKNN": (52.03, 18.41), "V-SKNN, idf 5, logarithmic": (52.03, 18.41),
        "Markov chain": (34.41, 13.07), "sequential rules": (40.85, 14.31), "association rules": (43.94, 14.65),
    },
}  # fmt: skip


def measured(model: Any, split: Split) -> dict[str, float]:
    """One fit and one full ranking in this process."""
    before, started = peak_memory(), time.process_time()
    model.fit(split.train, Run(seed=0))
    fitted = time.process_time()
    ranks = rank_held_out(model, split.test, split.train.item_counts)
    ranked = time.process_time()
    return {
        "fit": fitted - started, "rate": len(split.test) / (ranked - fitted), "memory": peak_memory() - before,
        "recall": 100 * Recall(20).measure(ranks), "mrr": 100 * MRR(20).measure(ranks),
    }  # fmt: skip


def apart(model: Any, split: Split) -> dict[str, float]:
    """``measured`` in a process of its own, forked here."""

    def work(answer: Connection) -> None:
        answer.send(measured(copy.deepcopy(model), split))

    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=work, args=(sender,))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


def against_implicit(split: Split) -> dict[str, str]:
    """Ratios of fit times to implicit's, for the two models that it has too (only where users are known)."""
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
    """All models on one data set."""
    dataset, protocol = SETS[name]
    split = protocol.prepare(dataset.load(data_folder()))
    sessions = split.train.num_users == 0
    print(f"\n{dataset.title}, {protocol.name}: {len(split.train):,} training events, {len(split.test):,} test events, "
          f"{split.train.num_items:,} items")  # fmt: skip
    peers = {} if sessions else against_implicit(split)
    print(f"{'model':36} {'fit s':>7} {'rate /s':>9} {'MB':>6} {'Recall@20':>9} {'MRR@20':>7}  rerun (gap of ours)")
    for label, model in MODELS.items():
        if sessions and label in TO_KNOWN_USERS_ONLY:
            continue
        row = apart(model, split)
        print(f"{label:36} {row['fit']:7.2f} {row['rate']:9,.0f} {row['memory']:6.0f} {row['recall']:9.2f} "
              f"{row['mrr']:7.2f}  {_rerun(name, label, row)}", flush=True)  # fmt: skip
    for label, ratio in peers.items():
        print(f"fit time to implicit's, {label}: {ratio}")
    if not sessions:
        print(f"whole histories stand for sessions in {', '.join(sorted(WHOLE_HISTORIES))}")


def _rerun(name: str, label: str, row: dict[str, float]) -> str:
    """The published rerun beside a row and how far ours is from it, in per cent of it."""
    if label not in RERUNS.get(name, {}):
        return ""
    recall, mrr = RERUNS[name][label]
    return f"{recall:.2f} ({row['recall'] / recall - 1:+.1%}) / {mrr:.2f} ({row['mrr'] / mrr - 1:+.1%})"


def main() -> None:
    """Print the tables asked for."""
    require_one_thread()
    warnings.simplefilter("ignore")
    small = PerUserFractions().prepare(PlantedSignal("order").load())
    for model in MODELS.values():  # loads the compiled loops, so that no fit below waits for them
        rank_held_out(copy.deepcopy(model).fit(small.train, Run(seed=0)), small.test, small.train.item_counts)
    np.seterr(all="raise", under="ignore")
    for name in sys.argv[1:] or SETS:
        print_table(name)


if __name__ == "__main__":
    main()
