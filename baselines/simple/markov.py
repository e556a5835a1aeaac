"""A first-order Markov chain over items.

Devooght and Bersini (2017) call it MM; ``counting="last_occurrence"`` counts as their code does. session-rec keeps the
20 best successors of each item (``neighbours=20``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from baselines.counts.cooccurrence import successor_lists
from baselines.simple.popularity import as_back_off
from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.scores import Sparse
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class MarkovChain:
    """Scores an item by how often it directly follows the last item read.

    counting: "every" adjacent pair of a training sequence, or only the "last_occurrence" of each item in it that has a
    successor. neighbours: successors kept for each item, None for all; where the cut falls into a tie, the lower item
    numbers are kept. With ``popularity_back_off`` all other items rank by popularity below the successors; without it
    they tie at 0. An empty history and an unknown last item get the back-off alone. Users are ignored. Successors with
    equal counts tie.
    """

    counting: Literal["every", "last_occurrence"] = "every"
    neighbours: int | None = None
    popularity_back_off: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "markov"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        check_choice(self, "counting", ("every", "last_occurrence"))
        check_range(self, "neighbours", at_least=1, or_none=True)

    def fit(self, train: TrainingSet, run: Run) -> MarkovChain:
        """Count the successors of each item."""
        most = max(1, min(train.num_items, int(train.item_counts.max(initial=1))))  # no item has more successors
        neighbours = most if self.neighbours is None else min(self.neighbours, most)
        self.successors_ = successor_lists(train, np.ones(1), neighbours, last_only=self.counting == "last_occurrence")
        self.default_ = as_back_off(train.item_counts) if self.popularity_back_off else 0.0
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """Successor counts of the last item read, (M, N)."""
        return self.successors_.of_last_item(batch, self.default_)
