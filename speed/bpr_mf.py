"""BPR-MF compared with implicit on MovieLens 1M: training with negative sampling, and full ranking.

``OMP_NUM_THREADS=1 python -m speed.bpr_mf``
"""

from __future__ import annotations

import warnings

import numpy as np
from implicit.bpr import BayesianPersonalizedRanking

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.negatives import Negatives
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.protocols.candidates import UNSEEN_ITEMS_ONLY
from recsys_data.protocols.per_user import LeaveLastOut
from speed.item_knn import matrices, rates
from speed.timing import in_turn, peak_memory, ratios, require_one_thread, spread
from training.run import Run

EPOCHS = 10
DIM = 64


def main() -> None:
    """Print the comparison."""
    split = LeaveLastOut(candidates=UNSEEN_ITEMS_ONLY).prepare(MovieLens1MOrdered().load())
    train, _ = matrices(split)
    ours = {
        "popular negatives, skipped where seen (implicit's way)": BPRMF(
            dim=DIM, epochs=EPOCHS, learning_rate=0.01, reg_user=0.01, reg_positive=0.01, reg_negative=0.01,
            reg_bias=0.01, positives="with_replacement", negatives=Negatives("popularity", refused="skip"),
            init="uniform", init_scale=0.5 / DIM,
        ),
        "uniform negatives, redrawn where seen": BPRMF(dim=DIM, epochs=EPOCHS),
    }  # fmt: skip
    peer = BayesianPersonalizedRanking(DIM, iterations=EPOCHS, num_threads=1, random_state=1, use_gpu=False)
    peer.fit(train, show_progress=False)
    print(f"BPR-MF, {DIM} factors, {EPOCHS} epochs of {len(split.train):,} events, whole fit, CPU clock, 1 thread")
    for name, model in ours.items():
        mine, theirs = in_turn([
            lambda model=model: model.fit(split.train, Run(0)), lambda: peer.fit(train, show_progress=False),
        ])  # fmt: skip
        mine, theirs = ([EPOCHS * len(split.train) / t for t in times] for times in (mine, theirs))
        print(f"  {name}: ours {spread(mine)} events/s, implicit {spread(theirs)}, ratio {ratios(mine, theirs)}")
    first = model.item_factors_.copy()
    print(f"  fitted again, equal bits: {np.array_equal(first, model.fit(split.train, Run(0)).item_factors_)}")
    print(f"full ranking: {rates(model, peer, split, split.test)}")
    print(f"peak memory {peak_memory():.0f} MB")


if __name__ == "__main__":
    require_one_thread()
    warnings.simplefilter("ignore")
    main()
