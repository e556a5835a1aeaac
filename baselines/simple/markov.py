"""The first-order Markov chain over items.

Devooght and Bersini (2017) use it as MM with their own way of counting, which ``counting="last_occurrence"`` is;
session-rec keeps the 20 best successors of each item, which ``neighbours=20`` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from baselines.counts.cooccurrence import top_following
from baselines.simple.popularity import as_back_off
from recsys_data.interactions import Clock
from recsys_data.scores import Sparse
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class MarkovChain:
    """Scores an item by how often it came right after the last item read.

    counting: "every" adjacent pair of a training sequence, or of each item's pairs in it the last one only, that of its
    "last_occurrence" with something after it.
    neighbours: successors kept for each item, None for all. With ``popularity_back_off`` the items that never came
    next rank among themselves by popularity, below all that did; without it they tie at 0. An empty history and an
    unknown last item have no successors, so they get the back-off alone. Users are not looked at. Successors counted
    equally often tie; where ``neighbours`` cuts through a tie the lower item numbers are kept.
    """

    counting: Literal["every", "last_occurrence"] = "every"
    neighbours: int | None = None
    popularity_back_off: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "markov"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        if self.counting not in ("every", "last_occurrence"):
            raise ValueError(f"counting must be 'every' or 'last_occurrence', got {self.counting!r}")
        if self.neighbours is not None and self.neighbours < 1:
            raise ValueError(f"neighbours must be at least 1 or None, got {self.neighbours}")

    def fit(self, train: TrainingSet, run: Run) -> MarkovChain:
        """Count the successors of each item."""
        most = max(1, min(train.num_items, int(train.item_counts.max(initial=1))))  # no item has more successors
        kept = most if self.neighbours is None else min(self.neighbours, most)
        self.successors_ = top_following(train, np.ones(1), kept, last_only=self.counting == "last_occurrence")
        self.default_ = as_back_off(train.item_counts) if self.popularity_back_off else 0.0
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """Successor counts of the last item read, (M, N)."""
        return self.successors_.of_last_item(batch, self.default_)
