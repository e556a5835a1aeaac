"""Dropout that draws from its own generator."""

from __future__ import annotations

import torch
from torch import nn


class Dropout(nn.Module):
    """Zeroes each number with probability ``rate`` while training and scales the others by 1 / (1 − rate).

    The masks come from ``generator``, whose state belongs in the checkpoint: torch's own dropout draws from the
    global generator, which a resumed fit cannot restore without disturbing its neighbours.
    """

    def __init__(self, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        self.rate = rate
        self.generator = generator

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """``values`` with a fresh mask for every number, or as they are outside training."""
        if not self.training or self.rate == 0.0:
            return values
        mask = torch.empty_like(values).bernoulli_(1.0 - self.rate, generator=self.generator)
        return values * mask.div_(1.0 - self.rate)
