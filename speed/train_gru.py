"""GRU and LSTM training on MovieLens 1M: targets per second by stages, peak memory, and the curve if asked.

    OMP_NUM_THREADS=1 ENCORE_DATA=... python speed/train_gru.py [--epochs N] [--model GRU|LSTM]

Without --epochs it times the first 40 steps, on one thread by the CPU clock. With it, it trains on the first 90 % of
each user and prints MRR@20 and Recall@20 on the next 5 %, every position ranked against all items, after each epoch.
"""

import argparse
import dataclasses
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from evaluation.metrics import MRR, Recall
from evaluation.ranking import rank_held_out
from recsys_data.movielens import MovieLens1MOrdered
from recsys_data.protocols import PerUserFractions
from recsys_models.next_item import Generators
from recsys_models.rnn import GRU, LSTM
from speed.pairing import data_folder, peak_memory, require_one_thread
from training.run import Run

SETTINGS = {"learning_rate": 1e-2, "decay": 0.75, "patience": 2}


def time_steps(model, train, steps=40, warm=5):
    """Print microseconds a target for each stage of a training step."""
    generators = Generators.of(Run(0))
    network = model.network(train, generators).train()
    optimiser = model.optimiser.over(network.parameters(), model.learning_rate, model.weight_decay)
    stages = {"windows": [], "network": [], "loss": [], "backward": [], "optimiser": [], "all": []}
    batches = model.windows().batches(train.sequences, np.random.default_rng(0))
    for number in range(steps + warm):
        clock = [time.process_time()]
        batch = next(batches)
        at = np.flatnonzero(batch.real)
        targets = torch.from_numpy(batch.targets.ravel()[at])
        clock.append(time.process_time())
        queries = network.training_queries(batch, torch.from_numpy(at))
        clock.append(time.process_time())
        loss = model.loss(queries, network.item_factors, network.item_bias, targets, generators.negatives)
        clock.append(time.process_time())
        optimiser.zero_grad()
        loss.backward()
        clock.append(time.process_time())
        optimiser.step()
        clock.append(time.process_time())
        if number >= warm:
            for name, seconds in zip(stages, [*np.diff(clock), clock[-1] - clock[0]], strict=True):
                stages[name].append(seconds / len(at) * 1e6)
    parts = ", ".join(f"{name} {statistics.median(values):.1f}" for name, values in stages.items())
    rates = [1e6 / value for value in stages["all"]]
    low, middle, high = statistics.quantiles(rates, n=4)
    print(f"{type(model).__name__}: {middle:,.0f} targets/s ({low:,.0f}-{high:,.0f}); microseconds a target: {parts}")


def curve(model, split):
    """Train, printing a line an epoch."""

    def validate(fitted):
        table = rank_held_out(fitted, split.validation, split.train.item_counts)
        print(f"  MRR@20 {MRR(20).measure(table):.4f} Recall@20 {Recall(20).measure(table):.4f}", end=" ")
        return MRR(20).measure(table)

    def log(record):
        print(f"epoch {record['epoch']}: loss {record['loss']:.3f}, {record['targets_per_second']:,.0f} targets/s, "
              f"validation at {time.process_time() - begun:.0f} CPU s", flush=True)  # fmt: skip

    begun = time.process_time()
    model.fit(split.train, Run(0, validate=validate, log=log))
    table = rank_held_out(model, split.test, split.train.item_counts)
    print(f"test: MRR@20 {MRR(20).measure(table):.4f} Recall@20 {Recall(20).measure(table):.4f}; best epoch "
          f"{model.best_epoch_}, stopped by {model.stopped_}, {time.process_time() - begun:.0f} CPU s")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--model", choices=["GRU", "LSTM"], default="GRU")
    wanted = parser.parse_args()
    require_one_thread()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    split = PerUserFractions(train=0.9, validation=0.05, test=0.05).prepare(MovieLens1MOrdered().load(data_folder()))
    chosen = {"GRU": GRU, "LSTM": LSTM}[wanted.model](**SETTINGS)
    print(f"{len(split.train):,} targets, {split.train.num_items:,} items; CPU clock, load {os.getloadavg()[0]:.1f}")
    if wanted.epochs:
        curve(dataclasses.replace(chosen, epochs=wanted.epochs), split)
    else:
        time_steps(chosen, split.train)
    print(f"peak memory {peak_memory():.0f} MB")
