"""Losses over negatives that a whole batch shares, with one score per distinct item.

training.losses.sampled computes a loss from one score for every negative; this module computes the same loss and
gradient from one score for every distinct item and its number of occurrences. The matrices are fewer and smaller, and
the gradients come from the forward pass. It is faster where draws by popularity repeat the same items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from training.losses.loss import CrossEntropy
from training.losses.sampled import BPRMax
from training.losses.sampling import PopularitySampler
from training.losses.softmax import SampledCrossEntropy

TINY = 1e-24  # in BPR-max's logarithm, as in GRU4Rec's code


@dataclass(frozen=True, eq=False)
class SharedNegatives:
    """The distinct items of a step, ascending: its inputs, its targets and the drawn items.

    items (U,) int64; inputs (B,), targets (B,): the places in ``items`` of the inputs and of the targets;
    target_counts, drawn_counts (U,): how often each item is a target and how often it was drawn, both 0 for an item
    that is only an input.
    """

    items: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    target_counts: torch.Tensor
    drawn_counts: torch.Tensor

    @classmethod
    def of(cls, inputs: torch.Tensor, targets: torch.Tensor, drawn: torch.Tensor) -> SharedNegatives:
        """Find the distinct items of item numbers (B,), (B,) and (K,); ``inputs`` may be empty."""
        items, where = torch.unique(torch.cat([inputs, targets, drawn]), return_inverse=True)
        first, second = len(inputs), len(inputs) + len(targets)
        counts = [torch.bincount(part, minlength=len(items)) for part in (where[first:second], where[second:])]
        return cls(items, where[:first], where[first:second], *counts)


def lookup_unique(table: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """The rows of a leaf ``table`` for distinct ascending ``items``; its gradient is row-sparse and coalesced."""
    return _Rows.apply(table, items)


class _Rows(torch.autograd.Function):
    """A lookup with a coalesced row-sparse gradient."""

    @staticmethod
    def forward(ctx: Any, table: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """The rows."""
        ctx.items, ctx.shape = items, table.shape
        return table.index_select(0, items)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient of the same rows."""
        return torch.sparse_coo_tensor(
            ctx.items[None], grad, ctx.shape, is_coalesced=True, check_invariants=False
        ), None


def shared_cross_entropy(
    loss: SampledCrossEntropy,
    queries: torch.Tensor,
    rows: torch.Tensor,
    bias: torch.Tensor,
    shared: SharedNegatives,
    popularity: PopularitySampler | None,
) -> torch.Tensor:
    """``loss`` for queries (B, D) over the distinct items' vectors (U, D) and biases (U,): a weighted softmax."""
    occurrences = shared.target_counts + shared.drawn_counts
    if loss.logq == 0.0:
        weights = occurrences.to(rows.dtype).log()
        correction = weights.new_zeros(len(shared.targets))
    else:
        logs = loss.logq * popularity.counts[shared.items].clamp(min=1.0).log()  # subtracted from a target's score
        drawn = shared.drawn_counts * (-loss.sampling.alpha * logs).exp()
        weights = (shared.target_counts * (-logs).exp() + drawn).log().to(rows.dtype)
        correction = logs[shared.targets].to(rows.dtype)
    # here the target's score includes its own weight, which the next line takes out again
    shifted = CrossEntropy()(queries, rows, bias + weights, shared.targets)
    return shifted + (weights[shared.targets] + correction).mean()


def shared_bpr_max(
    loss: BPRMax, queries: torch.Tensor, rows: torch.Tensor, bias: torch.Tensor, shared: SharedNegatives
) -> torch.Tensor:
    """``loss`` for queries (B, D) over the distinct items' vectors (U, D) and biases (U,)."""
    occurrences = shared.target_counts + shared.drawn_counts
    return _BPRMax.apply(queries, rows, bias, shared.targets, occurrences, loss.regularisation, loss.elu)


class _BPRMax(torch.autograd.Function):
    """Mean BPR-max with gradients from the forward pass.

    With w_j = m_j e^{s_j} / Σ m e^s over the negatives, g_j = σ(s − s_j), A = Σ w g and R = Σ w s²:
    ∂L/∂s_j = w_j ((A − g_j²) / A + λ (s_j² + 2 s_j − R)) and ∂L/∂s = −Σ w_j g_j (1 − g_j) / A.
    """

    @staticmethod
    def forward(
        ctx: Any,
        queries: torch.Tensor,
        rows: torch.Tensor,
        bias: torch.Tensor,
        targets: torch.Tensor,
        occurrences: torch.Tensor,
        regularisation: float,
        elu: float,
    ) -> torch.Tensor:
        """The mean loss; saves three gradients of the size of their inputs."""
        chosen = targets[:, None]
        scores = torch.addmm(bias, queries, rows.T)  # (B, U)
        if elu > 0.0:
            torch.nn.functional.elu_(scores, elu)
        target = scores.gather(1, chosen)  # (B, 1)
        weights = scores + occurrences.to(scores.dtype).log()
        # the target itself is not one of its negatives
        weights.scatter_(1, chosen, target + (occurrences[chosen] - 1).to(scores.dtype).log())
        weights -= weights.amax(dim=1, keepdim=True)
        weights.exp_()
        weights /= weights.sum(dim=1, keepdim=True)
        above = (target - scores).sigmoid_()
        buffer = torch.mul(weights, above)
        mean = buffer.sum(dim=1, keepdim=True)  # A
        squared = above.square_()
        spread = torch.mul(weights, squared, out=buffer).sum(dim=1, keepdim=True)  # Σ w g²
        torch.mul(scores, scores, out=buffer)
        level = torch.mul(buffer, weights, out=above.new_empty(above.shape)).sum(dim=1, keepdim=True)  # R
        inverse = 1.0 / (mean + TINY)
        losses = regularisation * level - (mean + TINY).log()
        buffer.add_(scores, alpha=2.0).sub_(level).mul_(regularisation)
        buffer += (mean - squared) * inverse
        grad = buffer.mul_(weights)
        grad.scatter_add_(1, chosen, (spread - mean) * inverse)
        if elu > 0.0:
            grad *= torch.where(scores > 0.0, 1.0, scores + elu)
        grad /= len(queries)
        ctx.save_for_backward(grad @ rows, grad.T @ queries, grad.sum(dim=0))
        return losses.mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The saved gradients times the incoming one."""
        return *(saved * grad for saved in ctx.saved_tensors), None, None, None, None
