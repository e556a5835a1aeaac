"""FullSoftmax: cross-entropy over the whole catalogue, with its gradient, in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from recsys_data.lazy_module import LazyModule
from training.precision import add_product_, addmm, is_bfloat16, mm

if TYPE_CHECKING:
    from training.losses import softmax_kernels
else:
    softmax_kernels = LazyModule("training.losses.softmax_kernels")

FUSED_CELLS = 1 << 20  # scores in a block of the compiled pass, which reads them once


class FullSoftmax(torch.autograd.Function):
    """Mean cross-entropy with gradients from the forward pass: w (p − 1_y) for each row of scores."""

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
        """The mean loss; saves three gradients of the size of their inputs."""
        fused = is_bfloat16() and queries.device.type == "cpu"
        if fused:
            block = max(block, FUSED_CELLS // len(factors))
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
                mm(part, factors.T, out=scores)
            else:
                addmm(bias, part, factors.T, out=scores)
            if fused:
                total = _fused_exponentials(scores, chosen, losses[start : start + block])
            else:
                scores -= scores.amax(dim=1, keepdim=True)
                hit = scores.gather(1, chosen)
                total = scores.exp_().sum(dim=1, keepdim=True)  # (n, 1): divides the rows where they are short
                losses[start : start + block] = (total.log() - hit).squeeze(1)
                scores.scatter_add_(1, chosen, -total)
            if weights is not None:
                losses[start : start + block] *= weights[start : start + block]
                total = total / weights[start : start + block, None]
            mm(scores, factors, out=grad_queries[start : start + block])
            grad_queries[start : start + block] /= total
            add_product_(grad_factors, scores.T, part / total)
            if bias is not None:
                grad_bias.addmv_(scores.T, total.reciprocal().squeeze(1))
        count = max(1, len(queries))
        ctx.has_bias = bias is not None
        ctx.save_for_backward(grad_queries.div_(count), grad_factors.div_(count), grad_bias.div_(count))
        return losses.sum() / count

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The saved gradients times the incoming one."""
        queries, factors, bias = ctx.saved_tensors
        return queries * grad, factors * grad, bias * grad if ctx.has_bias else None, None, None, None


def _fused_exponentials(scores: torch.Tensor, targets: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
    """Turn scores (n, V) into exponentials in one pass and fill the losses (n,); return the rows' sums (n, 1)."""
    totals = scores.new_empty(len(scores))
    softmax_kernels.exponentials(scores.numpy(), targets.squeeze(1).numpy(), losses.numpy(), totals.numpy())
    return totals[:, None]
