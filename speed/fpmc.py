"""FPMC and sequential MF (a reconstruction) compared with RecBole's FPMC on MovieLens 1M: training events per second.

    OMP_NUM_THREADS=1 python -m speed.fpmc [--recbole PYTHON]

One thread, the CPU clock, 64 factors on each side. Ours: whole fits of two epochs with their sampling. RecBole, once
before and once after ours: its training steps of 2,048 events with sampling and loading, after warm-up.
"""

import argparse
import tempfile
from pathlib import Path

from baselines.factors.fpmc import FPMC
from baselines.factors.sequential_mf import SequentialMF
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.protocols.per_user import LeaveLastOut
from speed import peers
from speed.timing import in_turn, machine, peak_memory, require_one_thread, spread
from training.run import Run

MODELS = {
    "FPMC 64 + 64": FPMC(dim=64, chain_dim=64, epochs=2),
    "sequential MF, shared (reconstruction)": SequentialMF(dim=64, epochs=2),
    "sequential MF, separate (reconstruction)": SequentialMF("separate", dim=64, epochs=2),
}


def main() -> None:
    """Print the rates of all models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recbole", metavar="PYTHON", help="an interpreter that has RecBole")
    options = parser.parse_args()
    require_one_thread()
    data = MovieLens1MOrdered().load()
    train = LeaveLastOut().prepare(data).train
    print(f"{machine()}; {len(train):,} events, {train.num_items:,} items")
    theirs, ours = [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = peers.write_events(data, Path(name))

        def measure_recbole() -> None:
            if options.recbole:
                (record,) = peers.recbole(options.recbole, folder, "FPMC", "--pairwise", "--steps", "12")
                theirs.extend(record["rates"])

        measure_recbole()
        for label, model in MODELS.items():
            (times,) = in_turn([lambda model=model: model.fit(train, Run(0))], rounds=3)
            ours[label] = [2 * len(train) / t for t in times]
        measure_recbole()
    for label, rates in ours.items():
        print(f"{label}: {spread(rates)} events/s")
    if theirs:
        print(f"RecBole FPMC: {spread(theirs)} events/s; FPMC {min(ours['FPMC 64 + 64']) / max(theirs):.0f} to "
              f"{max(ours['FPMC 64 + 64']) / min(theirs):.0f} times its rate")  # fmt: skip
    print(f"peak memory {peak_memory():.0f} MB")


if __name__ == "__main__":
    main()
