"""ItemLists: for each item a short weighted list of other items, and scores computed from such lists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recsys_data.lazy_module import LazyModule
from recsys_data.scores import Sparse, pick_items
from recsys_data.sequences import SequenceBatch

if TYPE_CHECKING:
    from scipy import sparse

    from baselines.counts import list_kernels
else:
    list_kernels, sparse = LazyModule("baselines.counts.list_kernels"), LazyModule("scipy.sparse")


@dataclass(frozen=True, eq=False)
class ItemLists:
    """A list of (item, weight) for each item, best first, ties by the lower item number.

    offsets (N + 1,) int64; items (L,) int32; weights (L,) float32: item i owns offsets[i] : offsets[i + 1].
    """

    offsets: np.ndarray
    items: np.ndarray
    weights: np.ndarray

    @property
    def num_items(self) -> int:
        """The size of the catalogue N."""
        return len(self.offsets) - 1

    def of(self, item: int) -> list[tuple[int, float]]:
        """The list of one item as (item, weight) pairs, best first."""
        span = slice(self.offsets[item], self.offsets[item + 1])
        return list(zip(self.items[span].tolist(), self.weights[span].tolist(), strict=True))

    @cached_property
    def _rows(self) -> sparse.csr_array:
        """The lists as a matrix (N + 1, N); the last row is empty and stands for unknown or missing items."""
        offsets = np.append(self.offsets, self.offsets[-1])
        return sparse.csr_array((self.weights, self.items, offsets), shape=(self.num_items + 1, self.num_items))

    def of_last_item(self, batch: SequenceBatch, default: float | np.ndarray = 0.0) -> Sparse:
        """Scores (M, N) from the list of the last item read; ``default`` for items not on it."""
        last = batch.last_items()
        return Sparse(self._rows[np.where(last < 0, self.num_items, last)], default)


@dataclass(frozen=True, eq=False)
class ListSums:
    """Scores (M, N): sums over the lists of the items read, computed block by block.

    items (B, T) and query_positions (M, 2) as in SequenceBatch. decay_factors (B, T) float32: the factor of the running
    sum before event t is added (an exponential decay); None for no decay. With ``once_per_item`` an item read twice is
    added once. Events of unknown items add nothing. The sums start from ``start`` (N,) float32, 0 by default, which is
    also the score of an empty history.
    All queries of a row are answered in one pass along it: a block costs one list per event and one copy of N numbers
    per query, and nothing larger than the block is held.
    """

    lists: ItemLists
    items: np.ndarray
    query_positions: np.ndarray
    decay_factors: np.ndarray | None = None
    once_per_item: bool = False
    start: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.query_positions), self.lists.num_items

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the queries ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""
        query_positions = self.query_positions[rows]
        factors = np.ones((1, 1), dtype=np.float32) if self.decay_factors is None else self.decay_factors
        lists = self.lists
        start = np.zeros(lists.num_items, dtype=np.float32) if self.start is None else self.start
        dense = list_kernels.sum_lists(
            lists.offsets, lists.items, lists.weights, self.items, query_positions, factors,
            self.decay_factors is not None, self.once_per_item, start,
        )  # fmt: skip
        return pick_items(dense, items)
