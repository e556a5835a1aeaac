"""STAMP training compared with RecBole's STAMP on MovieLens 1M: targets per second by stage, and peak memory.

    OMP_NUM_THREADS=1 python -m speed.stamp [--recbole PYTHON] [--variant recbole|recbole_masked|…]
        [--batches sessions|prefixes]

One thread, the CPU clock; RecBole once before and once after ours, on the same events: leave-last-out, 64 dimensions,
the last 50 events, 2,048 targets per step, full softmax, Adam. "prefixes" are RecBole's batches, each prefix read on
its own; "sessions" reads all prefixes of a history together. PYTHON is an interpreter with RecBole.
"""

import argparse
import os
import tempfile
from pathlib import Path

from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_models.stamp import BATCHES, STAMP, VARIANTS
from speed import peers
from speed.timing import machine, prepare_torch
from speed.train_gru import PROTOCOL, compare

SETTINGS = {"dim": 64, "max_len": 50, "batch_size": 2048, "learning_rate": 1e-3}


def main() -> None:
    """Print the rates of both sides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recbole", metavar="PYTHON")
    parser.add_argument("--variant", choices=VARIANTS, default="recbole")
    parser.add_argument("--batches", choices=BATCHES, default="sessions")
    options = parser.parse_args()
    prepare_torch()
    data = MovieLens1MOrdered().load()
    split = PROTOCOL.prepare(data)
    print(machine())
    print(f"{data.name}: {len(split.train):,} events, {split.train.num_items:,} items; load {os.getloadavg()[0]:.1f}; "
          f"variant {options.variant}, batches {options.batches}")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        sides = {}
        if options.recbole:
            folder = peers.write_events(data, Path(name))
            sides["RecBole STAMP"] = lambda *epochs: peers.recbole(options.recbole, folder, "STAMP", *epochs)
        compare(STAMP(variant=options.variant, batches=options.batches, **SETTINGS), split, sides)


if __name__ == "__main__":
    main()
