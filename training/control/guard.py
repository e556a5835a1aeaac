"""A check that losses are finite, which also sums them."""

from __future__ import annotations

import math

import torch
from torch import nn

STEPS_PER_CHECK_ON_DEVICE = 64  # between two waits for a device to read its losses


class Diverged(ValueError):
    """The loss is not a finite number."""


class LossGuard:
    """Sum the losses of steps and check that each is finite: on the CPU at once, on a device every 64 steps."""

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.weights = dict(network.named_parameters())
        self.optimiser = optimiser
        on_device = next(iter(self.weights.values())).device.type != "cpu"
        self.steps_per_check = STEPS_PER_CHECK_ON_DEVICE if on_device else 1
        self.pending: list[tuple[torch.Tensor, int]] = []

    def add(self, value: torch.Tensor, count: int, epoch: int, step: int) -> float:
        """Add a step's mean loss over ``count`` targets; return the sum of the losses checked now, or 0."""
        self.pending.append((value.detach(), count))
        return self.flush(epoch, step) if len(self.pending) == self.steps_per_check else 0.0

    def flush(self, epoch: int, step: int) -> float:
        """Check and sum the pending losses, the last one of step ``step``; raise Diverged if one is not finite."""
        if not self.pending:
            return 0.0
        values = torch.stack([value for value, _ in self.pending]).tolist()
        for number, value in enumerate(values, start=step - len(values) + 1):
            if not math.isfinite(value):
                rate = self.optimiser.param_groups[0]["lr"]
                raise Diverged(
                    f"epoch {epoch}, step {number}: the loss is {value} and {self._first_not_finite()}; "
                    f"try a learning_rate below {rate:g}"
                )
        total = sum(value * count for value, (_, count) in zip(values, self.pending, strict=True))
        self.pending.clear()
        return total

    def _first_not_finite(self) -> str:
        """Name the first parameter, or else the first gradient, with a number that is not finite."""
        for name, weight in self.weights.items():
            if not torch.isfinite(weight).all():
                return f"parameter {name} is not finite"
        for name, weight in self.weights.items():
            grad = weight.grad
            if grad is not None and not torch.isfinite(grad.coalesce().values() if grad.is_sparse else grad).all():
                return f"the gradient of parameter {name} is not finite"
        return "all parameters and gradients are finite"
