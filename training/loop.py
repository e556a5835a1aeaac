"""Training of a network by steps of an optimiser, inside the epoch loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import nn

from training.checkpoint import Generator, generator_state, restore_generator
from training.control.clipping import ClipNorm, ClipTensor, ClipValue
from training.control.fit_control import FitControl
from training.control.guard import LossGuard
from training.control.progress import Progress
from training.control.stopping import Patience
from training.epochs import EpochLoop
from training.precision import products_in
from training.run import Run


def train_epochs(
    model: Any,
    run: Run,
    *,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: Callable[[int], Iterable[Any]],
    loss: Callable[[Any], tuple[torch.Tensor, int]],
    generators: Mapping[str, Generator],
    epochs: int,
    patience: int = 3,
    lr_decay: float = 1.0,
    control: FitControl | None = None,
) -> None:
    """Train ``network`` for at most ``epochs`` epochs, leaving it with the weights that ``control`` wants kept.

    batches(epoch) gives the batches of an epoch (from 1); loss(batch) gives the mean loss of a batch and the number
    of targets in it. ``run.validate(model)`` judges the weights, after every epoch unless ``control`` says when else;
    after ``patience`` evaluations in a row without a new best, or as ``control.stopping`` says, the training stops.
    Where ``run.validate`` is None all epochs are run and the last weights stay. Every epoch multiplies the learning
    rate by ``lr_decay``.

    Killed at any moment and run again, a fit ends with the same bits, since all state is in the checkpoint, written
    after every epoch and every evaluation: weights, optimiser, progress, the ``generators`` (every one that batches,
    loss or network draw from; what batches draw from, nothing else may), and the network's attribute ``carry``, a
    tensor or a list of them, if it hands state from batch to batch. A fit taken up inside an epoch reads that epoch's
    batches anew up to where it was.

    Sets on ``model``: curve_, epochs_, iterations_, best_epoch_ (whose weights the model has), stopped_ ("patience" or
    another rule's name, "epoch limit", "iteration limit", "time limit"), resumed_from_ (epochs done), evaluations_
    (a record each), kept_ (see FitControl) and repeatable_ (whether no clock decided). Raises Diverged, naming epoch,
    step and parameter, when a loss is not finite.
    """
    control = FitControl() if control is None else control
    learner = _NetworkLearner(network, optimiser, batches, loss, generators, lr_decay, control.clip, run)
    EpochLoop(model, run, learner, epochs, control.stopping or Patience(patience), control).fit()
    network.eval()


@dataclass
class _NetworkLearner:
    """A network, its optimiser and its batches, as an EpochLoop trains them."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    batches: Callable[[int], Iterable[Any]]
    loss: Callable[[Any], tuple[torch.Tensor, int]]
    generators: Mapping[str, Generator]
    lr_decay: float
    clip: ClipNorm | ClipTensor | ClipValue | None
    run: Run

    def __post_init__(self) -> None:
        self.guard = LossGuard(self.network, self.optimiser)

    @property
    def learning_rate(self) -> float:
        """The rate of the first parameter group."""
        return self.optimiser.param_groups[0]["lr"]

    def weights(self) -> Mapping[str, torch.Tensor]:
        """The network's parameters and buffers."""
        return self.network.state_dict()

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Set the network's parameters and buffers."""
        self.network.load_state_dict(weights)

    def state(self, inside_epoch: bool) -> dict[str, Any]:
        """The optimiser, the generators and, inside an epoch, the state carried between batches."""
        carry = getattr(self.network, "carry", None) if inside_epoch else None
        return {"optimiser": self.optimiser.state_dict(), "generators": self._generator_states(), "carry": carry}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Set the optimiser, the generators and the carried state."""
        self.optimiser.load_state_dict(state["optimiser"])
        self._restore_generators(state["generators"])
        if state["carry"] is not None:
            self.network.carry = _moved(state["carry"], next(self.network.parameters()).device)

    def steps(self, progress: Progress) -> Iterator[None]:
        """Take one optimiser step per batch that is left in the epoch."""
        weights = list(self.network.parameters())
        self.network.train()
        for batch in self._batches_left(progress):
            if not self.network.training:  # an evaluation came between
                self.network.train()
            self.optimiser.zero_grad(set_to_none=True)
            with products_in(self.run.precision, self.run.device):
                value, count = self.loss(batch)
                value.backward()
            progress.step += 1
            progress.loss_sum += self.guard.add(value, count, progress.epoch + 1, progress.step)
            progress.targets += count
            if self.clip is not None:
                self.clip.apply(weights)
            self.optimiser.step()
            progress.iteration += 1
            yield

    def check_losses(self, progress: Progress) -> None:
        """Add the losses that still wait on a device."""
        progress.loss_sum += self.guard.flush(progress.epoch + 1, progress.step)

    def end_epoch(self) -> None:
        """Multiply the learning rates by ``lr_decay``."""
        for group in self.optimiser.param_groups:
            group["lr"] *= self.lr_decay

    def _batches_left(self, progress: Progress) -> Iterator[Any]:
        """The epoch's batches from step ``progress.step`` on."""
        if progress.step == 0:
            progress.epoch_start = self._generator_states()
            return iter(self.batches(progress.epoch + 1))
        now = self._generator_states()
        self._restore_generators(progress.epoch_start)
        left = iter(self.batches(progress.epoch + 1))
        for _ in islice(left, progress.step):
            pass
        self._restore_generators(now)
        return left

    def _generator_states(self) -> dict[str, Any]:
        """The state of every generator, by name."""
        return {name: generator_state(generator) for name, generator in self.generators.items()}

    def _restore_generators(self, states: Mapping[str, Any]) -> None:
        """Set every generator to its state."""
        for name, generator in self.generators.items():
            restore_generator(generator, states[name])


def _moved(carry: Any, device: torch.device) -> Any:
    """The carried state on ``device``."""
    return [part.to(device) for part in carry] if isinstance(carry, list) else carry.to(device)
