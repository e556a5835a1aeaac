"""Session popularity: the most frequent items of the history (S-POP of Hidasi et al., ICLR 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from baselines.counts.neighbour_lists import ItemLists, ListSums
from baselines.simple.popularity import as_back_off
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class SessionPopularity:
    """Scores an item by its count in the history; popularity in training, scaled below 1, breaks ties.

    An empty history gets the popularity alone. Users are ignored. Items that are equal in both tie.
    """

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"popularity"})

    def fit(self, train: TrainingSet, run: Run) -> SessionPopularity:
        """Count the events of each item."""
        self.back_off_ = as_back_off(train.item_counts)
        return self

    def score(self, batch: SequenceBatch) -> ListSums:
        """Counts in the history plus the tie-break, (M, N)."""
        num_items = len(self.back_off_)
        identity = ItemLists(np.arange(num_items + 1), np.arange(num_items), np.ones(num_items, dtype=np.float32))
        return ListSums(identity, batch.items, batch.query_positions, start=self.back_off_)
