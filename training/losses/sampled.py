"""Losses over a target and a few sampled negatives.

Below, s is the score of the target, s_1 … s_K are those of its negatives, and σ is the logistic function.
``num_negatives`` items are drawn for each target or once per batch, uniformly or by popularity, and the batch's other
targets may join them (training.losses.sampling.NegativeSampling). The result is the mean over targets.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule
from training.losses.loss import BoundLoss, Loss, weighted_mean
from training.losses.sampling import NegativeSampling, PopularitySampler

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch, functional = LazyModule("torch"), LazyModule("torch.nn.functional")


@dataclass(frozen=True)
class SampledLoss(Loss):
    """The base of these losses: it draws the negatives and scores them.

    An ``item_factors`` parameter with the attribute ``row_sparse`` set true gets a row-sparse gradient, which costs
    nothing for rows that are not looked up.
    """

    num_negatives: int = 1
    sampling: NegativeSampling = field(default_factory=NegativeSampling)

    def __post_init__(self) -> None:
        least = 0 if self.sampling.batch_targets else 1
        if self.num_negatives < least:
            why = "" if least == 0 else f": {type(self).__name__} needs negatives, and this sampling adds no others"
            raise ValueError(f"num_negatives must be at least {least}, got {self.num_negatives}{why}")

    def with_counts(self, item_counts: np.ndarray, device: torch.device | str) -> BoundLoss:
        """The loss with the training counts (V,) for its draws and corrections; itself if it needs none."""
        if not self.needs_counts():
            return self
        return functools.partial(
            self, popularity=PopularitySampler.from_counts(item_counts, self.sampling.alpha, device)
        )

    def needs_counts(self) -> bool:
        """Whether the loss needs the items' training counts."""
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
        drawn: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss over targets and negatives: those that the caller has ``drawn``, or new ones."""
        if drawn is None:
            drawn = self.sampling.draw(self.num_negatives, len(targets), len(item_factors), generator, popularity)
        target, negatives = self._scores(queries, item_factors, bias, targets, drawn)
        if negatives.shape[1] == 0:
            raise ValueError(
                f"{type(self).__name__} has no negatives: num_negatives is 0 and the batch holds one target; "
                "give num_negatives at least 1 or larger batches"
            )
        target, negatives = self.correct(target, negatives, targets, drawn, len(item_factors), popularity)
        return weighted_mean(self.from_scores(target, negatives), weights)

    @abstractmethod
    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,), from its score (N,) and its negatives' (N, K), the drawn ones last."""

    def correct(
        self,
        target: torch.Tensor,
        negatives: torch.Tensor,
        targets: torch.Tensor,
        drawn: torch.Tensor,
        num_items: int,
        popularity: PopularitySampler | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Correct the scores for each item's chance of being drawn; here they stay as they are."""
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
            own = _own_scores(queries, item_factors, bias, torch.cat([targets[:, None], drawn], dim=1))  # (N, 1 + K)
            if not self.sampling.batch_targets:
                return own[:, 0], own[:, 1:]
            others = without_diagonal(_scores_of_all(queries, item_factors, bias, targets))
            return own[:, 0], torch.cat([others, own[:, 1:]], dim=1)
        if self.sampling.batch_targets:
            scores = _scores_of_all(queries, item_factors, bias, torch.cat([targets, drawn]))  # (N, N + K)
            others = without_diagonal(scores[:, :count])
            return scores.diagonal(), torch.cat([others, scores[:, count:]], dim=1)
        own = _own_scores(queries, item_factors, bias, targets[:, None])
        return own[:, 0], _scores_of_all(queries, item_factors, bias, drawn)


def _lookup(items: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Rows of a table, with a row-sparse gradient if the table is marked so."""
    return functional.embedding(items, table, sparse=getattr(table, "row_sparse", False))


def _own_scores(
    queries: torch.Tensor, factors: torch.Tensor, bias: torch.Tensor | None, items: torch.Tensor
) -> torch.Tensor:
    """Scores (N, K) of items (N, K), each row under its own query."""
    scores = (_lookup(items, factors) @ queries[:, :, None]).squeeze(2)
    return scores if bias is None else scores + functional.embedding(items, bias[:, None]).squeeze(2)


def _scores_of_all(
    queries: torch.Tensor, factors: torch.Tensor, bias: torch.Tensor | None, items: torch.Tensor
) -> torch.Tensor:
    """Scores (N, K) of items (K,) under every query."""
    rows = _lookup(items, factors)
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

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        return functional.softplus(negatives - target[:, None]).mean(dim=1)


@dataclass(frozen=True)
class BinaryCrossEntropy(SampledLoss):
    """−log σ(s) − Σ_j log(1 − σ(s_j)): each score on its own (SASRec, with one negative)."""

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        return functional.softplus(-target) + functional.softplus(negatives).sum(dim=1)


@dataclass(frozen=True)
class BPRMax(SampledLoss):
    """−log Σ_j w_j σ(s − s_j) + λ Σ_j w_j s_j², w = softmax(s_1 … s_K) (Hidasi and Karatzoglou 2018, eq. 10).

    regularisation: λ. elu: above 0, all scores first pass an ELU of this scale (GRU4Rec's code).
    """

    regularisation: float = 1.0
    elu: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "regularisation", "elu", at_least=0)

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        if self.elu > 0.0:
            target, negatives = functional.elu(target, self.elu), functional.elu(negatives, self.elu)
        weights = negatives.softmax(dim=1)
        logs = negatives.log_softmax(dim=1) + functional.logsigmoid(target[:, None] - negatives)
        return self.regularisation * (weights * negatives.square()).sum(dim=1) - logs.logsumexp(dim=1)


@dataclass(frozen=True)
class TOP1(SampledLoss):
    """(1/K) Σ_j σ(s_j − s) + σ(s_j²) (Hidasi et al. 2016)."""

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        return ((negatives - target[:, None]).sigmoid() + negatives.square().sigmoid()).mean(dim=1)


@dataclass(frozen=True)
class TOP1Max(SampledLoss):
    """Σ_j w_j (σ(s_j − s) + σ(s_j²)), w = softmax(s_1 … s_K) (Hidasi and Karatzoglou 2018, eq. 8)."""

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        each = (negatives - target[:, None]).sigmoid() + negatives.square().sigmoid()
        return (negatives.softmax(dim=1) * each).sum(dim=1)


@dataclass(frozen=True)
class AdaptiveHinge(SampledLoss):
    """max(0, margin + max_j s_j − s): hinge on the hardest of the negatives (Spotlight; after Weston et al. 2011)."""

    num_negatives: int = 5
    margin: float = 1.0

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        return (self.margin + negatives.amax(dim=1) - target).clamp(min=0.0)
