"""GRU and LSTM training compared with RecBole and the official GRU4Rec on MovieLens: speed, memory, accuracy.

    OMP_NUM_THREADS=1 python -m speed.train_gru [--data NAME] [--model GRU|LSTM] [--recbole PYTHON]
        [--recbole-learning-rate 1e-3] [--gru4rec PYTHON CHECKOUT]
        [--epochs N [--recbole-epochs N] [--gru4rec-epochs N]]

Without --epochs: the rate of training steps, on one thread by the CPU clock, each peer once before and once after ours.
With it: trains and prints, after every epoch, MRR@20 and Recall@20 on the last event of each user, ranked among all
items (the last two events are not in training): the same targets for each. Ours and RecBole stop after 10 epochs
without a better MRR@20 on the last event but one, RecBole's own rule, and print the best epoch by it again at the end.
Embedding 64, hidden 128, full softmax (the official GRU4Rec: 2,048 samples). Data: MovieLens 1M by default.
"""

import argparse
import dataclasses
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.ranking.rank import rank_held_out
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.protocols.per_user import LeaveLastOut
from recsys_models.networks.network import Generators
from recsys_models.rnn import GRU, LSTM
from speed import peers
from speed.timing import machine, peak_memory, prepare_torch
from training.run import Run

SETTINGS = {"learning_rate": 1e-2, "lr_decay": 0.75}
PATIENCE = 10  # epochs: RecBole's stopping_step
PROTOCOL = LeaveLastOut(unseen="candidate")


def time_steps(model, train, steps=60, warm=5):
    """Targets per second of each step, and median microseconds per target by stage."""
    generators = Generators.of(Run(0))
    network = model.network(train, generators).train()
    optimiser = model.optimiser.build(network.parameters(), model.learning_rate, model.weight_decay)
    names = ("windows", "network", "loss", "backward", "optimiser")
    taken, rates = [], []
    batches = model.batcher().batches(train.sequences, np.random.default_rng(0))
    for number in range(steps + warm):
        clock = [time.process_time()]
        batch = next(batches)
        at = np.flatnonzero(batch.target_mask)
        targets = torch.from_numpy(batch.targets.ravel()[at])
        clock.append(time.process_time())
        queries = network.encode_training(batch, torch.from_numpy(at))
        clock.append(time.process_time())
        loss = model.loss(queries, network.item_factors, network.item_bias, targets, generators.negatives)
        clock.append(time.process_time())
        optimiser.zero_grad()
        loss.backward()
        clock.append(time.process_time())
        optimiser.step()
        clock.append(time.process_time())
        if number >= warm:
            taken.append(np.diff(clock) / len(at) * 1e6)
            rates.append(len(at) / (clock[-1] - clock[0]))
    return rates, dict(zip(names, np.median(taken, axis=0), strict=True))


def print_rate(name, rates, memory):
    """Print the rate and memory of one side; return its median rate."""
    low, middle, high = statistics.quantiles(rates, n=4)
    print(f"{name:34} {middle:9,.0f} targets/s ({low:,.0f}-{high:,.0f}), peak {memory:5.0f} MB", flush=True)
    return middle


def compare(model, split, sides):
    """Time ours between two runs of each peer; print the ratios."""
    first = {name: next(run()) for name, run in sides.items()}
    rates, stages = time_steps(model, split.train)
    memory = peak_memory()
    last = {name: next(run()) for name, run in sides.items()}
    ours = print_rate(type(model).__name__, rates, memory)
    print("  microseconds a target: " + ", ".join(f"{name} {value:.1f}" for name, value in stages.items()))
    for name in sides:
        runs = (first[name], last[name])
        theirs = [print_rate(f"{name}, {when}", run["rates"], run["memory"])
                  for when, run in zip(("before", "after"), runs, strict=True)]  # fmt: skip
        most = max(run["memory"] for run in runs)
        print(f"  targets/s: {ours / max(theirs):.2f} to {ours / min(theirs):.2f} times {name}'s; "
              f"memory: {memory / most:.2f} of its")  # fmt: skip


def curve(model, split):
    """Train and print one record per epoch; return them. Evaluations are not timed."""
    paused, found, records = 0.0, {}, []

    def validate(fitted):
        nonlocal paused
        started = time.process_time()
        counts = split.train.item_counts
        found["validation"] = MRR(20).measure(rank_held_out(fitted, split.validation, counts))
        table = rank_held_out(fitted, split.test, counts)
        found.update(mrr=MRR(20).measure(table), recall=Recall(20).measure(table))
        paused += time.process_time() - started
        return found["validation"]

    def log(record):
        if record["event"] == "epoch":
            records.append({"epoch": record["epoch"], "seconds": time.process_time() - begun - paused, **found})
            print(_line(type(model).__name__, records[-1]), flush=True)

    begun = time.process_time()
    model.fit(split.train, Run(0, validate=validate, log=log))
    return records


def peer_curve(side, records):
    """Print a peer's records as they arrive; return them numbered from 1."""
    numbered = []
    for number, record in enumerate(records, 1):
        numbered.append(record | {"epoch": number})
        print(_line(side, numbered[-1]), flush=True)
    return numbered


def best(name, records):
    """Print the epoch with the best validation score, if there was validation."""
    validated = [record for record in records if "validation" in record]
    if validated:
        print("best by validation: " + _line(name, max(validated, key=lambda record: record["validation"])), flush=True)


def _line(name, record):
    validation = f" (validation MRR@20 {record['validation']:.4f})" if "validation" in record else ""
    return (f"{name:22} epoch {record['epoch']:2}: MRR@20 {record['mrr']:.4f} Recall@20 {record['recall']:.4f}"
            f"{validation}, {record['seconds']:,.0f} CPU s")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=0)
    for peer in ("recbole", "gru4rec"):
        parser.add_argument(f"--{peer}-epochs", type=int, help="as many as ours unless given")
    parser.add_argument("--data", choices=sorted(DATASETS), default="ml-1m-ordered")
    parser.add_argument("--model", choices=["GRU", "LSTM"], default="GRU")
    parser.add_argument("--recbole", metavar="PYTHON")
    parser.add_argument("--recbole-learning-rate", type=float, default=1e-3, help="RecBole's own default: 0.001")
    parser.add_argument("--gru4rec", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    options = parser.parse_args()
    prepare_torch()
    data = DATASETS[options.data].load()
    split = PROTOCOL.prepare(data)
    chosen = {"GRU": GRU, "LSTM": LSTM}[options.model](**SETTINGS)
    print(machine())
    print(f"{data.name}: {len(split.train):,} targets, {split.train.num_items:,} items; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder, sides = Path(name), {}
        if options.gru4rec:
            sides["official GRU4Rec"] = lambda *epochs: peers.gru4rec(*options.gru4rec, folder, *epochs)
        if options.recbole:
            rate = ["--learning-rate", str(options.recbole_learning_rate)]
            sides["RecBole GRU4Rec"] = lambda *epochs: peers.recbole(options.recbole, folder, "GRU4Rec", *rate, *epochs)
        if sides:
            peers.write_events(data, folder)
        if not options.epochs:
            compare(chosen, split, sides)
        else:
            fitted = dataclasses.replace(chosen, epochs=options.epochs, patience=PATIENCE)
            curves = {options.model: curve(fitted, split)}
            epochs = {"official GRU4Rec": options.gru4rec_epochs, "RecBole GRU4Rec": options.recbole_epochs}
            for side, run in sides.items():
                curves[side] = peer_curve(side, run("--epochs", str(epochs[side] or options.epochs)))
            for side, records in curves.items():
                best(side, records)
