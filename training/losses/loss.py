"""Loss, what every loss answers to; and the softmax over the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

FEWEST_ROWS = 128  # a block of fewer makes its three products wait for memory: twice the time at 100,000 items


class Loss(Protocol):
    """What a loss is called with, and the mean over targets that comes back, a tensor without dimensions.

    A loss that must know how often each item stands in the training events also has
    ``over(item_counts (V,), device) -> Loss``; ``bound`` calls it where it is there.
    """

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss of targets (N,) under scores queries (N, D) · item_factors (V, D) + bias (V,).

        weights (N,): what each target's loss is multiplied with before the mean, or None for 1.
        """


def bound(loss: Loss, item_counts: np.ndarray, device: torch.device | str) -> Loss:
    """The loss that training calls: one that needs the items' training counts (V,) is given them."""
    return loss.over(item_counts, device) if hasattr(loss, "over") else loss


def mean_of(each: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """The mean of losses (N,), each multiplied with its weight where there are weights."""
    return each.mean() if weights is None else (each * weights).mean()


@dataclass(frozen=True)
class CrossEntropy:
    """Full softmax: the mean over targets y of −log softmax(s)_y, where s = q Eᵀ + b are the scores of all items.

    Computed in blocks of about ``block_cells`` scores, but at least 128 rows, together with its gradient, so that no
    N × V buffer is ever held; backward() only multiplies by the gradient that comes in.
    """

    block_cells: int = 1 << 18

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See Loss; nothing is drawn."""
        block = max(FEWEST_ROWS, self.block_cells // len(item_factors))
        return _FullSoftmax.apply(queries, item_factors, bias, targets, block, weights)


class _FullSoftmax(torch.autograd.Function):
    """Mean cross-entropy whose gradients are made in the forward pass: w (p − 1_y) for each row of scores."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: torch.Tensor,
        factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        block: int,
        weights: torch.Tensor | None,
    ) -> torch.Tensor:
        """The mean loss; keeps three gradients as small as their inputs."""
        grad_queries = torch.empty_like(queries)
        grad_factors = torch.zeros_like(factors)
        grad_bias = factors.new_zeros(len(factors))
        losses = queries.new_empty(len(queries))
        buffer = queries.new_empty(min(block, len(queries)), len(factors))
        for start in range(0, len(queries), block):
            part = queries[start : start + block]  # (n, D)
            chosen = targets[start : start + block, None]
            scores = buffer[: len(part)]  # (n, V)
            if bias is None:
                torch.mm(part, factors.T, out=scores)
            else:
                torch.addmm(bias, part, factors.T, out=scores)
            scores -= scores.amax(dim=1, keepdim=True)
            hit = scores.gather(1, chosen)
            total = scores.exp_().sum(dim=1, keepdim=True)  # (n, 1): the rows are divided by it where they are short
            losses[start : start + block] = (total.log() - hit).squeeze(1)
            scores.scatter_add_(1, chosen, -total)
            if weights is not None:
                losses[start : start + block] *= weights[start : start + block]
                total = total / weights[start : start + block, None]
            torch.mm(scores, factors, out=grad_queries[start : start + block])
            grad_queries[start : start + block] /= total
            grad_factors.addmm_(scores.T, part / total)
            grad_bias.addmv_(scores.T, total.reciprocal().squeeze(1))
        count = max(1, len(queries))
        ctx.has_bias = bias is not None
        ctx.save_for_backward(grad_queries.div_(count), grad_factors.div_(count), grad_bias.div_(count))
        return losses.sum() / count

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The kept gradients, scaled."""
        queries, factors, bias = ctx.saved_tensors
        return queries * grad, factors * grad, bias * grad if ctx.has_bias else None, None, None, None
