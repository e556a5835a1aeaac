"""TrainingSet: which events may be learnt from, and when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.interactions import Clock
from recsys_data.sequences import Sequences


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The events that a model may learn from; it sees held-out data in no other way.

    ``sequences`` holds one sequence a user (or session) with at least one event. ``num_users`` is 0 where sequences
    are anonymous sessions. Items are coded 0 … num_items − 1; every one of them is a candidate at test time.
    """

    sequences: Sequences
    num_users: int
    num_items: int
    clock: Clock

    def at(self, epoch: int) -> TrainingSet:
        """What may be learnt from in this epoch (from 1): itself, unless a protocol grows it."""
        return self

    @property
    def changes(self) -> tuple[int, ...]:
        """The epochs, ascending, that may learn from something else than the one before: none, unless it grows."""
        return ()

    @cached_property
    def item_counts(self) -> np.ndarray:
        """How often each item occurs in training, (num_items,) int64."""
        return np.bincount(self.sequences.items, minlength=self.num_items)

    def __len__(self) -> int:
        """The number of training events."""
        return len(self.sequences.items)
