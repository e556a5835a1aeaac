"""Training steps in bfloat16 compared with float32: the GRU of suite ml1m, and STAMP as released on YooChoose 1/64.

    OMP_NUM_THREADS=1 python -m speed.precision [--steps N]

Both precisions take the same steps of the first epoch, one after the other in each of several rounds, from the same
first weights, on one thread by the CPU clock: loss, backward pass and optimiser. A first round, in which libraries
prepare for shapes that they have not seen, is not counted. Prints targets/s, the least and the most of a round, and for
STAMP the ratio by the number of targets of a step, since its batches of equal lengths have from 1 to 512. A CPU without
bfloat16 instructions shows rounded factors.
"""

import argparse
import os
import time
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


def measure(model: Any, train: Any, steps: int, rounds: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """CPU seconds (rounds, 2, steps) in each precision, and targets (steps,)."""
    batches = list(islice(model.batcher().batches(train.sequences, np.random.default_rng(0)), steps))
    both = [Steps(model, train, precision) for precision in PAIR]
    found = [[[side.take(batch) for batch in batches] for side in both] for _ in range(rounds + 1)]
    return np.array(found)[1:, :, :, 0], np.array([targets for _, targets in found[0][0]])


def show(name: str, seconds: np.ndarray, targets: np.ndarray) -> None:
    """Print one line: the targets/s of each precision and their ratio, with the least and the most of a round."""
    rates = targets.sum() / seconds.sum(axis=2)  # (rounds, 2)
    ratios = rates[:, 1] / rates[:, 0]
    middle = np.median(rates, axis=0)
    print(f"{name:32} {len(targets):4} steps  float32 {middle[0]:7,.0f}  bfloat16 {middle[1]:7,.0f} targets/s  "
          f"ratio {np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})", flush=True)  # fmt: skip


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
            show(f"  steps of {low} to {high - 1} targets", seconds[:, :, some], targets[some])


if __name__ == "__main__":
    main()
