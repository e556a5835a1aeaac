"""The last events before each query, for models that may read nothing else."""

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
        yield _last_events(batch, np.arange(start, min(start + QUERIES_PER_BLOCK, len(batch.query_positions))), max_len)


def query_windows(
    batch: SequenceBatch, max_len: int, *, shared: bool
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield queries (m,), windows of items (B, T ≤ max_len), and the window and the events read of each query, (m,).

    Each query reads the first ``reads`` ≥ 1 events of its window, which are the last of its history. Where windows are
    ``shared``, a row's queries after at most ``max_len`` events have one window; every other query has its own. Queries
    of an empty history have none.
    """
    rows, reads = batch.query_positions.T
    short = np.flatnonzero((reads > 0) & (reads <= max_len) & shared)
    if len(short):
        wanted, windows = np.unique(rows[short], return_inverse=True)
        yield short, batch.items[wanted, : reads[short].max()].astype(np.int64), windows.reshape(-1), reads[short]
    rest = np.flatnonzero((reads > 0) & ~((reads <= max_len) & shared))
    rest = rest[np.argsort(np.minimum(reads[rest], max_len), kind="stable")]  # like lengths together
    for start in range(0, len(rest), QUERIES_PER_BLOCK):
        queries = rest[start : start + QUERIES_PER_BLOCK]
        items, counts = _last_events(batch, queries, max_len)
        yield queries, items, np.arange(len(queries)), counts


def _last_events(batch: SequenceBatch, queries: np.ndarray, max_len: int) -> tuple[np.ndarray, np.ndarray]:
    """The items (m, T ≥ 1) that each of ``queries`` reads, PAD on the right, and their counts (m,)."""
    rows, reads = batch.query_positions[queries].T
    counts = np.minimum(reads, max_len)
    steps = np.arange(max(1, counts.max()))
    places = np.minimum((reads - counts)[:, None] + steps, batch.items.shape[1] - 1)
    return np.where(steps < counts[:, None], batch.items[rows[:, None], places], PAD).astype(np.int64), counts
