"""STAMP training on MovieLens 1M beside RecBole's STAMP: targets per second by stages, and the most memory held.

    OMP_NUM_THREADS=1 ENCORE_DATA=... python -m speed.stamp [--recbole PYTHON] [--variant recbole|recbole_masked|…]
        [--batches sessions|prefixes]

One thread, the CPU clock; RecBole once before and once after ours, on the same events: leave-last-out, 64 dimensions,
the last 50 events read, 2,048 targets a step, full softmax, Adam. "prefixes" are RecBole's batches, each prefix read
on its own; "sessions" reads those of a history side by side. PYTHON is an interpreter that has RecBole.
"""

import argparse
import os
import tempfile
from pathlib import Path

import torch

from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_models.stamp import BATCHES, STAMP, VARIANTS
from speed import peers
from speed.pairing import data_folder, machine, require_one_thread
from speed.train_gru import PROTOCOL, beside

SETTINGS = {"dim": 64, "max_len": 50, "batch_size": 2048, "learning_rate": 1e-3}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recbole", metavar="PYTHON")
    parser.add_argument("--variant", choices=VARIANTS, default="recbole")
    parser.add_argument("--batches", choices=BATCHES, default="sessions")
    wanted = parser.parse_args()
    require_one_thread()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = MovieLens1MOrdered().load(data_folder())
    split = PROTOCOL.prepare(data)
    print(machine())
    print(f"{data.name}: {len(split.train):,} events, {split.train.num_items:,} items; load {os.getloadavg()[0]:.1f}; "
          f"variant {wanted.variant}, batches {wanted.batches}")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        sides = {}
        if wanted.recbole:
            folder = peers.write_events(data, Path(name))
            sides["RecBole STAMP"] = lambda *epochs: peers.recbole(wanted.recbole, folder, "STAMP", *epochs)
        beside(STAMP(variant=wanted.variant, batches=wanted.batches, **SETTINGS), split, sides)


if __name__ == "__main__":
    main()
