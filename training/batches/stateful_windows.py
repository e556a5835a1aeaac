"""Windows that carry the recurrent state to the next window of the same sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys_data.sequences import PAD, Sequences
from training.batches.windows import WindowBatch


@dataclass(frozen=True, eq=False)
class StatefulBatch(WindowBatch):
    """Windows that continue those of the batch before.

    slots (B,) int64: the slot, below ``num_slots``, of each window's state; fresh (B,) bool: whether its sequence
    begins here, with a new state.
    """

    slots: np.ndarray
    fresh: np.ndarray
    num_slots: int


@dataclass(frozen=True)
class StatefulWindows:
    """Every event is a target once; each sequence is read from its start in windows of ``max_len`` by one slot.

    ``batch_size`` slots read sequences side by side, in a shuffled order or, with ``shuffled`` false, in theirs; after
    a sequence, a slot begins the next one with a new state. Towards the end of an epoch, fewer slots are active. This
    is truncated backpropagation through time with resets at sequence boundaries; batches must be used in order.
    """

    max_len: int
    batch_size: int
    shuffled: bool = True

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[StatefulBatch]:
        """The batches of one epoch; the order of sequences is drawn from ``generator``."""
        lengths = sequences.lengths
        waiting = np.flatnonzero(lengths)
        waiting = generator.permutation(waiting) if self.shuffled else waiting
        slots = np.arange(min(self.batch_size, len(waiting)))
        num_slots, taken = len(slots), len(slots)
        rows, done = waiting[:taken].copy(), np.zeros(len(slots), dtype=np.int64)
        while len(rows):
            size = np.minimum(lengths[rows] - done, self.max_len)
            steps = np.arange(size.max())
            events = (sequences.offsets[rows] + done)[:, None] + steps
            events[steps >= size[:, None]] = PAD
            yield StatefulBatch(sequences, events, rows.copy(), slots.copy(), done == 0, num_slots)
            done += size
            finished = np.flatnonzero(done == lengths[rows])
            following = waiting[taken : taken + len(finished)]
            taken += len(following)
            rows[finished[: len(following)]] = following
            done[finished] = 0
            going = np.ones(len(rows), dtype=bool)
            going[finished[len(following) :]] = False
            rows, done, slots = rows[going], done[going], slots[going]
