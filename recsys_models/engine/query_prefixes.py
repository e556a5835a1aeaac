"""The last events before each query, one row per query, for models that may read nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsys_data.sequences import PAD, SequenceBatch

QUERIES_PER_BLOCK = 1024  # each reads up to max_len events of its own


def query_prefixes(batch: SequenceBatch, max_len: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the items (m, T ≥ 1) that each query reads, PAD on the right, and their counts (m,), at most ``max_len``.

    The queries keep their order, at most QUERIES_PER_BLOCK in a block.
    """
    for start in range(0, len(batch.query_positions), QUERIES_PER_BLOCK):
        rows, reads = batch.query_positions[start : start + QUERIES_PER_BLOCK].T
        counts = np.minimum(reads, max_len)
        steps = np.arange(max(1, counts.max()))
        places = np.minimum((reads - counts)[:, None] + steps, batch.items.shape[1] - 1)
        yield np.where(steps < counts[:, None], batch.items[rows[:, None], places], PAD).astype(np.int64), counts
