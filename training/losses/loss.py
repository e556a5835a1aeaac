"""Loss, the base of every loss, and cross-entropy over the whole catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import torch

    from training.losses import full_softmax
else:
    full_softmax = LazyModule("training.losses.full_softmax")

MIN_BLOCK_ROWS = 128  # with fewer, the three products wait for memory: twice the time at 100,000 items


class Loss:
    """A loss of targets under the scores of all items; a subclass implements ``__call__``."""

    def with_counts(self, item_counts: np.ndarray, device: torch.device | str) -> BoundLoss:
        """The loss as training calls it, given the items' training counts (V,); itself unless it needs them."""
        return self

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss, a scalar, of targets (N,) under scores queries (N, D) · item_factors (V, D) + bias (V,).

        weights (N,): the factor of each target's loss before the mean, or None for 1.
        """
        raise NotImplementedError


BoundLoss = Callable[..., "torch.Tensor"]  # called like a Loss


def weighted_mean(each: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """The mean of losses (N,), each times its weight if there are weights."""
    return each.mean() if weights is None else (each * weights).mean()


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Full softmax: the mean over targets y of −log softmax(s)_y, where s = q Eᵀ + b are the scores of all items.

    Computed with its gradient in blocks of about ``block_cells`` scores, but at least 128 rows, so that no N × V buffer
    is held; backward() only multiplies by the incoming gradient.
    """

    block_cells: int = 1 << 18

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss; draws nothing."""
        block = max(MIN_BLOCK_ROWS, self.block_cells // len(item_factors))
        return full_softmax.FullSoftmax.apply(queries, item_factors, bias, targets, block, weights)
