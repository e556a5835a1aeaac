"""Planted habits: users who go on from the same item in different ways, each way a habit that many users share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.datasets.generated import GeneratedDataset
from recsys_data.datasets.planted import best_mrr
from recsys_data.interactions import Clock, Interactions


@dataclass(frozen=True)
class PlantedHabits(GeneratedDataset):
    """Items on a ring: a user goes 1 on or 5 on from an item; which way, a habit says; with chance ``stray`` anywhere.

    There are ``habits`` of them, each a coin flipped once for every item; users are dealt out to them. Who knows the
    habit, by the user or from a long history, knows the item but for strays; who goes by the last item alone can put
    two items first, the one that more of the coins say before the other.
    """

    habits: int = 40
    num_users: int = 400
    num_items: int = 24
    length: int = 40
    stray: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.habits <= self.num_users:
            raise ValueError(f"habits must be between 1 and num_users ({self.num_users}), got {self.habits}")
        if not 0.0 <= self.stray < 1.0:
            raise ValueError(f"stray must be at least 0 and below 1, got {self.stray}")

    @property
    def name(self) -> str:
        """The data set's name, with the number of habits."""
        return f"Habits decide: {self.habits} habits"

    def load(self, folder: Path | None = None) -> Interactions:
        """The events, with facts["best"] and facts["chance"] (of who goes by the last item alone) as MRR@20."""
        rng = np.random.default_rng(self.seed)
        steps = np.where(rng.random((self.habits, self.num_items)) < 0.5, 1, 5)
        own = steps[rng.permutation(np.arange(self.num_users) % self.habits)]  # (users, items)
        walk = rng.integers(self.num_items, size=(self.num_users, self.length))  # where strays go
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
        """The best MRR@20 after an item from which ``share`` of the moves by habit go 1 on, the others 5 on."""
        probabilities = np.full(self.num_items, self.stray / self.num_items)
        probabilities[:2] += (1.0 - self.stray) * np.array([share, 1.0 - share])
        return best_mrr(probabilities)
