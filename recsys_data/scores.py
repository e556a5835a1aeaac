"""Scores of a model. Arrays are NumPy arrays or torch tensors; one object holds one kind only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = Any  # numpy.ndarray or torch.Tensor: recsys_data does not import torch


class Scores(Protocol):
    """Item scores of M queries over N items; higher is better."""

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""

    def block(self, rows: slice, items: Array | None = None) -> Array:
        """Scores of the queries ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""


def pick_items(dense: Array, items: Array | None) -> Array:
    """Select the columns ``items`` of a block: (C,) for every row, or (rows, C) with each row's own."""
    if items is None:
        return dense
    if items.ndim == 1:
        return dense[:, items]
    return np.take_along_axis(dense, items, 1) if isinstance(dense, np.ndarray) else dense.gather(1, items)


@dataclass(frozen=True, eq=False)
class Dense:
    """All scores in one (M, N) array, for small catalogues or small batches."""

    values: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return tuple(self.values.shape)

    def block(self, rows: slice, items: Array | None = None) -> Array:
        """Scores of ``rows`` for all items or for ``items``."""
        return pick_items(self.values[rows], items)


@dataclass(frozen=True, eq=False)
class Factored:
    """Scores as inner products: queries (M, D) · item_factors (N, D) + bias (N,), never stored as M × N."""

    queries: Array
    item_factors: Array
    bias: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return self.queries.shape[0], self.item_factors.shape[0]

    def block(self, rows: slice, items: Array | None = None) -> Array:
        """Scores of ``rows``; candidates are selected from the full product, so their bits are the same."""
        dense = self.queries[rows] @ self.item_factors.T
        if self.bias is not None:
            dense = dense + self.bias
        return pick_items(dense, items)


@dataclass(frozen=True, eq=False)
class Sparse:
    """Scores that are ``default`` for most items; a SciPy CSR matrix (M, N) holds the other scores.

    ``default`` is a number, or an array (N,) of default scores (such as popularity as a back-off). Stored entries
    replace the default; they are not added to it.
    """

    matrix: Any
    default: float | np.ndarray = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return self.matrix.shape

    def block(self, rows: slice, items: Array | None = None) -> np.ndarray:
        """Scores of ``rows`` for all items or for ``items``."""
        part = self.matrix[rows]
        dense = np.empty(part.shape, dtype=np.float32)
        dense[:] = self.default
        owner = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        dense[owner, part.indices] = part.data
        return pick_items(dense, items)
