"""Losses over a softmax of the target and its negatives; s and s_1 … s_K as in training.losses.sampled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule
from training.losses.sampled import SampledLoss, without_diagonal
from training.losses.sampling import NegativeSampling, PopularitySampler

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")


@dataclass(frozen=True)
class SampledCrossEntropy(SampledLoss):
    """−log (e^s / (e^s + Σ_j e^{s_j})): a softmax over the target and its negatives alone (GRU4Rec, Devooght).

    logq: the share of log c subtracted from the score of each target of the batch, and of α log c from that of each
    drawn item, with c its training count (1 for none) and α the sampling's alpha: GRU4Rec's correction; 0 for none.
    """

    num_negatives: int = 32
    sampling: NegativeSampling = field(default_factory=lambda: NegativeSampling(shared=True))
    logq: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "logq", at_least=0)

    def needs_counts(self) -> bool:
        """Whether the correction or the draws need counts."""
        return self.logq != 0.0 or super().needs_counts()

    def correct(
        self,
        target: torch.Tensor,
        negatives: torch.Tensor,
        targets: torch.Tensor,
        drawn: torch.Tensor,
        num_items: int,
        popularity: PopularitySampler | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores less logq · log c of each item."""
        if self.logq == 0.0:
            return target, negatives
        if popularity is None:
            raise ValueError("logq needs the items' training counts: call loss.with_counts(item_counts, device)")
        logs = self.logq * popularity.counts.clamp(min=1.0).log().to(target.dtype)  # (V,)
        own = logs[targets]
        taken = torch.zeros_like(negatives)
        if self.sampling.batch_targets:
            taken[:, : len(targets) - 1] = without_diagonal(own.expand(len(targets), -1))
        if self.sampling.alpha:
            taken[:, negatives.shape[1] - drawn.shape[-1] :] = self.sampling.alpha * logs[drawn]
        return target - own, negatives - taken

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        return _minus_log_share(target, negatives)


@dataclass(frozen=True)
class Blackout(SampledLoss):
    """−log p − Σ_{j drawn} log(1 − p_j), p = softmax over the target, the batch's others and the drawn items.

    Devooght and Bersini's form, without the importance weights of Ji et al. (2016). With the default sampling the other
    targets of the batch are in the softmax, but not in the sum. 1 − p_j is at least the float's machine epsilon.
    """

    num_negatives: int = 32
    sampling: NegativeSampling = field(default_factory=lambda: NegativeSampling(shared=True, batch_targets=True))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "num_negatives", at_least=1)

    def from_scores(self, target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
        """The loss of each target, (N,)."""
        logs = torch.cat([target[:, None], negatives], dim=1).log_softmax(dim=1)  # (N, 1 + K)
        drawn = logs[:, -self.num_negatives :]
        rest = (1.0 - drawn.exp()).clamp(min=torch.finfo(drawn.dtype).eps)
        return -logs[:, 0] - rest.log().sum(dim=1)


def _minus_log_share(target: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """−log of the target's share in the softmax over it and its negatives, (N,)."""
    return torch.cat([target[:, None], negatives], dim=1).logsumexp(dim=1) - target
