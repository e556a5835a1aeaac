"""Association rules and sequential rules of size two, read off the last item.

Kamehkhosh, Jannach and Ludewig (TempRec at RecSys 2017), "A comparison of frequent pattern techniques and a deep
learning method for session-based recommendation"; Ludewig and Jannach (UMUAI 2018) for the weights and the pruning.

Departures. None from session-rec's counting: an association rule counts pairs of events, so that repeats count, an
item with itself too. Pruning ties go to the lower item number (there: to the pair met first).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from baselines.counts.cooccurrence import Units, top_following, top_together
from baselines.counts.recency import Decay, check_decay, decay_weights
from baselines.simple.popularity import as_back_off
from recsys_data.interactions import Clock
from recsys_data.scores import Sparse
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


def scaled_back_off(counts: np.ndarray, smallest: float) -> np.ndarray:
    """Popularity (N,) as float32 below the smallest weight of any rule."""
    return as_back_off(counts) * np.float32(2.0 ** np.floor(np.log2(smallest))) if smallest > 0 else as_back_off(counts)


@dataclass
class AssociationRules:
    """Scores an item by the number of event pairs, in any order, that it makes with the last item in training units.

    neighbours: rules kept for each item. With ``popularity_back_off`` items without a rule rank by popularity below
    all others; without it they tie at 0. An empty history and an unknown last item get the back-off alone. Users are
    not looked at; equally frequent rules tie.
    """

    neighbours: int = 20
    popularity_back_off: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be at least 1, got {self.neighbours}")

    def fit(self, train: TrainingSet, run: Run) -> AssociationRules:
        """Count the pairs."""
        units = Units.of(train)
        counts = units.item_counts.astype(np.float64)
        plain = np.ones(train.num_items)
        self.rules_ = top_together(
            units, left=plain, right=plain, own=units.per_item(counts * (counts - 1)), neighbours=self.neighbours,
            own_counts=True, other_counts=True,
        )  # fmt: skip
        self.default_ = as_back_off(train.item_counts) if self.popularity_back_off else 0.0
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """The weights of the last item's rules, (M, N)."""
        return self.rules_.of_last_item(batch, self.default_)


@dataclass
class SequentialRules:
    """Scores an item by how often it came up to ``steps`` places after the last item, weighted by the distance.

    ``decay``: the weight of a distance (see decay_weights); ``steps=1`` is the Markov chain. Everything else is as in
    AssociationRules.
    """

    steps: int = 10
    decay: Decay = "reciprocal"
    neighbours: int = 20
    popularity_back_off: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "markov"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        for name in ("steps", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        check_decay("decay", self.decay)

    def fit(self, train: TrainingSet, run: Run) -> SequentialRules:
        """Weigh the ordered pairs."""
        weights = decay_weights(self.decay, self.steps)
        self.rules_ = top_following(train, weights, self.neighbours)
        smallest = float(self.rules_.weights.min(initial=1.0))
        self.default_ = scaled_back_off(train.item_counts, smallest) if self.popularity_back_off else 0.0
        return self

    def score(self, batch: SequenceBatch) -> Sparse:
        """The weights of the last item's rules, (M, N)."""
        return self.rules_.of_last_item(batch, self.default_)
