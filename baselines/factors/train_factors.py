"""Training of factor models: NumPy arrays changed in place by stochastic steps, inside training's epoch loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from baselines.factors.negatives import CHUNK, NegativeSampler
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet
from training.control.stopping import Patience
from training.run import Run

if TYPE_CHECKING:
    import torch

    from training import checkpoint, epochs
    from training.control import guard
    from training.control.progress import Progress
else:
    torch, guard = LazyModule("torch"), LazyModule("training.control.guard")
    checkpoint, epochs = LazyModule("training.checkpoint"), LazyModule("training.epochs")

Positives = Literal["shuffled", "with_replacement", "users"]
STEP = 1 << 16  # positives per kernel call


def factor_rows(train: TrainingSet) -> tuple[np.ndarray, int]:
    """The factor row of each sequence (S,) and the number of rows; anonymous sequences come after the known users."""
    users = train.sequences.users.astype(np.int64)
    anonymous = users < 0
    rows = np.where(anonymous, train.num_users + np.cumsum(anonymous) - 1, users)
    return rows, train.num_users + int(anonymous.sum())


def draw_positives(positives: Positives, rows: np.ndarray, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield one epoch of instance numbers, as many as there are instances, in chunks of at most STEP.

    "shuffled": each once; "with_replacement": each draw uniform; "users": a uniform row among those with instances,
    then one of its instances. rows (E,): the factor row of each instance.
    """
    count = len(rows)
    if positives == "shuffled":
        order = generator.permutation(count)
    elif positives == "users":
        by_row = np.argsort(rows, kind="stable")
        starts = np.flatnonzero(np.diff(rows[by_row], prepend=-1))
        lengths = np.diff(starts, append=count)
    for start in range(0, count, STEP):
        size = min(STEP, count - start)
        if positives == "shuffled":
            yield order[start : start + size]
        elif positives == "with_replacement":
            yield generator.integers(0, count, size)
        else:
            row = generator.integers(0, len(starts), size)
            yield by_row[starts[row] + (generator.random(size) * lengths[row]).astype(np.int64)]


def train_factors(
    model: Any,
    run: Run,
    factors: Mapping[str, np.ndarray],
    sampler: NegativeSampler,
    rows: np.ndarray,
    take_steps: Callable[[np.ndarray], tuple[float, int]],
) -> None:
    """Train ``factors`` in place for at most ``model.epochs`` epochs.

    sampler: its generator draws the positives too. rows (E,): the factor row of each instance. take_steps(chosen) takes
    one step for each of the instance numbers ``chosen`` and returns the loss sum and the number of steps taken.
    With ``model.patience`` and ``run.validate`` the factors of the best epoch are kept and training stops after
    ``patience`` epochs without a better one; otherwise all epochs run and the last factors are kept. An interrupted
    fit resumes after the last whole epoch with the same bits. Sets the attributes that train_epochs sets.
    """
    stopping = None if model.patience is None else Patience(model.patience)
    epochs.EpochLoop(
        model, run, _FactorLearner(model, factors, rows, sampler, take_steps), model.epochs, stopping
    ).fit()


@dataclass
class _FactorLearner:
    """The factors of a model and the steps that change them, as an EpochLoop trains them."""

    model: Any
    factors: Mapping[str, np.ndarray]
    rows: np.ndarray
    sampler: NegativeSampler
    take_steps: Callable[[np.ndarray], tuple[float, int]]

    @property
    def learning_rate(self) -> float:
        """The model's constant rate."""
        return self.model.learning_rate

    def weights(self) -> dict[str, torch.Tensor]:
        """The factors as tensors that share their memory."""
        return {name: torch.from_numpy(array) for name, array in self.factors.items()}

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Copy ``weights`` into the factors."""
        for name, array in self.factors.items():
            array[...] = weights[name].numpy()

    def state(self, inside_epoch: bool) -> dict[str, Any]:
        """The generator; the sampler starts every epoch anew."""
        return {"generator": checkpoint.generator_state(self.sampler.generator)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Set the generator."""
        checkpoint.restore_generator(self.sampler.generator, state["generator"])

    def steps(self, progress: Progress) -> Iterator[None]:
        """Take the steps of one epoch; yield once, at its end."""
        self.sampler.begin_epoch()
        for drawn in draw_positives(self.model.positives, self.rows, self.sampler.generator):
            size = CHUNK if self.sampler.negatives.adaptive else len(drawn)
            for start in range(0, len(drawn), size):
                loss, count = self.take_steps(drawn[start : start + size])
                progress.loss_sum += loss
                progress.targets += count
                progress.step += count
                progress.iteration += count
        yield

    def check_losses(self, progress: Progress) -> None:
        """Raise Diverged if the sum of the losses is not finite."""
        if not math.isfinite(progress.loss_sum):
            raise guard.Diverged(
                f"epoch {progress.epoch + 1}: the loss is {progress.loss_sum}; "
                f"try a learning_rate below {self.learning_rate:g}"
            )

    def end_epoch(self) -> None:
        """Leave the learning rate as it is."""
