"""Sequences, and SequenceBatch: padded histories with their queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PAD = -1  # the item of a padded slot; never a valid item: item 0 is not padding
UNKNOWN = -1  # a user or an item that training has not seen


@dataclass(frozen=True, eq=False)
class Sequences:
    """Ragged sequences of events, concatenated.

    items (E,) int32 and timestamps (E,) float64, oldest first; offsets (S + 1,) int64; users (S,) int32 with
    UNKNOWN (−1) for anonymous sessions.
    """

    items: np.ndarray
    timestamps: np.ndarray
    offsets: np.ndarray
    users: np.ndarray

    def __len__(self) -> int:
        """The number of sequences S."""
        return len(self.users)

    @property
    def lengths(self) -> np.ndarray:
        """The number of events of each sequence, (S,) int64."""
        return np.diff(self.offsets)

    def row(self, s: int) -> np.ndarray:
        """The items of sequence s, oldest first."""
        return self.items[self.offsets[s] : self.offsets[s + 1]]

    def owners(self) -> np.ndarray:
        """The sequence number of every event, (E,) int64."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def pad(self, rows: np.ndarray, stops: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Pad the first ``stops`` events (all by default) of each of ``rows`` on the right with PAD.

        Returns items (B, T) int64 and timestamps (B, T) float64, T the longest length (at least 1); padded
        slots have the item PAD and the time 0.
        """
        starts = self.offsets[rows]
        counts = self.lengths[rows] if stops is None else np.minimum(stops, self.lengths[rows])
        width = max(1, int(counts.max(initial=0)))
        steps = np.arange(width)
        filled = steps < counts[:, None]
        source = (starts[:, None] + steps)[filled]
        items = np.full((len(rows), width), PAD, dtype=np.int64)
        timestamps = np.zeros((len(rows), width))
        items[filled] = self.items[source]
        timestamps[filled] = self.timestamps[source]
        return items, timestamps


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Histories and queries, without the targets.

    items (B, T) int64, right-padded with PAD; timestamps (B, T) float64; users (B,) int64, −1 when unknown or
    anonymous; query_positions (M, 2) int64: (row, history length) of each query, where 0 is the empty history;
    query_times (M,) float64, the time of the next event, NaN where the protocol withholds it. A row may be longer than
    the history of a query: a model must use only the first ``query_positions[m, 1]`` events for query m.
    """

    items: np.ndarray
    timestamps: np.ndarray
    users: np.ndarray
    query_positions: np.ndarray
    query_times: np.ndarray

    @classmethod
    def of(
        cls,
        histories: list[list[int]],
        *,
        timestamps: list[list[float]] | None = None,
        users: list[int] | None = None,
        query_positions: list[tuple[int, int]] | None = None,
    ) -> SequenceBatch:
        """Build a batch from lists; by default each row has one query, after its last event."""
        width = max(1, max((len(row) for row in histories), default=1))
        items = np.full((len(histories), width), PAD, dtype=np.int64)
        times = np.zeros((len(histories), width))
        for b, row in enumerate(histories):
            items[b, : len(row)] = row
            times[b, : len(row)] = np.arange(len(row)) if timestamps is None else timestamps[b]
        pairs = query_positions if query_positions is not None else [(b, len(row)) for b, row in enumerate(histories)]
        return cls(
            items=items,
            timestamps=times,
            users=np.asarray(users if users is not None else [UNKNOWN] * len(histories), dtype=np.int64),
            query_positions=np.asarray(pairs, dtype=np.int64).reshape(-1, 2),
            query_times=np.full(len(pairs), np.nan),
        )

    @property
    def lengths(self) -> np.ndarray:
        """The number of events in each row, (B,) int64."""
        return (self.items != PAD).sum(axis=1)

    def last_items(self) -> np.ndarray:
        """The last item in the history of each query, (M,) int64; PAD for an empty history."""
        rows, read = self.query_positions[:, 0], self.query_positions[:, 1]
        return np.where(read > 0, self.items[rows, np.maximum(read - 1, 0)], PAD)
