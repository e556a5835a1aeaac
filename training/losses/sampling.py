"""Sampling: which negatives a loss that does not look at the whole catalogue is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch


def uniform_negatives(shape: tuple[int, ...], num_items: int, generator: torch.Generator) -> torch.Tensor:
    """Items drawn uniformly with replacement, int64 of this shape; they may be the target, as in the losses' papers."""
    return torch.randint(num_items, shape, generator=generator, device=generator.device)


@dataclass(frozen=True, eq=False)
class PopularitySampler:
    """The items' training counts (V,) and, for draws ∝ count^alpha, their cumulative chances (V,) float64 up to 1."""

    counts: torch.Tensor
    cumulative: torch.Tensor

    @classmethod
    def of(cls, item_counts: np.ndarray, alpha: float, device: torch.device | str) -> PopularitySampler:
        """Made from how often each item stands in the training events, (V,) ints. Raises ValueError if none does."""
        counts = np.asarray(item_counts, dtype=np.float64)
        if not counts.sum() > 0.0:
            raise ValueError("negatives by popularity need training events, but no item has one")
        sums = np.cumsum(np.where(counts > 0.0, counts**alpha, 0.0))
        return cls(torch.from_numpy(counts).to(device), torch.from_numpy(sums / sums[-1]).to(device))

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Items drawn with replacement, int64 of this shape; one without training events never comes."""
        places = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
        return torch.searchsorted(self.cumulative, places, right=True)

    def log_chances(self, items: torch.Tensor) -> torch.Tensor:
        """The log of each item's chance in one draw, float64."""
        before = torch.where(items > 0, self.cumulative[items - 1], 0.0)
        return (self.cumulative[items] - before).log()


@dataclass(frozen=True)
class Sampling:
    """How negatives are found.

    alpha: drawn with chances ∝ (training count)^alpha; 0 is uniform over the catalogue, 1 is by popularity.
    shared: one set for all targets of a batch, as GRU4Rec has it, or anew for each target.
    batch_targets: the other targets of the batch are negatives too, ahead of the drawn ones.
    Draws are with replacement, and a negative may be the target itself, as in the papers' code.
    """

    alpha: float = 0.0
    shared: bool = False
    batch_targets: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha >= 0.0):
            raise ValueError(f"alpha must be at least 0, got {self.alpha}")

    def draw(
        self,
        num_negatives: int,
        num_targets: int,
        num_items: int,
        generator: torch.Generator,
        popularity: PopularitySampler | None,
    ) -> torch.Tensor:
        """The drawn negatives: (K,) int64 where they are shared, else (N, K)."""
        shape = (num_negatives,) if self.shared else (num_targets, num_negatives)
        if self.alpha == 0.0:
            return uniform_negatives(shape, num_items, generator)
        if popularity is None:
            raise ValueError(
                f"negatives with alpha {self.alpha} need the items' training counts: "
                "call the loss that loss.over(item_counts, device) returns"
            )
        return popularity.draw(shape, generator)
