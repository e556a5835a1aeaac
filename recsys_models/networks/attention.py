"""Attention over every prefix of many sequences at once, with its own backward pass; equations in stamp.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

CELLS = 4096  # pairs of a query and an event it reads that are taken at a time, so that they stay in the cache


@dataclass(frozen=True)
class Stretch:
    """Queries ``asks`` of neighbouring ``rows`` that all read the events ``first`` to ``last`` of their row."""

    asks: slice
    rows: slice
    first: int
    last: int


def stretches(rows: np.ndarray, reads: np.ndarray, max_len: int) -> list[Stretch]:
    """The queries (N,), sorted by ``reads`` and then by row without repeats, in runs of neighbouring rows.

    reads (N,) at least 1: how many events of its row a query has read; it looks at the last ``max_len`` of them.
    """
    cuts = np.flatnonzero((np.diff(reads) != 0) | (np.diff(rows) != 1)) + 1
    found = []
    for begin, end in zip(np.r_[0, cuts], np.r_[cuts, len(rows)], strict=True):
        if begin == end:
            continue
        last = int(reads[begin])
        first = max(0, last - max_len)
        size = max(1, CELLS // (last - first))
        for start in range(begin, end, size):
            stop = min(start + size, end)
            row = int(rows[start])
            found.append(Stretch(slice(start, stop), slice(row, row + stop - start), first, last))
    return found


class Means(torch.autograd.Function):
    """The mean (N, D) of the events of ``values`` (B, T, D) that each query reads."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, num_queries: int, runs: list[Stretch]) -> torch.Tensor:
        """The means."""
        ctx.runs, ctx.shape = runs, values.shape
        means = values.new_empty(num_queries, values.shape[2])
        for run in runs:
            torch.mean(values[run.rows, run.first : run.last], dim=1, out=means[run.asks])
        return means

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """A query's gradient, shared among the events it reads."""
        grads = grad.new_zeros(ctx.shape)
        for run in ctx.runs:
            grads[run.rows, run.first : run.last] += (grad[run.asks] / (run.last - run.first))[:, None]
        return grads, None, None


class Attend(torch.autograd.Function):
    """Σ_i α_i x_i (N, D), α_i = w · σ(k_i + a): x ``values``, k ``keys`` (B, T, D), a ``asks`` (N, D), w ``weight``."""

    @staticmethod
    def forward(
        ctx: Any,
        values: torch.Tensor,
        keys: torch.Tensor,
        asks: torch.Tensor,
        weight: torch.Tensor,
        runs: list[Stretch],
    ) -> torch.Tensor:
        """The attended vectors."""
        attended = torch.empty_like(asks)
        for run in runs:
            gates = (keys[run.rows, run.first : run.last] + asks[run.asks, None]).sigmoid_()  # (n, k, D)
            alphas = gates @ weight  # (n, k)
            attended[run.asks] = (alphas[:, None] @ values[run.rows, run.first : run.last]).squeeze(1)
        ctx.runs = runs
        ctx.save_for_backward(values, keys, asks, weight)
        return attended

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gates are computed again: less work than to write and read them."""
        values, keys, asks, weight = ctx.saved_tensors
        grad_values, grad_keys = torch.zeros_like(values), torch.zeros_like(keys)
        grad_asks, grad_weight = torch.empty_like(asks), torch.zeros_like(weight)
        for run in ctx.runs:
            where = run.rows, slice(run.first, run.last)
            gates = (keys[where] + asks[run.asks, None]).sigmoid_()  # (n, k, D)
            alphas = gates @ weight  # (n, k)
            grad_alphas = (values[where] @ grad[run.asks, :, None]).squeeze(2)  # (n, k)
            grad_values[where].addcmul_(alphas[:, :, None], grad[run.asks, None])
            grad_weight += grad_alphas.reshape(-1) @ gates.view(-1, len(weight))
            through = torch.ops.aten.sigmoid_backward(grad_alphas[:, :, None].expand_as(gates), gates)
            grad_keys[where] += through
            torch.sum(through, dim=1, out=grad_asks[run.asks])
        return grad_values, grad_keys.mul_(weight), grad_asks.mul_(weight), grad_weight, None
