"""ItemLists: for each item a short weighted list of other items, and the scores that are read off such lists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from recsys_data.scores import Sparse
from recsys_data.sequences import SequenceBatch

VANISHED = np.float32(1e-30)  # a decaying sum at most this large is 0


@dataclass(frozen=True, eq=False)
class ItemLists:
    """Lists of item → (item, weight), best first, ties by the lower item number.

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
        """The lists as a matrix (N + 1, N) whose last row is empty: what an unknown or missing item points to."""
        offsets = np.append(self.offsets, self.offsets[-1])
        return csr_array((self.weights, self.items, offsets), shape=(self.num_items + 1, self.num_items))

    def of_last_item(self, batch: SequenceBatch, default: float | np.ndarray = 0.0) -> Sparse:
        """Scores (M, N) from the list of the last item read; ``default`` for all items where there is none."""
        last = batch.last_items()
        return Sparse(self._rows[np.where(last < 0, self.num_items, last)], default)


@dataclass(frozen=True, eq=False)
class ListSums:
    """Scores (M, N) that are sums over the lists of the items read, made when a block is asked for.

    items (B, T) and asked (M, 2) as in SequenceBatch. ``keep`` (B, T) float32 or None: what the sum so far is
    multiplied by before event t is added (an exponential decay); None adds plainly. With ``once`` an item that was
    read twice is added once. Events of unknown items add nothing. The sums begin at ``start`` (N,) float32, by default
    at 0: that is what the empty history scores.
    A row's positions are answered in one walk along it, so a block costs one list for each event and one copy of N
    numbers for each position, and nothing larger than the block is ever held.
    """

    lists: ItemLists
    items: np.ndarray
    asked: np.ndarray
    keep: np.ndarray | None = None
    once: bool = False
    start: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.asked), self.lists.num_items

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the asked positions ``rows`` for all items (rows, N) or for candidates (rows, C) or (C,)."""
        asked = self.asked[rows]
        keep = np.ones((1, 1), dtype=np.float32) if self.keep is None else self.keep
        lists = self.lists
        start = np.zeros(lists.num_items, dtype=np.float32) if self.start is None else self.start
        dense = _sum_lists(
            lists.offsets, lists.items, lists.weights, self.items, asked, keep, self.keep is not None, self.once, start
        )
        if items is None:
            return dense
        return dense[:, items] if items.ndim == 1 else np.take_along_axis(dense, items, 1)


@njit(cache=True)
def _sum_lists(offsets, list_items, list_weights, items, asked, keep, decays, once, start):  # noqa: ANN001, ANN202
    """Sums (M, N) float32 over the lists of the events read, in the order of reading whatever the block."""
    num_items = len(offsets) - 1
    out = np.empty((len(asked), num_items), dtype=np.float32)
    total = start.copy()
    added = np.full(num_items if once else 1, -1, dtype=np.int64)  # the walk in which an item was last added
    row, read, walk = -1, 0, 0
    for m in range(len(asked)):
        if asked[m, 0] != row or asked[m, 1] < read:
            row, read, walk = asked[m, 0], 0, walk + 1
            total[:] = start
        while read < asked[m, 1]:
            item = items[row, read]
            if decays:
                factor = keep[row, read]
                for j in range(num_items):  # sums that have all but vanished become 0: denormal numbers are slow
                    total[j] = total[j] * factor if total[j] > VANISHED else np.float32(0)
            if item >= 0 and not (once and added[item] == walk):
                for p in range(offsets[item], offsets[item + 1]):
                    total[np.uint32(list_items[p])] += list_weights[p]  # unsigned: no wrapping of negative numbers
                if once:
                    added[item] = walk
            read += 1
        out[m] = total
    return out
