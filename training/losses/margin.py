"""Margin losses over every item of the catalogue (Devooght and Bersini's code).

Below, r is an item's score. The result is the mean over targets; all N × V scores are in memory at once.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule
from training.losses.loss import Loss, weighted_mean

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch, functional = LazyModule("torch"), LazyModule("torch.nn.functional")


@dataclass(frozen=True)
class MarginLoss(Loss):
    """The base of the margin losses: a query has one target, and each other item the weight w = balance / (V − 1).

    Departures: a query has one target; the offset of other items by popularity (``--pb``) is not offered; items already
    read weigh like all others, as in the code where items may recur, and are not subtracted from V, as they are there.
    """

    balance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, "balance", above=0)

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss over targets; draws nothing."""
        scores = queries @ item_factors.T  # (N, V)
        scores = scores if bias is None else scores + bias
        is_target = functional.one_hot(targets, scores.shape[1]).bool()
        other = self.of_other(scores, self.balance / (scores.shape[1] - 1))
        return weighted_mean(torch.where(is_target, self.of_target(scores), other).sum(dim=1), weights)

    @abstractmethod
    def of_target(self, scores: torch.Tensor) -> torch.Tensor:
        """The term of each score if its item is the target."""

    @abstractmethod
    def of_other(self, scores: torch.Tensor, weight: float) -> torch.Tensor:
        """The term of each score if its item is not the target; ``weight`` is w."""


@dataclass(frozen=True)
class MarginHinge(MarginLoss):
    """max(0, 1 − r_target) + w Σ_others max(0, r)."""

    def of_target(self, scores: torch.Tensor) -> torch.Tensor:
        """The hinge max(0, 1 − r)."""
        return (1.0 - scores).clamp(min=0.0)

    def of_other(self, scores: torch.Tensor, weight: float) -> torch.Tensor:
        """The hinge w max(0, r)."""
        return weight * scores.clamp(min=0.0)


@dataclass(frozen=True)
class MarginLogit(MarginLoss):
    """−σ(r_target − 1) + w Σ_others σ(r)."""

    def of_target(self, scores: torch.Tensor) -> torch.Tensor:
        """The sigmoid −σ(r − 1)."""
        return -(scores - 1.0).sigmoid()

    def of_other(self, scores: torch.Tensor, weight: float) -> torch.Tensor:
        """The sigmoid w σ(r)."""
        return weight * scores.sigmoid()


@dataclass(frozen=True)
class MarginLogsig(MarginLoss):
    """−log σ(r_target − 1) − Σ_others log σ(−w r), with w inside σ."""

    def of_target(self, scores: torch.Tensor) -> torch.Tensor:
        """The logarithm −log σ(r − 1)."""
        return functional.softplus(1.0 - scores)

    def of_other(self, scores: torch.Tensor, weight: float) -> torch.Tensor:
        """The logarithm −log σ(−w r)."""
        return functional.softplus(weight * scores)
