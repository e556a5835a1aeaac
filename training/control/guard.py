"""The guard against losses that are not finite, which also sums them."""

from __future__ import annotations

import math

import torch
from torch import nn

GUARDED_STEPS_ON_A_DEVICE = 64  # how often a device is waited for, to look whether the losses were finite


class Diverged(ValueError):
    """The loss stopped being a finite number."""


class LossGuard:
    """Sums the losses of steps and looks whether each was finite: on the CPU at once, on a device every 64 steps."""

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.weights = dict(network.named_parameters())
        self.optimiser = optimiser
        on_device = next(iter(self.weights.values())).device.type != "cpu"
        self.most = GUARDED_STEPS_ON_A_DEVICE if on_device else 1
        self.waiting: list[tuple[torch.Tensor, int]] = []

    def add(self, value: torch.Tensor, count: int, epoch: int, step: int) -> float:
        """What a step's mean loss over ``count`` targets, and those still waiting, add to the sum; 0 if all wait."""
        self.waiting.append((value.detach(), count))
        return self.flush(epoch, step) if len(self.waiting) == self.most else 0.0

    def flush(self, epoch: int, step: int) -> float:
        """The summed loss of the waiting steps, the last one ``step``; raises Diverged if one is not finite."""
        if not self.waiting:
            return 0.0
        values = torch.stack([value for value, _ in self.waiting]).tolist()
        for number, value in enumerate(values, start=step - len(values) + 1):
            if not math.isfinite(value):
                rate = self.optimiser.param_groups[0]["lr"]
                raise Diverged(
                    f"epoch {epoch}, step {number}: the loss is {value} and {self._first_not_finite()}; "
                    f"try a learning_rate below {rate:g}"
                )
        total = sum(value * count for value, (_, count) in zip(values, self.waiting, strict=True))
        self.waiting.clear()
        return total

    def _first_not_finite(self) -> str:
        """Which parameter, or else which gradient, is the first that holds a number that is not finite."""
        for name, weight in self.weights.items():
            if not torch.isfinite(weight).all():
                return f"parameter {name} is not finite"
        for name, weight in self.weights.items():
            grad = weight.grad
            if grad is not None and not torch.isfinite(grad.coalesce().values() if grad.is_sparse else grad).all():
                return f"the gradient of parameter {name} is not finite"
        return "all parameters and gradients are finite"
