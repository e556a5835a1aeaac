"""Session-kNN on all test events of Diginetica, one thread; the target is at most 60 seconds.

    OMP_NUM_THREADS=1 python -m speed.session_knn

session-rec, the library to compare with, is not installed here.
"""

from __future__ import annotations

from baselines.neighbours.session_knn import SessionKNN, VectorSessionKNN
from evaluation.ranking.rank import rank_held_out
from recsys_data.datasets.diginetica import Diginetica
from recsys_data.protocols.published import AsPublished
from speed.timing import in_turn, peak_memory, require_one_thread, spread
from training.run import Run


def main() -> None:
    """Print the CPU seconds of both forms."""
    split = AsPublished(validation=0).prepare(Diginetica().load())
    print(f"{len(split.test):,} test events, {split.train.num_items:,} items, CPU s, 1 thread")
    for model in (SessionKNN(sampling="listed_last"), VectorSessionKNN(sampling="listed_last")):
        fit, rank = in_turn([
            lambda model=model: model.fit(split.train, Run(0)),
            lambda model=model: rank_held_out(model, split.test, split.train.item_counts),
        ], rounds=3)  # fmt: skip
        print(f"{type(model).__name__}: fit {spread(fit)}, all ranks {spread(rank)}, 60 s allowed")
    print(f"peak memory {peak_memory():.0f} MB")


if __name__ == "__main__":
    require_one_thread()
    main()
