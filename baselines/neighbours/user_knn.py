"""User-kNN: what users with a like history took (cosine on binary histories, as in Devooght and Bersini 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from baselines.counts.nearest_sequences import EVERYTHING, NearUnits, ordered_units
from recsys_data.sequences import UNKNOWN, SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class UserKNN:
    """Scores an item by the summed similarity of the nearest training users (or sessions) who took it.

    Similarity is the cosine of the sets of items, |q ∩ u| / √(|q| |u|), over the whole history read; of equally near
    users those who come first in training are taken. A user is looked up by the history alone, so unknown users are
    served like known ones; with ``exclude_self`` a known user is no neighbour of their own. An empty history and one
    of unknown items have no neighbours: all items tie at 0, as do items that no neighbour took.
    """

    neighbours: int = 80
    exclude_self: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be at least 1, got {self.neighbours}")

    def fit(self, train: TrainingSet, run: Run) -> UserKNN:
        """Index the users by item."""
        self.units_ = ordered_units(train, None)
        owners = train.sequences.users
        self.unit_of_user_ = np.full(int(max(train.num_users, owners.max(initial=UNKNOWN) + 1)), -1, dtype=np.int64)
        known = owners != UNKNOWN
        self.unit_of_user_[owners[known]] = np.flatnonzero(known)
        return self

    def score(self, batch: SequenceBatch) -> NearUnits:
        """Summed similarities, (M, N)."""
        users = batch.users[batch.asked[:, 0]]
        known = (users >= 0) & (users < len(self.unit_of_user_)) & self.exclude_self
        banned = np.full(len(users), -1, dtype=np.int64)
        banned[known] = self.unit_of_user_[users[known]]
        longest = int(batch.asked[:, 1].max(initial=0))
        num_items = self.units_.num_items
        return NearUnits(
            self.units_, batch.items, batch.asked, banned, np.ones(longest + 1), 0, np.ones(longest + 1),
            "cosine", np.ones(num_items), EVERYTHING, self.neighbours, max(longest, 1),
        )  # fmt: skip
