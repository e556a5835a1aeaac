"""Losses over a target and a few sampled negatives: each a frozen callable value with its equation.

Below s is the score of the target and s_1 … s_K those of its negatives; σ is the logistic function. ``num_negatives``
are drawn for each target or once a batch, uniformly or by popularity, and the batch's other targets may join them: see
training.losses.sampling.Sampling. What comes back is the mean over targets.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from training.losses.loss import Loss, mean_of
from training.losses.sampling import PopularitySampler, Sampling


@dataclass(frozen=True)
class SampledLoss:
    """What these losses share: drawing the negatives and scoring them.

    ``item_factors`` that are a parameter with an attribute ``row_sparse`` set true get a row-sparse gradient, which
    costs nothing for the rows that are not looked up.
    """

    num_negatives: int = 1
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        least = 0 if self.sampling.batch_targets else 1
        if self.num_negatives < least:
            why = "" if least == 0 else f": {type(self).__name__} needs negatives, and this sampling gives it no others"
            raise ValueError(f"num_negatives must be at least {least}, got {self.num_negatives}{why}")

    def over(self, item_counts: np.ndarray, device: torch.device | str) -> Loss:
        """The loss with the training counts (V,) that it draws or corrects by; itself where it needs none."""
        if not self.needs_counts():
            return self
        return functools.partial(self, popularity=PopularitySampler.of(item_counts, self.sampling.alpha, device))

    def needs_counts(self) -> bool:
        """Whether the items' training counts must be known."""
        return self.sampling.alpha > 0.0

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
        popularity: PopularitySampler | None = None,
    ) -> torch.Tensor:
        """See training.losses.loss.Loss."""
        drawn = self.sampling.draw(self.num_negatives, len(targets), len(item_factors), generator, popularity)
        target, negatives = self._scores(queries, item_factors, bias, targets, drawn)
        if negatives.shape[1] == 0:
            raise ValueError(
                f"{type(self).__name__} has no negatives: num_negatives is 0 and the batch holds one target; "
                "give num_negatives at least 1 or larger batches"
            )
        target, negatives = self.corrected(target, negatives, targets, drawn, len(item_factors), popularity)
        return mean_of(self.of_scores(target, negatives), weights)

    @abstractmethod
    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,), from its score (N,) and its negatives' (N, K), the drawn ones last."""

    def corrected(
        self,
        target: torch.Tensor,
        negatives: torch.Tensor,
        targets: torch.Tensor,
        drawn: torch.Tensor,
        num_items: int,
        popularity: PopularitySampler | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores as ``of_scores`` takes them, corrected for how likely each item was to be drawn; as they are."""
        return target, negatives

    def _scores(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        drawn: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores of targets, (N,), and of negatives, (N, K)."""
        count = len(targets)
        if not self.sampling.shared:
            own = _each_own(queries, item_factors, bias, torch.cat([targets[:, None], drawn], dim=1))  # (N, 1 + K)
            if not self.sampling.batch_targets:
                return own[:, 0], own[:, 1:]
            others = without_diagonal(_every(queries, item_factors, bias, targets))
            return own[:, 0], torch.cat([others, own[:, 1:]], dim=1)
        if self.sampling.batch_targets:
            scores = _every(queries, item_factors, bias, torch.cat([targets, drawn]))  # (N, N + K)
            others = without_diagonal(scores[:, :count])
            return scores.diagonal(), torch.cat([others, scores[:, count:]], dim=1)
        own = _each_own(queries, item_factors, bias, targets[:, None])
        return own[:, 0], _every(queries, item_factors, bias, drawn)


def _looked_up(items: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Rows of a table, its gradient row-sparse where the table says so."""
    return functional.embedding(items, table, sparse=getattr(table, "row_sparse", False))


def _each_own(
    queries: torch.Tensor, factors: torch.Tensor, bias: torch.Tensor | None, items: torch.Tensor
) -> torch.Tensor:
    """Scores (N, K) of items (N, K), each row's under its own query."""
    scores = (_looked_up(items, factors) @ queries[:, :, None]).squeeze(2)
    return scores if bias is None else scores + functional.embedding(items, bias[:, None]).squeeze(2)


def _every(
    queries: torch.Tensor, factors: torch.Tensor, bias: torch.Tensor | None, items: torch.Tensor
) -> torch.Tensor:
    """Scores (N, K) of items (K,) under every query."""
    rows = _looked_up(items, factors)
    return (
        queries @ rows.T if bias is None else torch.addmm(functional.embedding(items, bias[:, None]).T, queries, rows.T)
    )


def without_diagonal(square: torch.Tensor) -> torch.Tensor:
    """A matrix (N, N) without its diagonal, (N, N − 1)."""
    count = len(square)
    return square.flatten()[1:].view(count - 1, count + 1)[:, :-1].reshape(count, count - 1)


@dataclass(frozen=True)
class BPR(SampledLoss):
    """(1/K) Σ_j −log σ(s − s_j): Bayesian personalised ranking (Rendle et al. 2009)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return functional.softplus(negatives - target[:, None]).mean(dim=1)


@dataclass(frozen=True)
class BPRMax(SampledLoss):
    """−log Σ_j w_j σ(s − s_j) + λ Σ_j w_j s_j², w = softmax(s_1 … s_K) (Hidasi and Karatzoglou 2018, eq. 10).

    regularisation: λ. elu: where it is above 0, all scores first go through ELU with this scale (GRU4Rec's code).
    """

    regularisation: float = 1.0
    elu: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("regularisation", "elu"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        if self.elu > 0.0:
            target, negatives = functional.elu(target, self.elu), functional.elu(negatives, self.elu)
        weights = negatives.softmax(dim=1)
        logs = negatives.log_softmax(dim=1) + functional.logsigmoid(target[:, None] - negatives)
        return self.regularisation * (weights * negatives.square()).sum(dim=1) - logs.logsumexp(dim=1)


@dataclass(frozen=True)
class TOP1(SampledLoss):
    """(1/K) Σ_j σ(s_j − s) + σ(s_j²) (Hidasi et al. 2016)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return ((negatives - target[:, None]).sigmoid() + negatives.square().sigmoid()).mean(dim=1)


@dataclass(frozen=True)
class TOP1Max(SampledLoss):
    """Σ_j w_j (σ(s_j − s) + σ(s_j²)), w = softmax(s_1 … s_K) (Hidasi and Karatzoglou 2018, eq. 8)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        each = (negatives - target[:, None]).sigmoid() + negatives.square().sigmoid()
        return (negatives.softmax(dim=1) * each).sum(dim=1)


@dataclass(frozen=True)
class Hinge(SampledLoss):
    """(1/K) Σ_j max(0, margin + s_j − s)."""

    margin: float = 1.0

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return (self.margin + negatives - target[:, None]).clamp(min=0.0).mean(dim=1)


@dataclass(frozen=True)
class AdaptiveHinge(SampledLoss):
    """max(0, margin + max_j s_j − s): hinge on the hardest of the negatives (Spotlight; after Weston et al. 2011)."""

    num_negatives: int = 5
    margin: float = 1.0

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return (self.margin + negatives.amax(dim=1) - target).clamp(min=0.0)


@dataclass(frozen=True)
class Pointwise(SampledLoss):
    """1 − σ(s) + (1/K) Σ_j σ(s_j): each score on its own (Spotlight)."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return (-target).sigmoid() + negatives.sigmoid().mean(dim=1)


@dataclass(frozen=True)
class SpotlightBPR(SampledLoss):
    """(1/K) Σ_j 1 − σ(s − s_j): what Spotlight calls BPR, without the logarithm of Rendle et al."""

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return (negatives - target[:, None]).sigmoid().mean(dim=1)
