"""Dropout with a generator of its own."""

from __future__ import annotations

import torch
from torch import nn


class Dropout(nn.Module):
    """Set each number to zero with probability ``rate`` in training and scale the others by 1 / (1 − rate).

    ``generator`` draws the masks, and its state is part of the checkpoint. torch's own dropout draws from the global
    generator, which a resumed fit cannot restore without side effects on other code.
    """

    def __init__(self, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        self.rate = rate
        self.generator = generator

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Apply a new mask to ``values``; outside training return them as they are."""
        if not self.training or self.rate == 0.0:
            return values
        mask = torch.empty_like(values).bernoulli_(1.0 - self.rate, generator=self.generator)
        return values * mask.div_(1.0 - self.rate)
