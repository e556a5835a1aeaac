"""Item-kNN compared with implicit on MovieLens 1M: fit, equality of the lists, full ranking.

    OMP_NUM_THREADS=1 python -m speed.item_knn [--large]

--large instead fits data of Last.fm's size (a million items, 17 million events) and prints time and memory.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import scipy.sparse as sp
from implicit.evaluation import ranking_metrics_at_k
from implicit.nearest_neighbours import CosineRecommender

from baselines.neighbours.item_knn import Cosine, ItemKNN
from evaluation.metrics.accuracy import Recall
from evaluation.ranking.rank import rank_held_out
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.interactions import Clock
from recsys_data.protocols.candidates import UNSEEN_ITEMS_ONLY
from recsys_data.protocols.per_user import LeaveLastOut
from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut, Split, TrainingSet
from speed.timing import in_turn, peak_memory, ratios, require_one_thread, seconds, spread
from training.run import Run


def matrices(split: Split) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Training and test events as binary user × item matrices for implicit."""
    train, test = split.train, split.test
    shape = (train.num_users, train.num_items)
    owners = train.sequences.users[train.sequences.owners()]
    known = test.targets >= 0
    users = test.sequences.users[test.sequence_of]
    both = []
    for rows, items in ((owners, train.sequences.items), (users[known], test.targets[known])):
        both.append(sp.csr_matrix((np.ones(len(rows), np.float32), (rows, items)), shape))
    return both[0], both[1]


def unequal_lists(model: ItemKNN, peer: CosineRecommender) -> int:
    """Count the lists of ``model`` that differ from the peer's in a weight (by more than 1e-6) or in length."""
    differing = 0
    for i in range(model.lists_.num_items):
        ours = np.array([weight for _, weight in model.lists_.of(i)])
        theirs = np.sort(peer.similarity[i].data)[::-1]
        theirs = theirs[theirs > 0]
        differing += len(ours) != len(theirs) or not np.allclose(ours, theirs, atol=1e-6)
    return differing


def rates(model: object, peer: object, split: Split, held_out: HeldOut) -> str:
    """Format the full-ranking rates of both, measured in turn."""
    train, test = matrices(split)
    ours, theirs = in_turn([
        lambda: rank_held_out(model, held_out, split.train.item_counts),
        lambda: ranking_metrics_at_k(peer, train, test, K=10, show_progress=False, num_threads=1),
    ])  # fmt: skip
    mine, other = ([len(held_out) / t for t in times] for times in (ours, theirs))
    return f"ours {spread(mine)} events/s, implicit {spread(other)}, ratio {ratios(mine, other)}"


def movielens() -> None:
    """Print the comparison on MovieLens 1M, last events held out."""
    split = LeaveLastOut(candidates=UNSEEN_ITEMS_ONLY).prepare(MovieLens1MOrdered().load())
    train, _ = matrices(split)
    model = ItemKNN(similarity=Cosine(shrinkage=0.0), self_similarity="full")
    peer = CosineRecommender(K=100, num_threads=1)
    ours, theirs = in_turn([
        lambda: model.fit(split.train, Run(0)), lambda: peer.fit(train, show_progress=False),
    ])  # fmt: skip
    print(f"fit, exact top 100, {len(split.train):,} events, {split.train.num_items:,} items, CPU s, 1 thread")
    print(f"  ours {spread(ours)}, implicit {spread(theirs)}, ratio {ratios(ours, theirs)}")
    print(f"  lists that differ: {unequal_lists(model, peer)} of {split.train.num_items:,}")
    print("full ranking of the last event of each user (ours: rank and ties of every target; implicit: top 10)")
    print(f"  {rates(model, peer, split, split.test)}")
    ranks = rank_held_out(model, split.test, split.train.item_counts)
    print(f"  Recall@10 of ours {Recall(10).measure(ranks):.4f}; peak memory {peak_memory():.0f} MB")


def large() -> None:
    """Print time and memory of a fit at Last.fm's size."""
    generator, num_items, length, num_users = np.random.default_rng(0), 1_000_000, 170, 100_000
    items = (num_items * generator.random(num_users * length) ** 3).astype(np.int32)  # few popular, many rare
    offsets = np.arange(num_users + 1) * length
    sequences = Sequences(items, np.arange(len(items), dtype=float), offsets, np.arange(num_users, dtype=np.int32))
    train = TrainingSet(sequences, num_users=num_users, num_items=num_items, clock=Clock.WITHIN)
    before = peak_memory()
    took = seconds(lambda: ItemKNN().fit(train, Run(0)))
    print(f"{len(items):,} events, {num_items:,} items, {num_users:,} users of {length} events: {took:.1f} CPU s")
    print(f"peak memory {peak_memory():.0f} MB, of which {before:.0f} MB before the fit")


if __name__ == "__main__":
    require_one_thread()
    warnings.simplefilter("ignore")
    large() if "--large" in sys.argv else movielens()
