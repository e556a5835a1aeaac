"""The one training loop: epochs, early stopping, NaN guard, progress, throughput, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from training.checkpoint import Generator, generator_state, read_checkpoint, restore_generator, write_checkpoint
from training.run import Run

GUARDED_STEPS_ON_A_DEVICE = 64  # how often a device is waited for, to look whether the losses were finite


class Diverged(ValueError):
    """The loss stopped being a finite number."""


@dataclass
class Progress:
    """How far a fit has come: all that decides when it stops and what it returns."""

    epoch: int = 0
    best_epoch: int = 0
    best_validation: float = -math.inf
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)

    def waited(self) -> int:
        """The number of epochs since the best one."""
        return self.epoch - self.best_epoch


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
    patience: int,
    decay: float = 1.0,
    max_norm: float | None = None,
) -> None:
    """Train ``network`` for at most ``epochs`` epochs, leaving it with the weights of the best epoch by validation.

    batches(epoch) gives the batches of an epoch (from 1); loss(batch) gives the mean loss of a batch and the number
    of targets in it. After every epoch ``run.validate(model)`` decides whether it is the best so far; after
    ``patience`` epochs in a row that are not, the training stops. Where ``run.validate`` is None all epochs are run
    and the last weights stay. Every epoch multiplies the learning rate by ``decay``. max_norm bounds the gradient's
    global norm. ``generators``: every generator that batches, loss or network draw from; their states are in the
    checkpoint, so that a fit killed at any moment and run again ends with the same bits.

    Sets curve_, epochs_, best_epoch_, stopped_ ("patience" or "epoch limit") and resumed_from_ on ``model``. Raises
    Diverged, naming epoch, step and parameter, when a loss is not finite.
    """
    identity = f"{model!r}, seed {run.seed}"
    progress = Progress()
    model.resumed_from_ = None
    state = None if run.checkpoint is None else read_checkpoint(run.checkpoint, identity)
    if state is not None:
        progress = _restore(state, network, optimiser, generators)
        model.resumed_from_ = progress.epoch
        run.log({"event": "resumed", "epoch": progress.epoch})
    while progress.epoch < epochs and not (run.validate and progress.waited() >= patience):
        progress.epoch += 1
        record = {
            "event": "epoch",
            "epoch": progress.epoch,
            "epochs": epochs,
            "learning_rate": optimiser.param_groups[0]["lr"],
        }
        record |= _train_epoch(progress.epoch, network, optimiser, batches, loss, max_norm)
        record["validation"] = None if run.validate is None else float(run.validate(model))
        progress.curve.append(record)
        _judge_epoch(progress, record["validation"], network, optimiser, decay)
        if run.checkpoint is not None:
            write_checkpoint(run.checkpoint, _state(identity, progress, network, optimiser, generators))
        run.log(record)
    if run.validate is not None and progress.best_weights:
        network.load_state_dict(progress.best_weights)
    network.eval()
    model.curve_ = progress.curve
    model.epochs_ = progress.epoch
    model.best_epoch_ = progress.best_epoch
    model.stopped_ = "patience" if run.validate and progress.waited() >= patience else "epoch limit"


def _train_epoch(
    epoch: int,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: Callable[[int], Iterable[Any]],
    loss: Callable[[Any], tuple[torch.Tensor, int]],
    max_norm: float | None,
) -> dict[str, float]:
    """One pass over the batches of an epoch: its mean loss a target, seconds, and targets per second."""
    network.train()
    weights = dict(network.named_parameters())
    on_device = next(iter(weights.values())).device.type != "cpu"
    guarded = GUARDED_STEPS_ON_A_DEVICE if on_device else 1
    total, targets, waiting = 0.0, 0, []
    started = time.perf_counter()
    step = 0
    for step, batch in enumerate(batches(epoch), start=1):
        optimiser.zero_grad(set_to_none=True)
        value, count = loss(batch)
        value.backward()
        waiting.append((value.detach(), count))
        targets += count
        if len(waiting) == guarded:
            total += _guarded_sum(waiting, epoch, step, weights, optimiser)
            waiting.clear()
        if max_norm is not None:
            nn.utils.clip_grad_norm_(weights.values(), max_norm)
        optimiser.step()
    if waiting:
        total += _guarded_sum(waiting, epoch, step, weights, optimiser)
    seconds = time.perf_counter() - started
    return {"loss": total / max(targets, 1), "seconds": seconds, "targets_per_second": targets / max(seconds, 1e-9)}


def _guarded_sum(
    waiting: list[tuple[torch.Tensor, int]],
    epoch: int,
    last_step: int,
    weights: Mapping[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
) -> float:
    """The summed loss of the steps up to ``last_step``; raises Diverged if one of them is not finite."""
    values = torch.stack([value for value, _ in waiting]).tolist()
    for number, value in enumerate(values, start=last_step - len(values) + 1):
        if not math.isfinite(value):
            rate = optimiser.param_groups[0]["lr"]
            raise Diverged(
                f"epoch {epoch}, step {number}: the loss is {value} and {_first_not_finite(weights)}; "
                f"try a learning_rate below {rate:g}"
            )
    return sum(value * count for value, (_, count) in zip(values, waiting, strict=True))


def _first_not_finite(weights: Mapping[str, nn.Parameter]) -> str:
    """Which parameter, or else which gradient, is the first that holds a number that is not finite."""
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            return f"parameter {name} is not finite"
    for name, weight in weights.items():
        if weight.grad is not None and not torch.isfinite(weight.grad).all():
            return f"the gradient of parameter {name} is not finite"
    return "all parameters and gradients are finite"


def _judge_epoch(
    progress: Progress, validation: float | None, network: nn.Module, optimiser: torch.optim.Optimizer, decay: float
) -> None:
    """Keep the weights of a new best epoch; lower the learning rate."""
    if validation is None:
        progress.best_epoch = progress.epoch
    elif validation > progress.best_validation:
        progress.best_epoch, progress.best_validation = progress.epoch, validation
        progress.best_weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    for group in optimiser.param_groups:
        group["lr"] *= decay


def _state(
    identity: str,
    progress: Progress,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    generators: Mapping[str, Generator],
) -> dict[str, Any]:
    """All state at the end of an epoch."""
    return {
        "identity": identity,
        "progress": vars(progress),
        "weights": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "generators": {name: generator_state(generator) for name, generator in generators.items()},
    }


def _restore(
    state: Mapping[str, Any],
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    generators: Mapping[str, Generator],
) -> Progress:
    """Put a checkpoint's state back; the progress it had made."""
    network.load_state_dict(state["weights"])
    optimiser.load_state_dict(state["optimiser"])
    for name, generator in generators.items():
        restore_generator(generator, state["generators"][name])
    return Progress(**state["progress"])
