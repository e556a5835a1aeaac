"""Penalties: what is added to every batch's loss for the size of named parameters."""

from __future__ import annotations

import fnmatch
import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Penalty:
    """strength × a measure of the covered parameters' size, their START row included.

    covers: a pattern on the names of parameters, such as "item_bias" (all that Devooght and Bersini's code covers),
    "item_embedding", "recurrence.*" or "*" for all. Unlike ``weight_decay`` it is part of the loss that is reported.
    """

    strength: float
    covers: str = "*"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and self.strength > 0.0):
            raise ValueError(f"strength must be above 0, got {self.strength}")

    def of(self, network: nn.Module) -> torch.Tensor:
        """The penalty of a network's weights as they are. Raises ValueError where ``covers`` means none of them."""
        return self.strength * sum(self.size(weight) for weight in self._covered(network))

    @abstractmethod
    def size(self, weight: torch.Tensor) -> torch.Tensor:
        """The size of one parameter, a tensor without dimensions."""

    def _covered(self, network: nn.Module) -> Iterator[nn.Parameter]:
        """The parameters whose names match."""
        named = dict(network.named_parameters())
        found = [weight for name, weight in named.items() if fnmatch.fnmatchcase(name, self.covers)]
        if not found:
            raise ValueError(f"covers {self.covers!r} means no parameter; there are {', '.join(named)}")
        yield from found


@dataclass(frozen=True)
class L2(Penalty):
    """strength · Σ w² over the covered weights."""

    def size(self, weight: torch.Tensor) -> torch.Tensor:
        """See Penalty."""
        return weight.square().sum()


@dataclass(frozen=True)
class L1(Penalty):
    """strength · Σ |w| over the covered weights."""

    def size(self, weight: torch.Tensor) -> torch.Tensor:
        """See Penalty."""
        return weight.abs().sum()
