"""Losses over negatives that a whole batch shares, each item scored once however often it stands among them.

What training.losses.sampled computes from a score for every negative is here computed from a score for every distinct
item, the column, and how often it occurs: the same loss and gradient, from fewer and smaller matrices, the gradients
made in the forward pass. It pays where draws by popularity name the same items again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from training.losses.loss import CrossEntropy
from training.losses.sampled import BPRMax
from training.losses.sampling import PopularitySampler
from training.losses.softmax import SampledCrossEntropy

TINY = 1e-24  # inside BPR-max's logarithm, as in GRU4Rec's code


@dataclass(frozen=True, eq=False)
class Columns:
    """The distinct items of a step, ascending: what is read, the targets, and the drawn items.

    items (U,) int64; read (B,), targets (B,): the columns of what is read and of the targets; of_targets, of_drawn
    (U,): how often each item is a target and how often it was drawn, 0 and 0 for one that is read only.
    """

    items: torch.Tensor
    read: torch.Tensor
    targets: torch.Tensor
    of_targets: torch.Tensor
    of_drawn: torch.Tensor

    @classmethod
    def of(cls, read: torch.Tensor, targets: torch.Tensor, drawn: torch.Tensor) -> Columns:
        """The columns of item numbers (B,), (B,) and (K,); ``read`` may be empty."""
        items, where = torch.unique(torch.cat([read, targets, drawn]), return_inverse=True)
        first, second = len(read), len(read) + len(targets)
        counts = [torch.bincount(part, minlength=len(items)) for part in (where[first:second], where[second:])]
        return cls(items, where[:first], where[first:second], *counts)


def rows_of(table: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """The rows of a leaf ``table`` for distinct ascending ``items``; its gradient is row-sparse and coalesced."""
    return _Rows.apply(table, items)


class _Rows(torch.autograd.Function):
    """A look-up that says of its gradient that no row comes twice."""

    @staticmethod
    def forward(ctx: Any, table: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """The rows."""
        ctx.items, ctx.shape = items, table.shape
        return table.index_select(0, items)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The same rows of the gradient."""
        return torch.sparse_coo_tensor(
            ctx.items[None], grad, ctx.shape, is_coalesced=True, check_invariants=False
        ), None


def shared_cross_entropy(
    loss: SampledCrossEntropy,
    queries: torch.Tensor,
    rows: torch.Tensor,
    bias: torch.Tensor,
    columns: Columns,
    popularity: PopularitySampler | None,
) -> torch.Tensor:
    """``loss`` for queries (B, D) over the columns' vectors (U, D) and biases (U,): a softmax with weighted columns."""
    occurrences = columns.of_targets + columns.of_drawn
    if loss.logq == 0.0:
        weights = occurrences.to(rows.dtype).log()
        taken = weights.new_zeros(len(columns.targets))
    else:
        logs = loss.logq * popularity.counts[columns.items].clamp(min=1.0).log()  # what is taken from a target's score
        drawn = columns.of_drawn * (-loss.sampling.alpha * logs).exp()
        weights = (columns.of_targets * (-logs).exp() + drawn).log().to(rows.dtype)
        taken = logs[columns.targets].to(rows.dtype)
    shifted = CrossEntropy()(
        queries, rows, bias + weights, columns.targets
    )  # the target's own weight is too much in it
    return shifted + (weights[columns.targets] + taken).mean()


def shared_bpr_max(
    loss: BPRMax, queries: torch.Tensor, rows: torch.Tensor, bias: torch.Tensor, columns: Columns
) -> torch.Tensor:
    """``loss`` for queries (B, D) over the columns' vectors (U, D) and biases (U,)."""
    occurrences = columns.of_targets + columns.of_drawn
    return _BPRMax.apply(queries, rows, bias, columns.targets, occurrences, loss.regularisation, loss.elu)


class _BPRMax(torch.autograd.Function):
    """Mean BPR-max, its gradients made in the forward pass.

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
        """The mean loss; keeps three gradients as small as their inputs."""
        chosen = targets[:, None]
        scores = torch.addmm(bias, queries, rows.T)  # (B, U)
        if elu > 0.0:
            torch.nn.functional.elu_(scores, elu)
        target = scores.gather(1, chosen)  # (B, 1)
        weights = scores + occurrences.to(scores.dtype).log()
        weights.scatter_(
            1, chosen, target + (occurrences[chosen] - 1).to(scores.dtype).log()
        )  # but for the target itself
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
        """The kept gradients, scaled."""
        return *(kept * grad for kept in ctx.saved_tensors), None, None, None, None
