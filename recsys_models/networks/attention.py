"""Attention over every prefix of many sequences at once, with its own backward pass; equations in stamp.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

PAIRS_PER_BLOCK = 4096  # pairs of a query and an event that it reads: few enough for the cache


@dataclass(frozen=True)
class QueryBlock:
    """Queries of neighbouring ``rows`` that all read the events ``first`` to ``last`` of their row."""

    queries: slice
    rows: slice
    first: int
    last: int


def query_blocks(rows: np.ndarray, reads: np.ndarray, max_len: int) -> list[QueryBlock]:
    """Split queries (N,), sorted by ``reads`` and then by row without repeats, into runs of neighbouring rows.

    reads (N,) at least 1: the number of events of its row before a query, which reads the last ``max_len`` of them.
    """
    cuts = np.flatnonzero((np.diff(reads) != 0) | (np.diff(rows) != 1)) + 1
    found = []
    for begin, end in zip(np.r_[0, cuts], np.r_[cuts, len(rows)], strict=True):
        if begin == end:
            continue
        last = int(reads[begin])
        first = max(0, last - max_len)
        size = max(1, PAIRS_PER_BLOCK // (last - first))
        for start in range(begin, end, size):
            stop = min(start + size, end)
            row = int(rows[start])
            found.append(QueryBlock(slice(start, stop), slice(row, row + stop - start), first, last))
    return found


class Means(torch.autograd.Function):
    """The mean (N, D) of the events of ``values`` (B, T, D) that each query reads."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, num_queries: int, blocks: list[QueryBlock]) -> torch.Tensor:
        """The mean vectors."""
        ctx.blocks, ctx.shape = blocks, values.shape
        means = values.new_empty(num_queries, values.shape[2])
        for block in blocks:
            torch.mean(values[block.rows, block.first : block.last], dim=1, out=means[block.queries])
        return means

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """Share each query's gradient among the events it reads."""
        grads = grad.new_zeros(ctx.shape)
        for block in ctx.blocks:
            grads[block.rows, block.first : block.last] += (grad[block.queries] / (block.last - block.first))[:, None]
        return grads, None, None


class Attend(torch.autograd.Function):
    """Σ_i α_i x_i (N, D), α_i = w · σ(k_i + a): with values x, keys k (B, T, D), queries a (N, D)."""

    @staticmethod
    def forward(
        ctx: Any,
        values: torch.Tensor,
        keys: torch.Tensor,
        queries: torch.Tensor,
        weight: torch.Tensor,
        blocks: list[QueryBlock],
    ) -> torch.Tensor:
        """The attended vectors."""
        attended = torch.empty_like(queries)
        for block in blocks:
            gates = (keys[block.rows, block.first : block.last] + queries[block.queries, None]).sigmoid_()  # (n, k, D)
            alphas = gates @ weight  # (n, k)
            attended[block.queries] = (alphas[:, None] @ values[block.rows, block.first : block.last]).squeeze(1)
        ctx.blocks = blocks
        ctx.save_for_backward(values, keys, queries, weight)
        return attended

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients; the gates are computed again, which is cheaper than to store them."""
        values, keys, queries, weight = ctx.saved_tensors
        grad_values, grad_keys = torch.zeros_like(values), torch.zeros_like(keys)
        grad_queries, grad_weight = torch.empty_like(queries), torch.zeros_like(weight)
        for block in ctx.blocks:
            where = block.rows, slice(block.first, block.last)
            gates = (keys[where] + queries[block.queries, None]).sigmoid_()  # (n, k, D)
            alphas = gates @ weight  # (n, k)
            grad_alphas = (values[where] @ grad[block.queries, :, None]).squeeze(2)  # (n, k)
            grad_values[where].addcmul_(alphas[:, :, None], grad[block.queries, None])
            grad_weight += grad_alphas.reshape(-1) @ gates.view(-1, len(weight))
            through = torch.ops.aten.sigmoid_backward(grad_alphas[:, :, None].expand_as(gates), gates)
            grad_keys[where] += through
            torch.sum(through, dim=1, out=grad_queries[block.queries])
        return grad_values, grad_keys.mul_(weight), grad_queries.mul_(weight), grad_weight, None
