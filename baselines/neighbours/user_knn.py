"""User-kNN: the items of users with similar histories (cosine of binary histories, as in Devooght and Bersini 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from baselines.counts.nearest_sequences import NO_SAMPLING, NearestSequences, ordered_profiles
from recsys_data.checks import check_range
from recsys_data.sequences import UNKNOWN, SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class UserKNN:
    """Scores an item by the summed similarity of the nearest training users (or sessions) that hold it.

    Similarity is the cosine of the sets of items, |q ∩ u| / √(|q| |u|), over the whole history read; of equally similar
    users those that come first in training are taken. Neighbours are found by the history alone, so unknown users are
    handled like known ones; with ``exclude_self`` known users are not their own neighbours. An empty history and one of
    unknown items have no neighbours: all items tie at 0, as do items of no neighbour.
    """

    neighbours: int = 80
    exclude_self: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        check_range(self, "neighbours", at_least=1)

    def fit(self, train: TrainingSet, run: Run) -> UserKNN:
        """Index the users by item."""
        self.profiles_ = ordered_profiles(train, None)
        owners = train.sequences.users
        self.profile_of_user_ = np.full(int(max(train.num_users, owners.max(initial=UNKNOWN) + 1)), -1, dtype=np.int64)
        known = owners != UNKNOWN
        self.profile_of_user_[owners[known]] = np.flatnonzero(known)
        return self

    def score(self, batch: SequenceBatch) -> NearestSequences:
        """Summed similarities, (M, N)."""
        users = batch.users[batch.query_positions[:, 0]]
        known = (users >= 0) & (users < len(self.profile_of_user_)) & self.exclude_self
        excluded = np.full(len(users), -1, dtype=np.int64)
        excluded[known] = self.profile_of_user_[users[known]]
        longest = int(batch.query_positions[:, 1].max(initial=0))
        num_items = self.profiles_.num_items
        return NearestSequences(
            self.profiles_, batch.items, batch.query_positions, excluded, np.ones(longest + 1), 0, np.ones(longest + 1),
            "cosine", np.ones(num_items), NO_SAMPLING, self.neighbours, max(longest, 1),
        )  # fmt: skip
