"""Clipping: each a frozen value that bounds gradients before a step; of row-sparse ones, the rows that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Clip:
    """What the bounds share: ``limit``, above 0."""

    limit: float

    def __post_init__(self) -> None:
        if not self.limit > 0.0:
            raise ValueError(f"limit must be above 0, got {self.limit}")


@dataclass(frozen=True)
class ClipNorm(Clip):
    """All gradients together are scaled so that their common L2 norm is at most ``limit`` (Pascanu et al. 2013)."""

    def apply(self, weights: Collection[nn.Parameter]) -> None:
        """Bound the gradients of these weights in place."""
        if not any(weight.grad is not None and weight.grad.is_sparse for weight in weights):
            nn.utils.clip_grad_norm_(weights, self.limit)
            return
        numbers = list(_gradients(weights))
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in numbers]))
        for each in numbers:
            each.mul_((self.limit / norm).clamp(max=1.0))


@dataclass(frozen=True)
class ClipTensor(Clip):
    """Each parameter's gradient is scaled on its own so that its L2 norm is at most ``limit``."""

    def apply(self, weights: Collection[nn.Parameter]) -> None:
        """Bound the gradients of these weights in place."""
        for numbers in _gradients(weights):
            numbers.mul_((self.limit / torch.linalg.vector_norm(numbers)).clamp(max=1.0))  # a norm of 0 gives ∞, so 1


@dataclass(frozen=True)
class ClipValue(Clip):
    """Each number of each gradient is put into [−limit, limit].

    Lasagne's ``grad_clipping`` bounds the gradients of the gates' inputs at every step instead: no bound on what comes
    out of backpropagation can give that.
    """

    def apply(self, weights: Collection[nn.Parameter]) -> None:
        """Bound the gradients of these weights in place."""
        for numbers in _gradients(weights):
            numbers.clamp_(-self.limit, self.limit)


def _gradients(weights: Collection[nn.Parameter]) -> Iterator[torch.Tensor]:
    """The numbers of each gradient that is there, to be changed in place."""
    for weight in weights:
        if weight.grad is not None and weight.grad.is_sparse:
            weight.grad = weight.grad.coalesce()  # rows that came twice are summed first
            yield weight.grad.values()
        elif weight.grad is not None:
            yield weight.grad
