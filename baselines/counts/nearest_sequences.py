"""NearestSequences: scores summed over the training profiles (users or sessions) nearest to a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baselines.counts.cooccurrence import Profiles, profile_of_events
from baselines.counts.recency import whole_multiples
from recsys_data.lazy_module import LazyModule
from recsys_data.scores import pick_items
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet

if TYPE_CHECKING:
    from baselines.counts import kernels
else:
    kernels = LazyModule("baselines.counts.kernels")

MEASURES = ("vector", "cosine", "jaccard")
NO_SAMPLING = np.iinfo(np.int32).max - 1


@dataclass(frozen=True, eq=False)
class NearestSequences:
    """Scores (M, N): the sum of similarity × lag weight × boost over the nearest profiles that hold an item.

    Candidates for a history are the first ``sample_size`` profiles, by number, that share an item with its last
    ``window`` events; the ``neighbours`` most similar of them count, ties going to the lower number (exact, except that
    sums of logarithmic weights are compared as float64). The similarity
    sums position_weights[n − p] · (p / n) ** power over the shared items, where p of n is the item's newest position,
    and divides by ``measure``: the number of different items in the query ("vector"), the root of the product of both
    sizes ("cosine") or the size of the union ("jaccard"). lag_weights: the weight of a profile by the lag (from 1) of
    its newest shared event. boosts (N,): a factor for each item. excluded (M,): a profile that is no candidate, or −1.
    """

    profiles: Profiles
    items: np.ndarray
    query_positions: np.ndarray
    excluded: np.ndarray
    position_weights: np.ndarray
    power: int
    lag_weights: np.ndarray
    measure: str
    boosts: np.ndarray
    sample_size: int
    neighbours: int
    window: int

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.query_positions), self.profiles.num_items

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the queries ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""
        profiles = self.profiles
        whole, scale = whole_multiples(self.position_weights)
        dense = kernels.nearest_sequence_sums(
            profiles.profile_offsets, profiles.profile_items, profiles.item_offsets, profiles.item_profiles,
            self.items, self.query_positions[rows], self.excluded[rows], whole, scale, self.power, self.lag_weights,
            MEASURES.index(self.measure), self.boosts, self.sample_size, self.neighbours, self.window,
        )  # fmt: skip
        return pick_items(dense, items)


def ordered_profiles(train: TrainingSet, order: np.ndarray | None, session_gap: float | None = None) -> Profiles:
    """Build the profiles of a training set, renumbered so that ``order[n]`` becomes n, or in order for None."""
    if order is None:
        return Profiles.of(train, session_gap)
    owners = profile_of_events(train, session_gap)
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(len(order))
    by_number = np.argsort(numbers[owners], kind="stable")
    by_number = by_number[train.sequences.items[by_number] >= 0]
    return Profiles(
        *kernels.count_both_ways(
            train.sequences.items[by_number], numbers[owners][by_number], len(order), train.num_items
        )
    )


def newest_first(train: TrainingSet, session_gap: float | None) -> np.ndarray:
    """Profile numbers by the time of the last event, newest first; equal times by number, highest first."""
    owners = profile_of_events(train, session_gap)
    last = np.flatnonzero(np.diff(owners, append=owners[-1] + 1))
    return np.argsort(train.sequences.timestamps[last], kind="stable")[::-1]


def no_exclusion(batch: SequenceBatch) -> np.ndarray:
    """−1 for every query, (M,): no profile is excluded."""
    return np.full(len(batch.query_positions), -1, dtype=np.int64)
