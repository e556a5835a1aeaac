"""Planted habits: the next item depends on the last item and on a habit shared by many users."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.checks import check_range
from recsys_data.generated.generated_dataset import GeneratedDataset
from recsys_data.generated.planted import best_mrr
from recsys_data.interactions import Clock, Interactions


@dataclass(frozen=True)
class PlantedHabits(GeneratedDataset):
    """Items on a ring: a habit determines a step of 1 or 5 after each item; a share ``stray`` of the steps is random.

    Each of the ``habits`` draws one step per item with equal probability; users are assigned to habits evenly. A model
    that infers the habit, from the user or a long history, can predict every item except strays; a model that reads
    only the last item can rank the two possible items first, the one of more habits before the other.
    """

    habits: int = 40
    num_users: int = 400
    num_items: int = 24
    length: int = 40
    stray: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(self, "habits", at_least=1, at_most=self.num_users)
        check_range(self, "stray", at_least=0, below=1)

    @property
    def name(self) -> str:
        """The data set's name, with the number of habits."""
        return f"Habits decide: {self.habits} habits"

    def load(self, folder: Path | None = None) -> Interactions:
        """Generate the events, with facts["best"] and facts["chance"] (from the last item alone) as MRR@20."""
        rng = np.random.default_rng(self.seed)
        steps = np.where(rng.random((self.habits, self.num_items)) < 0.5, 1, 5)
        own = steps[rng.permutation(np.arange(self.num_users) % self.habits)]  # (users, items)
        walk = rng.integers(self.num_items, size=(self.num_users, self.length))  # the items of strays
        strays = rng.random(walk.shape) < self.stray
        users = np.arange(self.num_users)
        for at in range(1, self.length):
            last = walk[:, at - 1]
            walk[:, at] = np.where(strays[:, at], walk[:, at], (last + own[users, last]) % self.num_items)
        left = walk[:, :-1]
        seen = np.bincount(left.ravel(), minlength=self.num_items)
        by_one = np.bincount(left[own[users[:, None], left] == 1], minlength=self.num_items)
        reached = [self._best(share) for share in by_one / np.maximum(seen, 1)]
        return Interactions.from_events(
            self.name,
            np.repeat(users, self.length),
            walk.ravel(),
            None,
            clock=Clock.WITHIN,
            facts={"best": {"MRR@20": self._best(1.0)}, "chance": {"MRR@20": float(np.average(reached, weights=seen))}},
        )

    def _best(self, share: float) -> float:
        """The best MRR@20 after an item where ``share`` of the habitual steps are 1 and the others 5."""
        probabilities = np.full(self.num_items, self.stray / self.num_items)
        probabilities[:2] += (1.0 - self.stray) * np.array([share, 1.0 - share])
        return best_mrr(probabilities)
