"""GRU4Rec on MovieLens 1M beside the official PyTorch code: the same settings, targets per second, memory, quality.

    OMP_NUM_THREADS=1 ENCORE_DATA=... python -m speed.gru4rec [--official PYTHON CHECKOUT] [--epochs N]

Without --epochs it times training steps, on one thread by the CPU clock, the official code once before and once after
ours. With it, both train that many epochs and are asked after each for the last event of every user, the last two being
kept from training and all items ranked. Users are sessions; cross-entropy over the other targets of the batch and 2,048
drawn items, 256 sessions side by side, embedding 64, hidden 128, AdaGrad 0.05, no dropout.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_models.gru4rec import GRU4Rec, shared_sampling
from recsys_models.networks.network import Generators
from speed import peers
from speed.pairing import data_folder, machine, peak_memory, require_one_thread
from speed.train_gru import PROTOCOL, curve, told
from training.losses.softmax import SampledCrossEntropy
from training.run import Run

SETTINGS = {"dim": 128, "inputs": "separate", "embedding_dim": 64, "batch_size": 256, "learning_rate": 0.05,
            "loss": SampledCrossEntropy(num_negatives=2048, sampling=shared_sampling(0.5))}  # fmt: skip
NAME = "official GRU4Rec"


def step_rates(model, train, batches=160, warm=40):
    """Targets per second over each 20 batches, as the peer takes them."""
    generators = Generators.of(Run(0))
    network = model.network(train, generators).train()
    model.num_items_, model.loss_ = train.num_items, model.loss.over(train.item_counts, "cpu")
    optimiser = model.optimiser.over(network.parameters(), model.learning_rate, model.weight_decay)
    stamps = []
    for number, batch in enumerate(model.windows().batches(train.sequences, np.random.default_rng(0))):
        if number > warm + batches:
            break
        stamps.append((time.process_time(), len(batch.rows)))
        optimiser.zero_grad()
        model.objective(network, batch, generators.negatives)[0].backward()
        optimiser.step()
    return [
        sum(rows for _, rows in stamps[at : at + 20]) / (stamps[at + 20][0] - stamps[at][0])
        for at in range(warm, len(stamps) - 20, 20)
    ]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    parser.add_argument("--epochs", type=int, default=0)
    wanted = parser.parse_args()
    require_one_thread()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = MovieLens1MOrdered().load(data_folder())
    split = PROTOCOL.prepare(data)
    print(machine())
    print(f"{data.name}: {len(split.train):,} events, {split.train.num_items:,} items; load {os.getloadavg()[0]:.1f}")
    if wanted.official is None:
        print("The official code is not measured: give --official PYTHON CHECKOUT.")
    with tempfile.TemporaryDirectory() as name:
        folder = peers.write_events(data, Path(name))

        def official(*options):
            return peers.gru4rec(*wanted.official, folder, *options) if wanted.official else iter(())

        if wanted.epochs:
            curve(GRU4Rec(**SETTINGS, epochs=wanted.epochs, patience=wanted.epochs), split)
            for number, record in enumerate(official("--epochs", str(wanted.epochs)), 1):
                print(f"{NAME:22} epoch {number:2}: MRR@20 {record['mrr']:.4f} Recall@20 {record['recall']:.4f}, "
                      f"{record['seconds']:,.0f} CPU s", flush=True)  # fmt: skip
            return
        before = list(official())
        ours = told("GRU4Rec", step_rates(GRU4Rec(**SETTINGS), split.train), peak_memory())
        for when, run in zip(("before", "after"), [*before, *official()], strict=False):
            theirs = told(f"{NAME}, {when}", run["rates"], run["memory"])
            print(f"  targets/s: {ours / theirs:.2f} times the official code's")


if __name__ == "__main__":
    main()
