"""Sampling: negatives for the losses that do not look at the whole catalogue."""

from __future__ import annotations

import torch


def uniform_negatives(shape: tuple[int, ...], num_items: int, generator: torch.Generator) -> torch.Tensor:
    """Items drawn uniformly with replacement, int64 of this shape; they may be the target, as in the losses' papers."""
    return torch.randint(num_items, shape, generator=generator, device=generator.device)
