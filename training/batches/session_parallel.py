"""Session-parallel batches: one event of every running session per step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys_data.sequences import Sequences
from training.batches.stateful_windows import StatefulBatch

ORDERS = ("time", "listed", "shuffled")


@dataclass(frozen=True)
class SessionParallel:
    """Every event but a session's first is a target once; ``batch_size`` slots each read one event per step.

    Each slot reads one session; after its last event, the next waiting session takes the slot, with a new state (Hidasi
    et al. 2016, section 3.1.1). Sessions start in the ``order`` of "time", that of their first events (ties as listed),
    as "listed", or "shuffled" anew in each epoch. When no session waits, finished slots are dropped; with fewer than
    ``min_sessions`` left the epoch ends, and their remaining events are skipped. Sessions of one event have no target
    and are skipped. Batches are StatefulBatches of one step, (B, 1), and must be used in order.
    """

    batch_size: int
    order: str = "time"
    min_sessions: int = 1

    def ordered_sessions(self, sequences: Sequences, generator: np.random.Generator) -> np.ndarray:
        """The sessions with a target, in the order in which they start."""
        rows = np.flatnonzero(sequences.lengths > 1)
        if self.order == "time":
            return rows[np.argsort(sequences.timestamps[sequences.offsets[rows]], kind="stable")]
        return generator.permutation(rows) if self.order == "shuffled" else rows

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[StatefulBatch]:
        """The batches of one epoch; ``generator`` draws the order where it is shuffled."""
        waiting = self.ordered_sessions(sequences, generator)
        taken = num_slots = min(self.batch_size, len(waiting))
        rows, slots = waiting[:taken], np.arange(taken)
        at, stops = sequences.offsets[rows], sequences.offsets[rows + 1]  # the input event, the end of its session
        fresh = np.ones(taken, dtype=bool)
        while len(rows) >= max(self.min_sessions, 1):
            steps = int((stops - at).min()) - 1  # until the first of these sessions ends
            for _ in range(steps):
                at = at + 1
                yield StatefulBatch(sequences, at[:, None], rows, slots, fresh, num_slots)
                fresh = np.zeros(len(rows), dtype=bool)
            fresh = at + 1 == stops
            ended = np.flatnonzero(fresh)
            following = waiting[taken : taken + len(ended)]
            taken += len(following)
            rows, at, stops = rows.copy(), at.copy(), stops.copy()
            begun = ended[: len(following)]
            rows[begun], at[begun] = following, sequences.offsets[following]
            stops[begun] = sequences.offsets[following + 1]
            if len(following) < len(ended):
                going = np.ones(len(rows), dtype=bool)
                going[ended[len(following) :]] = False
                rows, slots, at, stops, fresh = rows[going], slots[going], at[going], stops[going], fresh[going]
