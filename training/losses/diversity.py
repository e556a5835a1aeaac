"""Diversity bias: a loss that weighs popular targets less."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch

from training.losses.loss import Loss, bound


@dataclass(frozen=True)
class DiversityBias:
    """``loss`` with each target's part divided by c^δ, c its training count (Devooght and Bersini's code).

    delta: δ; 0 leaves the loss as it is. Nothing is renormalised, so a larger δ also makes all steps smaller. The text
    has exp(δ · popularity on a logarithmic scale from 1 to 10), which is this up to the scale of δ.
    """

    loss: Loss
    delta: float

    def __post_init__(self) -> None:
        if not self.delta >= 0.0:
            raise ValueError(f"delta must be at least 0, got {self.delta}")

    def over(self, item_counts: np.ndarray, device: torch.device | str) -> Loss:
        """The loss with the training counts (V,) that it divides by."""
        shares = np.maximum(np.asarray(item_counts, dtype=np.float32), 1.0) ** -self.delta
        table = torch.from_numpy(shares).to(device)
        return functools.partial(self._weighed, inner=bound(self.loss, item_counts, device), table=table)

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See training.losses.loss.Loss; raises ValueError, since the counts come by ``over``."""
        raise ValueError("DiversityBias needs the items' training counts: call what over(item_counts, device) returns")

    def _weighed(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
        *,
        inner: Loss,
        table: torch.Tensor,
    ) -> torch.Tensor:
        """The loss once the counts are known."""
        own = table[targets].to(queries.dtype)
        return inner(queries, item_factors, bias, targets, generator, own if weights is None else own * weights)
