"""LastItemRepeat: the items read last, newest first."""

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


@dataclass
class LastItemRepeat:
    """Scores the item read l events before the newest by 1 / (1 + l), for the last ``depth`` events.

    A repeated item counts at its newest position. All other items tie at 0, as do all items for an empty history;
    events of unknown items are skipped. Users are ignored.
    """

    depth: int = 1

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"repeats"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        check_range(self, "depth", at_least=1)

    def fit(self, train: TrainingSet, run: Run) -> LastItemRepeat:
        """Store the number of items."""
        self.num_items_ = train.num_items
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """Reciprocal ages of the last items, (M, N)."""
        lags = np.arange(self.depth)
        rows, places = batch.query_positions[:, :1], batch.query_positions[:, 1:] - 1 - lags  # (M, depth)
        items = np.where(places >= 0, batch.items[rows, np.maximum(places, 0)], -1)
        queries, lag = np.nonzero(items >= 0)  # newest first within a query
        first = np.unique(queries * self.num_items_ + items[queries, lag], return_index=True)[1]
        queries, lag = queries[first], lag[first]
        weights = (1.0 / (1 + lag)).astype(np.float32)
        shape = (len(batch.query_positions), self.num_items_)
        return Sparse(sparse.coo_array((weights, (queries, items[queries, lag])), shape=shape).tocsr())
