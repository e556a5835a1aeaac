"""Losses over every item of the catalogue: Devooght and Bersini's margin losses, and kwonmha's KL.

Below r is an item's score. What comes back is the mean over queries; all N × V scores are held at once.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch.nn import functional

from training.losses.loss import mean_of


@dataclass(frozen=True)
class MarginLoss:
    """What the margin losses share: which items are wanted, and w = balance · m / (V − m − n) for the others.

    m is the number of a query's targets, n of the items it has seen. A query may have several targets, (N, M) with
    PAD (−1) on the right; items in ``seen`` (N, T), padded likewise, weigh nothing. Departures: the offset of others by
    their popularity (the option ``--pb``) is not offered; a network's fit gives one target and no ``seen``, so that
    items read weigh like all others, which the code has only where items may be taken again, and n is 0, where the code
    has the number of events read even then.
    """

    balance: float = 1.0

    def __post_init__(self) -> None:
        if not self.balance > 0.0:
            raise ValueError(f"balance must be above 0, got {self.balance}")

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
        seen: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See training.losses.loss.Loss; nothing is drawn."""
        scores = queries @ item_factors.T  # (N, V)
        scores = scores if bias is None else scores + bias
        wanted = _marked(targets if targets.ndim == 2 else targets[:, None], scores)
        known = torch.zeros_like(wanted) if seen is None else _marked(seen, scores) & ~wanted
        count = wanted.sum(dim=1, keepdim=True)
        rest = (scores.shape[1] - count - known.sum(dim=1, keepdim=True)).clamp(min=1)
        other = (self.balance * count / rest).to(scores.dtype)  # (N, 1): w
        return mean_of(self.of_scores(scores, wanted, torch.where(wanted | known, 0.0, other)), weights)

    @abstractmethod
    def of_scores(self, scores: torch.Tensor, wanted: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """The loss of each query, (N,), from scores, which are targets and the others' w, each (N, V)."""


def _marked(items: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Which cells of ``scores`` (N, V) are among ``items`` (N, M), bool; PAD is none."""
    marks = scores.new_zeros(len(scores), scores.shape[1] + 1, dtype=torch.bool)
    return marks.scatter_(1, items.where(items >= 0, scores.shape[1]), True)[:, :-1]


@dataclass(frozen=True)
class MarginHinge(MarginLoss):
    """Σ_targets max(0, 1 − r) + w Σ_others max(0, r)."""

    def of_scores(self, scores: torch.Tensor, wanted: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """See MarginLoss."""
        return torch.where(wanted, (1.0 - scores).clamp(min=0.0), other * scores.clamp(min=0.0)).sum(dim=1)


@dataclass(frozen=True)
class MarginLogit(MarginLoss):
    """−Σ_targets σ(r − 1) + w Σ_others σ(r)."""

    def of_scores(self, scores: torch.Tensor, wanted: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """See MarginLoss."""
        return torch.where(wanted, -(scores - 1.0).sigmoid(), other * scores.sigmoid()).sum(dim=1)


@dataclass(frozen=True)
class MarginLogsig(MarginLoss):
    """−Σ_targets log σ(r − 1) − Σ_others log σ(−w r): w stands inside σ, so an item that weighs nothing adds log 2."""

    def of_scores(self, scores: torch.Tensor, wanted: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """See MarginLoss."""
        return functional.softplus(torch.where(wanted, 1.0 - scores, other * scores)).sum(dim=1)


@dataclass(frozen=True)
class KLDivergence:
    """KL(y ‖ p) = Σ_j y_j log(y_j / p_j), p = softmax(r), y the target's one-hot vector clipped from below (kwonmha).

    floor: the value that y has off the target; cross-entropy is what is left where it is 0.
    """

    floor: float = 1e-7

    def __post_init__(self) -> None:
        if not 0.0 <= self.floor < 1.0:
            raise ValueError(f"floor must be at least 0 and below 1, got {self.floor}")

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See training.losses.loss.Loss; nothing is drawn."""
        scores = queries @ item_factors.T
        wanted = torch.full_like(scores, self.floor).scatter_(1, targets[:, None], 1.0)
        logs = (scores if bias is None else scores + bias).log_softmax(dim=1)
        return mean_of((torch.xlogy(wanted, wanted) - wanted * logs).sum(dim=1), weights)
