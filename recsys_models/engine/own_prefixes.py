"""Own prefixes: for each query the last events before it, in a row of its own, where a model may read nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsys_data.sequences import PAD, SequenceBatch

QUERIES_AT_ONCE = 1024  # each reads up to max_len events of its own


def own_prefixes(batch: SequenceBatch, max_len: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The items (m, T ≥ 1) that each query reads, PAD behind, and how many those are, (m,): at most ``max_len``.

    The queries come in their order, at most QUERIES_AT_ONCE together.
    """
    for start in range(0, len(batch.asked), QUERIES_AT_ONCE):
        rows, reads = batch.asked[start : start + QUERIES_AT_ONCE].T
        counts = np.minimum(reads, max_len)
        steps = np.arange(max(1, counts.max()))
        places = np.minimum((reads - counts)[:, None] + steps, batch.items.shape[1] - 1)
        yield np.where(steps < counts[:, None], batch.items[rows[:, None], places], PAD).astype(np.int64), counts
