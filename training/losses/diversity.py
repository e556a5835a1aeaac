"""Diversity bias: a loss with smaller weights for popular targets."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule
from training.losses.loss import BoundLoss, Loss

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")


@dataclass(frozen=True)
class DiversityBias(Loss):
    """``loss`` with each target's term divided by c^δ, c its training count (Devooght and Bersini's code).

    delta: δ; 0 leaves the loss as it is. Nothing is renormalised, so a larger δ also makes all steps smaller. The text
    has exp(δ · popularity on a logarithmic scale from 1 to 10), which is this up to the scale of δ.
    """

    loss: Loss
    delta: float

    def __post_init__(self) -> None:
        check_range(self, "delta", at_least=0)

    def with_counts(self, item_counts: np.ndarray, device: torch.device | str) -> BoundLoss:
        """The loss with the training counts (V,) that divide it."""
        shares = np.maximum(np.asarray(item_counts, dtype=np.float32), 1.0) ** -self.delta
        table = torch.from_numpy(shares).to(device)
        return functools.partial(self._weighted, inner=self.loss.with_counts(item_counts, device), table=table)

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Raise ValueError: this loss needs ``with_counts``."""
        raise ValueError("DiversityBias needs the items' training counts: call loss.with_counts(item_counts, device)")

    def _weighted(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
        *,
        inner: BoundLoss,
        table: torch.Tensor,
    ) -> torch.Tensor:
        """The loss with each target weighted by its entry of ``table``."""
        own = table[targets].to(queries.dtype)
        return inner(queries, item_factors, bias, targets, generator, own if weights is None else own * weights)
