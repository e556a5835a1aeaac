"""GRU4Rec compared with the official PyTorch code on MovieLens 1M, same settings: targets per second, memory, accuracy.

    OMP_NUM_THREADS=1 python -m speed.gru4rec [--official PYTHON CHECKOUT] [--epochs N]

Without --epochs: the rate of training steps, on one thread by the CPU clock; the official code once before and once
after ours. With it: both train that many epochs, and after each the last event of every user is ranked among all items
(the last two events are not in training). Users are sessions; cross-entropy over the other targets of the batch and
2,048 sampled items, 256 parallel sessions, embedding 64, hidden 128, AdaGrad 0.05, no dropout.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_models.gru4rec import GRU4Rec, shared_sampling
from recsys_models.networks.network import Generators
from speed import peers
from speed.timing import machine, peak_memory, prepare_torch
from speed.train_gru import PROTOCOL, curve, print_rate
from training.losses.softmax import SampledCrossEntropy
from training.run import Run

SETTINGS = {"dim": 128, "inputs": "separate", "embedding_dim": 64, "batch_size": 256, "learning_rate": 0.05,
            "loss": SampledCrossEntropy(num_negatives=2048, sampling=shared_sampling(0.5))}  # fmt: skip
NAME = "official GRU4Rec"


def step_rates(model, train, batches=160, warm=40):
    """Targets per second over each 20 batches, as in gru4rec_peer.py."""
    generators = Generators.of(Run(0))
    network = model.network(train, generators).train()
    model.num_items_, model.loss_ = train.num_items, model.loss.over(train.item_counts, "cpu")
    optimiser = model.optimiser.build(network.parameters(), model.learning_rate, model.weight_decay)
    times = []
    for number, batch in enumerate(model.batcher().batches(train.sequences, np.random.default_rng(0))):
        if number > warm + batches:
            break
        times.append((time.process_time(), len(batch.rows)))
        optimiser.zero_grad()
        model.objective(network, batch, generators.negatives)[0].backward()
        optimiser.step()
    return [
        sum(rows for _, rows in times[at : at + 20]) / (times[at + 20][0] - times[at][0])
        for at in range(warm, len(times) - 20, 20)
    ]


def main() -> None:
    """Print rates, or accuracy per epoch with --epochs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    parser.add_argument("--epochs", type=int, default=0)
    options = parser.parse_args()
    prepare_torch()
    data = MovieLens1MOrdered().load()
    split = PROTOCOL.prepare(data)
    print(machine())
    print(f"{data.name}: {len(split.train):,} events, {split.train.num_items:,} items; load {os.getloadavg()[0]:.1f}")
    if options.official is None:
        print("The official code is not measured: give --official PYTHON CHECKOUT.")
    with tempfile.TemporaryDirectory() as name:
        folder = peers.write_events(data, Path(name))

        def official(*arguments):
            return peers.gru4rec(*options.official, folder, *arguments) if options.official else iter(())

        if options.epochs:
            curve(GRU4Rec(**SETTINGS, epochs=options.epochs, patience=options.epochs), split)
            for number, record in enumerate(official("--epochs", str(options.epochs)), 1):
                print(f"{NAME:22} epoch {number:2}: MRR@20 {record['mrr']:.4f} Recall@20 {record['recall']:.4f}, "
                      f"{record['seconds']:,.0f} CPU s", flush=True)  # fmt: skip
            return
        before = list(official())
        ours = print_rate("GRU4Rec", step_rates(GRU4Rec(**SETTINGS), split.train), peak_memory())
        for when, run in zip(("before", "after"), [*before, *official()], strict=False):
            theirs = print_rate(f"{NAME}, {when}", run["rates"], run["memory"])
            print(f"  targets/s: {ours / theirs:.2f} times the official code's")


if __name__ == "__main__":
    main()
