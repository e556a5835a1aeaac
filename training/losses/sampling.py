"""Sampling of the negatives of a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")


def draw_uniform(shape: tuple[int, ...], num_items: int, generator: torch.Generator) -> torch.Tensor:
    """Draw items uniformly with replacement, int64 of this shape; a target may be drawn, as in the losses' papers."""
    return torch.randint(num_items, shape, generator=generator, device=generator.device)


@dataclass(frozen=True, eq=False)
class PopularitySampler:
    """The items' training counts (V,) and, for draws ∝ count^alpha, their cumulative chances (V,) float64 up to 1."""

    counts: torch.Tensor
    cumulative: torch.Tensor

    @classmethod
    def from_counts(cls, item_counts: np.ndarray, alpha: float, device: torch.device | str) -> PopularitySampler:
        """Build it from the training counts of the items, (V,) ints; raise ValueError if all are 0."""
        counts = np.asarray(item_counts, dtype=np.float64)
        if not counts.sum() > 0.0:
            raise ValueError("negatives by popularity need training events, but no item has one")
        sums = np.cumsum(np.where(counts > 0.0, counts**alpha, 0.0))
        return cls(torch.from_numpy(counts).to(device), torch.from_numpy(sums / sums[-1]).to(device))

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Draw items with replacement, int64 of this shape; never one without training events."""
        places = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
        return torch.searchsorted(self.cumulative, places, right=True)


@dataclass(frozen=True)
class NegativeSampling:
    """How a loss draws its negatives.

    alpha: the chance of an item is ∝ (training count)^alpha; 0 is uniform over the catalogue, 1 is by popularity.
    shared: one draw for all targets of a batch, as in GRU4Rec, or one for each target.
    batch_targets: the other targets of the batch are negatives too, before the drawn ones.
    Draws are with replacement, and a negative may be the target itself, as in the papers' code.
    """

    alpha: float = 0.0
    shared: bool = False
    batch_targets: bool = False

    def __post_init__(self) -> None:
        check_range(self, "alpha", at_least=0, finite=True)

    def draw(
        self,
        num_negatives: int,
        num_targets: int,
        num_items: int,
        generator: torch.Generator,
        popularity: PopularitySampler | None,
    ) -> torch.Tensor:
        """Draw the negatives: (K,) int64 if shared, else (N, K)."""
        shape = (num_negatives,) if self.shared else (num_targets, num_negatives)
        if self.alpha == 0.0:
            return draw_uniform(shape, num_items, generator)
        if popularity is None:
            raise ValueError(
                f"negatives with alpha {self.alpha} need the items' training counts: "
                "call loss.with_counts(item_counts, device)"
            )
        return popularity.draw(shape, generator)
