"""ItemLists: for each item a short weighted list of other items, and scores computed from such lists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from recsys_data.scores import Sparse, pick_items
from recsys_data.sequences import SequenceBatch

NEGLIGIBLE = np.float32(1e-30)  # a decaying sum of at most this is set to 0


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
    def _rows(self) -> csr_array:
        """The lists as a matrix (N + 1, N); the last row is empty and stands for unknown or missing items."""
        offsets = np.append(self.offsets, self.offsets[-1])
        return csr_array((self.weights, self.items, offsets), shape=(self.num_items + 1, self.num_items))

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
        dense = _sum_lists(
            lists.offsets, lists.items, lists.weights, self.items, query_positions, factors,
            self.decay_factors is not None, self.once_per_item, start,
        )  # fmt: skip
        return pick_items(dense, items)


@njit(cache=True)
def _sum_lists(offsets, list_items, list_weights, items, query_positions, factors, decays, once, start):  # noqa: ANN001, ANN202
    """Sums (M, N) float32 over the lists of the events read, added in the order of reading in any block."""
    num_items = len(offsets) - 1
    out = np.empty((len(query_positions), num_items), dtype=np.float32)
    total = start.copy()
    added = np.full(num_items if once else 1, -1, dtype=np.int64)  # the pass in which an item was last added
    row, read, turn = -1, 0, 0
    for m in range(len(query_positions)):
        if query_positions[m, 0] != row or query_positions[m, 1] < read:
            row, read, turn = query_positions[m, 0], 0, turn + 1
            total[:] = start
        while read < query_positions[m, 1]:
            item = items[row, read]
            if decays:
                factor = factors[row, read]
                for j in range(num_items):  # denormal numbers are slow
                    total[j] = total[j] * factor if total[j] > NEGLIGIBLE else np.float32(0)
            if item >= 0 and not (once and added[item] == turn):
                for p in range(offsets[item], offsets[item + 1]):
                    total[np.uint32(list_items[p])] += list_weights[p]  # unsigned: no check for negative indices
                if once:
                    added[item] = turn
            read += 1
        out[m] = total
    return out
