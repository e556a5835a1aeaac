"""Scores: what a model answers with. Arrays are numpy arrays or torch tensors; a value holds one kind only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = Any  # numpy.ndarray or torch.Tensor: this floor does not import torch


class Scores(Protocol):
    """A row of item scores for each of M asked positions over N items; higher is better."""

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""

    def block(self, rows: slice, items: Array | None = None) -> Array:
        """Scores of the asked positions ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""


def pick_items(dense: Array, items: Array | None) -> Array:
    """Columns ``items`` of a block: the same for every row (C,), or each row's own (rows, C)."""
    if items is None:
        return dense
    if items.ndim == 1:
        return dense[:, items]
    return np.take_along_axis(dense, items, 1) if isinstance(dense, np.ndarray) else dense.gather(1, items)


@dataclass(frozen=True, eq=False)
class Dense:
    """All scores in one (M, N) buffer; for small catalogues or small batches."""

    values: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return tuple(self.values.shape)

    def block(self, rows: slice, items: Array | None = None) -> Array:
        """Scores of ``rows``; see Scores.block."""
        return pick_items(self.values[rows], items)


@dataclass(frozen=True, eq=False)
class Factored:
    """Scores as inner products: queries (M, D) · item_factors (N, D) + bias (N,). Never held as M × N."""

    queries: Array
    item_factors: Array
    bias: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return self.queries.shape[0], self.item_factors.shape[0]

    def block(self, rows: slice, items: Array | None = None) -> Array:
        """Scores of ``rows``; see Scores.block. The full product is used for candidates too, so that bits agree."""
        dense = self.queries[rows] @ self.item_factors.T
        if self.bias is not None:
            dense = dense + self.bias
        return pick_items(dense, items)


@dataclass(frozen=True, eq=False)
class Sparse:
    """Scores that are ``default`` for most items: a scipy CSR matrix (M, N) of the others' scores.

    ``default`` is a number, or an array (N,): a score that every row starts from (such as popularity as a back-off).
    Stored entries replace the default, they are not added to it.
    """

    matrix: Any
    default: float | np.ndarray = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return self.matrix.shape

    def block(self, rows: slice, items: Array | None = None) -> np.ndarray:
        """Scores of ``rows``; see Scores.block."""
        part = self.matrix[rows]
        dense = np.empty(part.shape, dtype=np.float32)
        dense[:] = self.default
        owner = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        dense[owner, part.indices] = part.data
        return pick_items(dense, items)
