"""Popularity: the same ranking for every query, the most frequent items first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys_data.checks import check_range
from recsys_data.interactions import Clock
from recsys_data.lazy_module import LazyModule
from recsys_data.scores import Sparse
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

sparse = LazyModule("scipy.sparse")


def as_back_off(counts: np.ndarray) -> np.ndarray:
    """Scale counts (N,) exactly, by a power of two, into [0, 1) as float32, so that they rank below any count.

    Equal counts stay equal, and different ones different up to 2²⁴ events per item.
    """
    exponent = int(np.max(counts, initial=0)).bit_length()
    return np.ldexp(counts.astype(np.float32), -exponent)


def same_for_all(batch: SequenceBatch, scores: np.ndarray) -> Sparse:
    """The scores (N,) repeated for every query."""
    return Sparse(sparse.csr_array((len(batch.query_positions), len(scores)), dtype=np.float32), scores)


@dataclass
class Popularity:
    """Scores an item by the number of training events on it, over all time.

    All queries get the same scores, unknown users and empty histories too; items with equal counts tie.
    """

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"popularity"})

    def fit(self, train: TrainingSet, run: Run) -> Popularity:
        """Count the events of each item."""
        self.counts_ = train.item_counts.astype(np.float32)
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """Training counts, the same for each query; (M, N)."""
        return same_for_all(batch, self.counts_)


@dataclass
class RecentPopularity:
    """Scores an item by the number of events on it among the newest training events of all users.

    The window is the last ``days`` before the newest training event (timestamps in seconds) or, with ``days`` None, the
    newest ``share`` of the events. Events with the same time as the oldest one in the window are in it too, so that the
    order of ties in time has no effect. Items without an event in the window rank by their count over all time, below
    the others. All queries get the same scores, unknown users and empty histories too.
    """

    share: float = 0.1
    days: float | None = None

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"popularity"})
    clock: ClassVar[Clock] = Clock.BETWEEN

    def __post_init__(self) -> None:
        check_range(self, "share", above=0, at_most=1)
        check_range(self, "days", above=0, or_none=True)

    def fit(self, train: TrainingSet, run: Run) -> RecentPopularity:
        """Count the events of each item in the window."""
        times = train.sequences.timestamps
        if not train.clock.has_global_order:
            raise ValueError(
                f"RecentPopularity needs events of different users in order, but this training set's clock is "
                f"'{train.clock.value}'; use Popularity"
            )
        if self.days is not None and train.clock is not Clock.ABSOLUTE:
            raise ValueError(
                f"days={self.days:g} needs timestamps in seconds, but this training set's clock is "
                f"'{train.clock.value}'; give share instead"
            )
        if self.days is not None:
            oldest = times.max() - self.days * 86_400
        else:
            inside = max(1, round(self.share * len(times)))
            oldest = np.partition(times, len(times) - inside)[len(times) - inside]
        recent = np.bincount(train.sequences.items[times >= oldest], minlength=train.num_items)
        self.scores_ = np.where(recent > 0, recent, as_back_off(train.item_counts)).astype(np.float32)
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """Counts in the window, the same for each query; (M, N)."""
        return same_for_all(batch, self.scores_)
