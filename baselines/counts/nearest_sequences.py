"""NearUnits: scores that are read off the training units (users or sessions) nearest to a history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baselines.counts.cooccurrence import Units, unit_of_events
from baselines.counts.kernels import count_both_ways, near_units
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet

MEASURES = ("vector", "cosine", "jaccard")
EVERYTHING = np.iinfo(np.int32).max - 1


@dataclass(frozen=True, eq=False)
class NearUnits:
    """Scores (M, N): the sum over the nearest units that hold an item of similarity × lag weight × boost.

    units: with the lowest numbers for those to be preferred as candidates. Candidates of a history are the first
    ``sample_size`` units that share an item with its last ``window`` events; the ``neighbours`` most similar of them
    count, ties going to the lower number. The similarity sums the weights of the shared items' places, each at its
    newest place p of n, places[n − p] · (p / n) ** power, and divides by what ``measure`` says: the number of
    different items in the query ("vector"), the root of the product of both sizes ("cosine"), the size of the union
    ("jaccard"). lags: a unit's weight by the lag (from 1) of its newest shared event. boosts (N,): a factor for each
    item. banned (M,): a unit that is no candidate, or −1.
    """

    units: Units
    items: np.ndarray
    asked: np.ndarray
    banned: np.ndarray
    places: np.ndarray
    power: int
    lags: np.ndarray
    measure: str
    boosts: np.ndarray
    sample_size: int
    neighbours: int
    window: int

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.asked), self.units.num_items

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the asked positions ``rows`` for all items (rows, N) or for candidates (rows, C) or (C,)."""
        units = self.units
        dense = near_units(
            units.unit_offsets, units.unit_items, units.item_offsets, units.item_units,
            self.items, self.asked[rows], self.banned[rows], self.places, self.power, self.lags,
            MEASURES.index(self.measure), self.boosts, self.sample_size, self.neighbours, self.window,
        )  # fmt: skip
        if items is None:
            return dense
        return dense[:, items] if items.ndim == 1 else np.take_along_axis(dense, items, 1)


def ordered_units(train: TrainingSet, order: np.ndarray | None, session_gap: float | None = None) -> Units:
    """The units of a training set renumbered so that unit ``order[n]`` becomes n; their own order with None."""
    if order is None:
        return Units.of(train, session_gap)
    owners = unit_of_events(train, session_gap)
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(len(order))
    by_number = np.argsort(numbers[owners], kind="stable")
    by_number = by_number[train.sequences.items[by_number] >= 0]
    return Units(
        *count_both_ways(train.sequences.items[by_number], numbers[owners][by_number], len(order), train.num_items)
    )


def newest_first(train: TrainingSet, session_gap: float | None) -> np.ndarray:
    """The units ordered by the time of their last event, newest first; of equal times the later number first."""
    owners = unit_of_events(train, session_gap)
    last = np.flatnonzero(np.diff(owners, append=owners[-1] + 1))
    return np.argsort(train.sequences.timestamps[last], kind="stable")[::-1]


def nobody(batch: SequenceBatch) -> np.ndarray:
    """No banned unit for any asked position, (M,)."""
    return np.full(len(batch.asked), -1, dtype=np.int64)
