"""Co-occurrence and successor counts of items: exact, cut to the best ``neighbours`` of each item.

Every kernel works item by item with one accumulator of N numbers and keeps the best ``neighbours`` in a heap. Memory is
O(events + N · neighbours), never N × N.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baselines.counts.neighbour_lists import ItemLists
from baselines.counts.recency import whole_multiples
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet

if TYPE_CHECKING:
    from baselines.counts import kernels
else:
    kernels = LazyModule("baselines.counts.kernels")

BITSET_LIMIT = 1 << 28  # bytes that one table of bits takes at most; above it, lists are searched
BLOCK_ENTRIES = 1 << 22  # entries of the padded lists that one kernel call fills at most: 32 MB


@dataclass(frozen=True, eq=False)
class Profiles:
    """The items of each profile (a user or a session) with their counts, indexed by profile and by item.

    profile_offsets (S + 1,), profile_items (P,), profile_counts (P,): the distinct items of each profile, ascending,
    and how often the profile holds each; item_offsets (N + 1,), item_profiles (P,), item_counts (P,): the same by item.
    """

    profile_offsets: np.ndarray
    profile_items: np.ndarray
    profile_counts: np.ndarray
    item_offsets: np.ndarray
    item_profiles: np.ndarray
    item_counts: np.ndarray

    @classmethod
    def of(cls, train: TrainingSet, session_gap: float | None = None) -> Profiles:
        """Build the profiles of a training set: its sequences, cut as in profile_of_events."""
        owners = profile_of_events(train, session_gap)
        items = train.sequences.items
        num_profiles = int(owners[-1]) + 1 if len(owners) else 0
        return cls(*kernels.count_both_ways(items[items >= 0], owners[items >= 0], num_profiles, train.num_items))

    @property
    def num_items(self) -> int:
        """The size of the catalogue N."""
        return len(self.item_offsets) - 1

    @property
    def item_frequencies(self) -> np.ndarray:
        """The number of profiles that hold each item, (N,) int64."""
        return np.diff(self.item_offsets)

    def per_item(self, values: np.ndarray) -> np.ndarray:
        """Sum ``values`` (P,), ordered as item_counts, over the profiles of each item: (N,) float64."""
        owners = np.repeat(np.arange(self.num_items), self.item_frequencies)
        return np.bincount(owners, weights=values, minlength=self.num_items)


def profile_of_events(train: TrainingSet, session_gap: float | None) -> np.ndarray:
    """The profile number of each event, (E,) int64: its sequence, cut at gaps of more than ``session_gap`` seconds.

    Raises ValueError if a gap is given and the clock has no durations.
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


def cooccurrence_lists(
    profiles: Profiles,
    *,
    left: np.ndarray,
    right: np.ndarray,
    diagonal: np.ndarray,
    neighbours: int,
    order: tuple[int, np.ndarray] | None = None,
    left_multiplicity: bool = False,
    right_multiplicity: bool = False,
) -> ItemLists:
    """Lists of the ``neighbours`` best items j for each item i by left[i] · right[j] · C_ij; C counts shared profiles.

    Each profile that holds both adds 1 to C_ij, times its count of i with ``left_multiplicity`` and times its count
    of j with ``right_multiplicity``. ``diagonal`` (N,) replaces C_ii. Entries of 0 are left out; left and right (N,)
    float64 must be positive. ``order``: a power m and divisors d (N,) such that C_ij^m / d[j] orders the items as
    right[j] · C_ij does, without its rounding errors where d is whole; by default m = 1 and d = 1 / right.
    """
    power, divisors = order or (1, 1.0 / right)
    none = np.zeros(0, dtype=np.int32)
    bits = np.zeros((0, 0), dtype=np.uint64) if left_multiplicity or right_multiplicity else _bits(profiles)
    parts = []
    for start, stop in _blocks(profiles.num_items, neighbours):
        parts.append(
            kernels.cooccurrence_topk(
                profiles.profile_offsets, profiles.profile_items,
                profiles.profile_counts if right_multiplicity else none,
                profiles.item_offsets, profiles.item_profiles, profiles.item_counts if left_multiplicity else none,
                bits, left, right, diagonal, power, divisors, neighbours, start, stop,
            )
        )  # fmt: skip
    return _join(parts)


def _bits(profiles: Profiles) -> np.ndarray:
    """The profiles of each item as bits (N, W) uint64, or (0, 0) where comparing bits is not worth it."""
    words = (len(profiles.profile_offsets) + 62) // 64
    pairs = float(np.square(np.diff(profiles.profile_offsets).astype(np.float64)).sum())
    if profiles.num_items * words * 8 > BITSET_LIMIT or pairs < profiles.num_items * words:
        return np.zeros((0, 0), dtype=np.uint64)
    return kernels.pack_bits(profiles.item_offsets, profiles.item_profiles, words)


def successor_lists(train: TrainingSet, weights: np.ndarray, neighbours: int, *, last_only: bool = False) -> ItemLists:
    """Lists of the ``neighbours`` items that follow each item most; an event d steps later adds weights[d − 1].

    Sums are exact where the weights are fractions (recency.whole_multiples), else float64: items with equal sums go by
    number. With ``last_only`` a sequence counts only its last occurrence of an item that has a successor.
    """
    sequences = train.sequences
    order = np.argsort(sequences.items, kind="stable")
    order = order[np.searchsorted(sequences.items[order], 0) :]  # unknown items have no list
    item_offsets = np.concatenate([[0], np.cumsum(np.bincount(sequences.items[order], minlength=train.num_items))])
    ends = np.repeat(sequences.offsets[1:], sequences.lengths)
    whole, scale = whole_multiples(weights)
    parts = []
    for start, stop in _blocks(train.num_items, neighbours):
        parts.append(
            kernels.successor_topk(
                sequences.items, ends, order, item_offsets, whole, 1 / scale, neighbours, last_only, start, stop
            )
        )
    return _join(parts)


def _blocks(num_items: int, neighbours: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of items whose padded lists hold at most BLOCK_ENTRIES entries (at least one item)."""
    step = max(1, BLOCK_ENTRIES // neighbours)
    for start in range(0, num_items, step):
        yield start, min(start + step, num_items)


def _join(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> ItemLists:
    """Concatenate the lists of consecutive blocks."""
    lengths = np.concatenate([part[0] for part in parts])
    items = np.concatenate([part[1][np.arange(part[1].shape[1]) < part[0][:, None]] for part in parts])
    weights = np.concatenate([part[2][np.arange(part[2].shape[1]) < part[0][:, None]] for part in parts])
    return ItemLists(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), items, weights)
