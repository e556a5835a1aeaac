"""Association rules and sequential rules of size two, applied to the last item.

Kamehkhosh, Jannach and Ludewig (TempRec at RecSys 2017), "A comparison of frequent pattern techniques and a deep
learning method for session-based recommendation"; Ludewig and Jannach (UMUAI 2018) for the weights and the pruning.

Departures. Counting is as in session-rec: an association rule counts pairs of events, so that repeats count, pairs of
an item with itself too. Ties at the pruning cut go to the lower item number (there: to the pair found first).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np

from baselines.counts.cooccurrence import Profiles, cooccurrence_lists, successor_lists
from baselines.counts.recency import Recency, recency_weights
from baselines.simple.popularity import as_back_off
from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.scores import Sparse
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


def scaled_back_off(counts: np.ndarray, smallest: float) -> np.ndarray:
    """Scale popularity (N,) to float32 below the smallest weight of any rule."""
    return as_back_off(counts) * np.float32(2.0 ** np.floor(np.log2(smallest))) if smallest > 0 else as_back_off(counts)


@dataclass
class AssociationRules:
    """Scores an item by the number of event pairs, in any order, of it and the last item in a training profile.

    neighbours: rules kept for each item. With ``popularity_back_off`` items without a rule rank by popularity below all
    others; without it they tie at 0. An empty history and an unknown last item get the back-off alone. Users are
    ignored; rules with equal counts tie.
    """

    neighbours: int = 20
    popularity_back_off: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        check_range(self, "neighbours", at_least=1)

    def fit(self, train: TrainingSet, run: Run) -> AssociationRules:
        """Count the pairs."""
        profiles = Profiles.of(train)
        counts = profiles.item_counts.astype(np.float64)
        ones = np.ones(train.num_items)
        self.rules_ = cooccurrence_lists(
            profiles, left=ones, right=ones, diagonal=profiles.per_item(counts * (counts - 1)),
            neighbours=self.neighbours, left_multiplicity=True, right_multiplicity=True,
        )  # fmt: skip
        self.default_ = as_back_off(train.item_counts) if self.popularity_back_off else 0.0
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """The weights of the last item's rules, (M, N)."""
        return self.rules_.of_last_item(batch, self.default_)


@dataclass
class SequentialRules:
    """Scores an item by how often it follows the last item within ``steps`` events, weighted by the distance.

    recency: the weight of a distance (see recency_weights); ``steps=1`` is the Markov chain. The other fields are those
    of AssociationRules.
    """

    steps: int = 10
    recency: Recency = "reciprocal"
    neighbours: int = 20
    popularity_back_off: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "markov"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        check_range(self, "steps", "neighbours", at_least=1)
        check_choice(self, "recency", get_args(Recency))

    def fit(self, train: TrainingSet, run: Run) -> SequentialRules:
        """Count the ordered pairs, weighted by distance."""
        weights = recency_weights(self.recency, self.steps)
        self.rules_ = successor_lists(train, weights, self.neighbours)
        smallest = float(self.rules_.weights.min(initial=1.0))
        self.default_ = scaled_back_off(train.item_counts, smallest) if self.popularity_back_off else 0.0
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """The weights of the last item's rules, (M, N)."""
        return self.rules_.of_last_item(batch, self.default_)
