"""Co-occurrence: exact counts of items met in the same unit or one after the other, cut to the best of each item.

Every kernel works item by item with one accumulator of N numbers and keeps the best ``neighbours`` in a heap, so
memory is O(events + N · neighbours) and never N × N, for a million items as for a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from baselines.counts.kernels import count_both_ways, following, pack_bits, together
from baselines.counts.neighbour_lists import ItemLists
from recsys_data.split import TrainingSet

BITS_MEMORY = 1 << 28  # bytes that a matrix of bits may take
CELLS = 1 << 22  # entries of the padded lists that one kernel call may fill: 32 MB


@dataclass(frozen=True, eq=False)
class Units:
    """Which items each unit (user or session) holds and how often, in both directions.

    unit_offsets (S + 1,), unit_items (P,), unit_counts (P,): the different items of each unit, ascending, with the
    number of times each was taken; item_offsets (N + 1,), item_units (P,), item_counts (P,): the same by item.
    """

    unit_offsets: np.ndarray
    unit_items: np.ndarray
    unit_counts: np.ndarray
    item_offsets: np.ndarray
    item_units: np.ndarray
    item_counts: np.ndarray

    @classmethod
    def of(cls, train: TrainingSet, session_gap: float | None = None) -> Units:
        """Units of a training set: its sequences, cut where ``unit_of_events`` says."""
        owners = unit_of_events(train, session_gap)
        items = train.sequences.items
        num_units = int(owners[-1]) + 1 if len(owners) else 0
        return cls(*count_both_ways(items[items >= 0], owners[items >= 0], num_units, train.num_items))

    @property
    def num_items(self) -> int:
        """The size of the catalogue N."""
        return len(self.item_offsets) - 1

    @property
    def item_frequencies(self) -> np.ndarray:
        """In how many units each item occurs, (N,) int64."""
        return np.diff(self.item_offsets)

    def per_item(self, values: np.ndarray) -> np.ndarray:
        """Sums (N,) float64 over each item's units of ``values`` (P,), which are in the order of item_counts."""
        owners = np.repeat(np.arange(self.num_items), self.item_frequencies)
        return np.bincount(owners, weights=values, minlength=self.num_items)


def unit_of_events(train: TrainingSet, session_gap: float | None) -> np.ndarray:
    """The number of the unit of each event, (E,) int64: sequences, cut at gaps of more than ``session_gap`` seconds.

    Raises ValueError where a gap is asked of a clock that knows no durations.
    """
    sequences = train.sequences
    owners = sequences.owners()
    if session_gap is None or not len(owners):
        return owners
    if not train.clock.has_gaps:
        raise ValueError(
            f"session_gap={session_gap:g} needs the time between events, but this training set's clock is "
            f"'{train.clock.value}'; leave session_gap at None"
        )
    cut = np.diff(sequences.timestamps, prepend=sequences.timestamps[:1]) > session_gap
    cut |= np.diff(owners, prepend=owners[:1]) != 0
    return np.cumsum(cut)


def top_together(
    units: Units,
    *,
    left: np.ndarray,
    right: np.ndarray,
    own: np.ndarray,
    neighbours: int,
    own_counts: bool = False,
    other_counts: bool = False,
) -> ItemLists:
    """The ``neighbours`` best j of each item i by left[i] · right[j] · C_ij, where C counts shared units.

    C_ij sums over the units that hold both; a unit adds the number of times it took i where ``own_counts``, times the
    number of times it took j where ``other_counts``, else 1. ``own`` (N,): what stands for C_ii. Entries of 0 are
    left out; left and right (N,) float64 must be positive.
    """
    none = np.zeros(0, dtype=np.int32)
    bits = np.zeros((0, 0), dtype=np.uint64) if own_counts or other_counts else _bits(units)
    parts = []
    for start, stop in _blocks(units.num_items, neighbours):
        parts.append(
            together(
                units.unit_offsets, units.unit_items, units.unit_counts if other_counts else none,
                units.item_offsets, units.item_units, units.item_counts if own_counts else none,
                bits, left, right, own, neighbours, start, stop,
            )
        )  # fmt: skip
    return _join(parts)


def _bits(units: Units) -> np.ndarray:
    """Which unit holds which item as bits (N, W) uint64, or (0, 0) where comparing bits would not pay."""
    words = (len(units.unit_offsets) + 62) // 64
    pairs = float(np.square(np.diff(units.unit_offsets).astype(np.float64)).sum())
    if units.num_items * words * 8 > BITS_MEMORY or pairs < units.num_items * words:
        return np.zeros((0, 0), dtype=np.uint64)
    return pack_bits(units.item_offsets, units.item_units, words)


def top_following(train: TrainingSet, weights: np.ndarray, neighbours: int, *, last_only: bool = False) -> ItemLists:
    """The ``neighbours`` items that follow each item most, an event d places later adding weights[d − 1].

    Sums are float64. With ``last_only`` only the last time that a sequence takes an item and goes on counts.
    """
    sequences = train.sequences
    order = np.argsort(sequences.items, kind="stable")
    order = order[np.searchsorted(sequences.items[order], 0) :]  # events of unknown items lead nowhere
    item_offsets = np.concatenate([[0], np.cumsum(np.bincount(sequences.items[order], minlength=train.num_items))])
    ends = np.repeat(sequences.offsets[1:], sequences.lengths)
    parts = []
    for start, stop in _blocks(train.num_items, neighbours):
        parts.append(following(sequences.items, ends, order, item_offsets, weights, neighbours, last_only, start, stop))
    return _join(parts)


def _blocks(num_items: int, neighbours: int) -> Iterator[tuple[int, int]]:
    """Ranges of items whose padded lists hold at most CELLS entries (one item at least)."""
    step = max(1, CELLS // neighbours)
    for start in range(0, num_items, step):
        yield start, min(start + step, num_items)


def _join(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> ItemLists:
    """The lists of consecutive blocks as one."""
    lengths = np.concatenate([part[0] for part in parts])
    items = np.concatenate([part[1][np.arange(part[1].shape[1]) < part[0][:, None]] for part in parts])
    weights = np.concatenate([part[2][np.arange(part[2].shape[1]) < part[0][:, None]] for part in parts])
    return ItemLists(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), items, weights)
