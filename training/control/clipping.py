"""Gradient clipping before a step; in a row-sparse gradient, of the present rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import torch
    from torch import nn
else:
    torch, nn = LazyModule("torch"), LazyModule("torch.nn")


@dataclass(frozen=True)
class Clip:
    """The base of the bounds; ``limit`` is above 0."""

    limit: float

    def __post_init__(self) -> None:
        check_range(self, "limit", above=0)


@dataclass(frozen=True)
class ClipNorm(Clip):
    """Scale all gradients together to a common L2 norm of at most ``limit`` (Pascanu et al. 2013)."""

    def apply(self, params: Collection[nn.Parameter]) -> None:
        """Bound the gradients of these parameters in place."""
        if not any(weight.grad is not None and weight.grad.is_sparse for weight in params):
            nn.utils.clip_grad_norm_(params, self.limit)
            return
        numbers = list(_gradients(params))
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in numbers]))
        for each in numbers:
            each.mul_((self.limit / norm).clamp(max=1.0))


@dataclass(frozen=True)
class ClipTensor(Clip):
    """Scale each parameter's gradient on its own to an L2 norm of at most ``limit``."""

    def apply(self, params: Collection[nn.Parameter]) -> None:
        """Bound the gradients of these parameters in place."""
        for numbers in _gradients(params):
            numbers.mul_((self.limit / torch.linalg.vector_norm(numbers)).clamp(max=1.0))  # a norm of 0 gives ∞, so 1


@dataclass(frozen=True)
class ClipValue(Clip):
    """Clip each number of each gradient to [−limit, limit].

    Lasagne's ``grad_clipping`` bounds the gradients of the gates' inputs at every step instead; no bound after
    backpropagation can reproduce that.
    """

    def apply(self, params: Collection[nn.Parameter]) -> None:
        """Bound the gradients of these parameters in place."""
        for numbers in _gradients(params):
            numbers.clamp_(-self.limit, self.limit)


def _gradients(params: Collection[nn.Parameter]) -> Iterator[torch.Tensor]:
    """Yield the numbers of each gradient, for changes in place."""
    for weight in params:
        if weight.grad is not None and weight.grad.is_sparse:
            weight.grad = weight.grad.coalesce()  # sums repeated rows
            yield weight.grad.values()
        elif weight.grad is not None:
            yield weight.grad
