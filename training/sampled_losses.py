"""Losses over a target and a few sampled negatives: each a frozen callable value with its equation.

Below s is the score of the target and s_1 … s_K those of its K = ``num_negatives`` negatives, drawn uniformly with
replacement for each target anew (they may be the target itself); σ is the logistic function. What comes back is the
mean over targets.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch.nn import functional

from training.sampling import uniform_negatives


@dataclass(frozen=True)
class SampledLoss:
    """What these losses share: drawing the negatives and scoring them."""

    num_negatives: int = 1

    def __post_init__(self) -> None:
        if self.num_negatives < 1:
            raise ValueError(f"num_negatives must be at least 1, got {self.num_negatives}")

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """See training.losses.Loss."""
        negatives = uniform_negatives((len(targets), self.num_negatives), len(item_factors), generator)
        items = torch.cat([targets[:, None], negatives], dim=1)  # (N, 1 + K)
        scores = (functional.embedding(items, item_factors) @ queries[:, :, None]).squeeze(2)
        if bias is not None:
            scores = scores + functional.embedding(items, bias[:, None]).squeeze(2)
        return self.of_scores(scores[:, 0], scores[:, 1:], len(item_factors)).mean()

    @abstractmethod
    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """The loss of each target, (N,), from its score (N,) and its negatives' (N, K)."""


@dataclass(frozen=True)
class BPR(SampledLoss):
    """(1/K) Σ_j −log σ(s − s_j): Bayesian personalised ranking (Rendle et al. 2009)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        return functional.softplus(negatives - target[:, None]).mean(dim=1)


@dataclass(frozen=True)
class BPRMax(SampledLoss):
    """−log Σ_j w_j σ(s − s_j) + λ Σ_j w_j s_j², w = softmax(s_1 … s_K) (Hidasi and Karatzoglou 2018, eq. 10).

    regularisation: λ.
    """

    regularisation: float = 1.0

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        weights = negatives.softmax(dim=1)
        logs = negatives.log_softmax(dim=1) + functional.logsigmoid(target[:, None] - negatives)
        return self.regularisation * (weights * negatives.square()).sum(dim=1) - logs.logsumexp(dim=1)


@dataclass(frozen=True)
class TOP1(SampledLoss):
    """(1/K) Σ_j σ(s_j − s) + σ(s_j²) (Hidasi et al. 2016)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        return ((negatives - target[:, None]).sigmoid() + negatives.square().sigmoid()).mean(dim=1)


@dataclass(frozen=True)
class TOP1Max(SampledLoss):
    """Σ_j w_j (σ(s_j − s) + σ(s_j²)), w = softmax(s_1 … s_K) (Hidasi and Karatzoglou 2018, eq. 8)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        each = (negatives - target[:, None]).sigmoid() + negatives.square().sigmoid()
        return (negatives.softmax(dim=1) * each).sum(dim=1)


@dataclass(frozen=True)
class Hinge(SampledLoss):
    """(1/K) Σ_j max(0, margin + s_j − s)."""

    margin: float = 1.0

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        return (self.margin + negatives - target[:, None]).clamp(min=0.0).mean(dim=1)


@dataclass(frozen=True)
class AdaptiveHinge(SampledLoss):
    """max(0, margin + max_j s_j − s): hinge on the hardest of the negatives (Spotlight; after Weston et al. 2011)."""

    num_negatives: int = 5
    margin: float = 1.0

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        return (self.margin + negatives.amax(dim=1) - target).clamp(min=0.0)


@dataclass(frozen=True)
class SampledSoftmax(SampledLoss):
    """−log (e^s / (e^s + (V/K) Σ_j e^{s_j})): the softmax over V items, its sum estimated from uniform negatives.

    The negatives' scores are raised by log(V / K), minus the log of each one's expected count (Jean et al. 2015).
    """

    num_negatives: int = 512

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor, num_items: int) -> torch.Tensor:
        """See SampledLoss."""
        raised = negatives + math.log(num_items / self.num_negatives)
        return torch.cat([target[:, None], raised], dim=1).logsumexp(dim=1) - target
