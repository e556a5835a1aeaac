"""The history of each query of a batch, one query at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys_data.sequences import SequenceBatch


@dataclass(frozen=True, eq=False)
class History:
    """One query: its items (T,), their times, its user (−1 anonymous) and its time."""

    items: np.ndarray
    times: np.ndarray
    user: int
    when: float

    def items_with_start(self, start: int) -> np.ndarray:
        """The number ``start`` of the START vector and then the items, (1 + T,)."""
        return np.concatenate([[start], self.items]).astype(np.int64)


def histories(batch: SequenceBatch) -> Iterator[History]:
    """Yield each query of ``batch``."""
    for (row, read), when in zip(batch.query_positions.tolist(), batch.query_times.tolist(), strict=True):
        yield History(batch.items[row, :read], batch.timestamps[row, :read], int(batch.users[row]), when)
