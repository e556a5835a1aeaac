"""What each query of a batch may read: plain lists, one query at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys_data.sequences import SequenceBatch


@dataclass(frozen=True, eq=False)
class History:
    """One query: the items (T,) it may read, their times, whose they are (−1 anonymous), and when it is asked."""

    items: np.ndarray
    times: np.ndarray
    user: int
    when: float

    def items_with_start(self, start: int) -> np.ndarray:
        """``start``, the number of the START vector, and then the items, (1 + T,)."""
        return np.concatenate([[start], self.items]).astype(np.int64)


def histories(batch: SequenceBatch) -> Iterator[History]:
    """Each query of ``batch`` on its own."""
    for (row, read), when in zip(batch.query_positions.tolist(), batch.query_times.tolist(), strict=True):
        yield History(batch.items[row, :read], batch.timestamps[row, :read], int(batch.users[row]), when)
