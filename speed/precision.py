"""Training steps in bfloat16 compared with float32: the GRU of suite ml1m, and STAMP as released on YooChoose 1/64.

    OMP_NUM_THREADS=1 python -m speed.precision [--steps N]

Both precisions take each step of the first epoch in turn, from the same first weights, on one thread by the CPU clock:
loss, backward pass and optimiser. Prints targets/s over all steps, the median ratio of a step and its quartiles; for
STAMP also by the number of targets of a step, since its batches of equal lengths have from 1 to 512. A CPU without
bfloat16 instructions shows rounded factors.
"""

import argparse
import os
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import numpy as np

from harness.spec import Experiment
from recsys_models.networks.network import Generators
from speed.timing import machine, prepare_torch
from suites import ml1m, stamp
from training.precision import BFLOAT16, FLOAT32, products_by, products_in
from training.run import Run

PAIR = (FLOAT32, BFLOAT16)
SIZES = (1, 16, 64, 128, 256, 513)  # targets of a step: bounds of the groups


class Steps:
    """The training steps of one model in one precision."""

    def __init__(self, model: Any, train: Any, precision: str) -> None:
        self.model, self.precision, self.generators = model, precision, Generators.of(Run(0))
        model.loss_ = model.loss.with_counts(train.item_counts, "cpu")
        self.network = model.network(train, self.generators).train()
        self.optimiser = model.optimiser.build(self.network.parameters(), model.learning_rate, model.weight_decay)

    def take(self, batch: Any) -> tuple[float, int]:
        """Take one step; return its CPU seconds and targets."""
        started = time.process_time()
        self.optimiser.zero_grad(set_to_none=True)
        with products_in(self.precision, "cpu"):
            loss, targets = self.model.objective(self.network, batch, self.generators.negatives)
            loss.backward()
        if self.model.control.clip is not None:
            self.model.control.clip.apply(list(self.network.parameters()))
        self.optimiser.step()
        return time.process_time() - started, targets


def measure(model: Any, train: Any, steps: int, warm: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """CPU seconds (steps, 2) in each precision, and targets (steps,)."""
    both = [Steps(model, train, precision) for precision in PAIR]
    found: Iterator[Any] = model.batcher().batches(train.sequences, np.random.default_rng(0))
    rows = [[side.take(batch) for side in both] for batch in islice(found, steps + warm)][warm:]
    return np.array([[seconds for seconds, _ in row] for row in rows]), np.array([row[0][1] for row in rows])


def show(name: str, seconds: np.ndarray, targets: np.ndarray) -> None:
    """Print one line: targets/s of each precision, the ratio over all steps and the quartiles of a step's."""
    rates = targets.sum() / seconds.sum(axis=0)
    low, middle, high = np.quantile(seconds[:, 0] / seconds[:, 1], (0.25, 0.5, 0.75))
    print(f"{name:28} {len(targets):5} steps  float32 {rates[0]:9,.0f}  bfloat16 {rates[1]:9,.0f} targets/s  "
          f"all {rates[1] / rates[0]:.2f}  a step {middle:.2f} ({low:.2f}-{high:.2f})", flush=True)  # fmt: skip


def chosen(experiments: tuple[Experiment, ...], data: str, label: str, model: str) -> tuple[Any, Any]:
    """A suite's model and its training set, by the names of the data and the model and the label of the protocol."""
    for each in experiments:
        if each.dataset.name == data and each.label == label:
            return each.models[model], each.protocol.prepare(each.dataset.load()).train
    raise LookupError(f"no experiment on {data} with the protocol {label!r}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    prepare_torch()
    print(f"{machine()}; bfloat16 products by {products_by(BFLOAT16, 'cpu')}; load {os.getloadavg()[0]:.1f}")
    show("GRU, ML-1M", *measure(*chosen(ml1m.SUITE.experiments, "ml-1m-ordered", "", "GRU"), options.steps))
    released = chosen(stamp.SUITE.experiments, "yoochoose-1-64", "as published", "STAMP")
    seconds, targets = measure(*released, 4 * options.steps)
    show("STAMP, YooChoose 1/64", seconds, targets)
    for low, high in pairwise(SIZES):
        some = (targets >= low) & (targets < high)
        if some.any():
            show(f"  steps of {low} to {high - 1} targets", seconds[some], targets[some])


if __name__ == "__main__":
    main()
