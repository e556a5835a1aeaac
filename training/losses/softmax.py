"""Losses over a softmax of the target and its negatives; s, s_1 … s_K and what comes back as in sampled_losses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from training.losses.sampled import SampledLoss, without_diagonal
from training.losses.sampling import PopularitySampler, Sampling


@dataclass(frozen=True)
class SampledSoftmax(SampledLoss):
    """−log (e^s / (e^s + Σ_j e^{s_j} / (K q_j))): the softmax over V items, its sum estimated from K draws.

    q_j is an item's chance in one draw, 1 / V where they are uniform; K q_j its expected count (Jean et al. 2015).
    """

    num_negatives: int = 512

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sampling.batch_targets:
            raise ValueError(
                "batch_targets must be false, got true: the chance of another target to be in the batch is not known; "
                "SampledCrossEntropy is the form without that chance"
            )

    def corrected(
        self,
        target: torch.Tensor,
        negatives: torch.Tensor,
        targets: torch.Tensor,
        drawn: torch.Tensor,
        num_items: int,
        popularity: PopularitySampler | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See SampledLoss."""
        if popularity is None:
            return target, negatives + math.log(num_items / self.num_negatives)
        expected = popularity.log_chances(drawn) + math.log(self.num_negatives)
        return target, negatives - expected.to(negatives.dtype)

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return _minus_log_share(target, negatives)


@dataclass(frozen=True)
class SampledCrossEntropy(SampledLoss):
    """−log (e^s / (e^s + Σ_j e^{s_j})): a softmax over the target and its negatives alone (GRU4Rec, Devooght).

    logq: how much of log c is taken from the score of each target of the batch and of α log c from the score of each
    drawn item, c its training count (1 for none), α the sampling's alpha: GRU4Rec's official correction, 0 for none.
    """

    num_negatives: int = 32
    sampling: Sampling = field(default_factory=lambda: Sampling(shared=True))
    logq: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.logq >= 0.0:
            raise ValueError(f"logq must be at least 0, got {self.logq}")

    def needs_counts(self) -> bool:
        """See SampledLoss."""
        return self.logq != 0.0 or super().needs_counts()

    def corrected(
        self,
        target: torch.Tensor,
        negatives: torch.Tensor,
        targets: torch.Tensor,
        drawn: torch.Tensor,
        num_items: int,
        popularity: PopularitySampler | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See SampledLoss."""
        if self.logq == 0.0:
            return target, negatives
        if popularity is None:
            raise ValueError("logq needs the items' training counts: call what loss.over(item_counts, device) returns")
        logs = self.logq * popularity.counts.clamp(min=1.0).log().to(target.dtype)  # (V,)
        own = logs[targets]
        taken = torch.zeros_like(negatives)
        if self.sampling.batch_targets:
            taken[:, : len(targets) - 1] = without_diagonal(own.expand(len(targets), -1))
        if self.sampling.alpha:
            taken[:, negatives.shape[1] - drawn.shape[-1] :] = self.sampling.alpha * logs[drawn]
        return target - own, negatives - taken

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        return _minus_log_share(target, negatives)


@dataclass(frozen=True)
class Blackout(SampledLoss):
    """−log p − Σ_{j drawn} log(1 − p_j), p = softmax over the target, the batch's others and the drawn items.

    Devooght and Bersini's form, which has no importance weights, unlike Ji et al. (2016). With the default sampling the
    other targets of the batch stand in the softmax, but not in the sum. 1 − p_j is kept above the float's own step.
    """

    num_negatives: int = 32
    sampling: Sampling = field(default_factory=lambda: Sampling(shared=True, batch_targets=True))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_negatives < 1:
            raise ValueError(f"num_negatives must be at least 1, got {self.num_negatives}")

    def of_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """See SampledLoss."""
        logs = torch.cat([target[:, None], negatives], dim=1).log_softmax(dim=1)  # (N, 1 + K)
        drawn = logs[:, -self.num_negatives :]
        rest = (1.0 - drawn.exp()).clamp(min=torch.finfo(drawn.dtype).eps)
        return -logs[:, 0] - rest.log().sum(dim=1)


def _minus_log_share(target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """−log of the target's share in the softmax over it and its negatives, (N,)."""
    return torch.cat([target[:, None], negatives], dim=1).logsumexp(dim=1) - target
