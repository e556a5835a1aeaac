"""Sequences, and SequenceBatch: padded histories with the positions that are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PAD = -1  # the item of a padded slot; never a valid item, so that item 0 cannot be mistaken for padding
UNKNOWN = -1  # a user that training has not seen, or an item that the protocol dropped


@dataclass(frozen=True, eq=False)
class Sequences:
    """Ragged event sequences, one after the other.

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
        """The first ``stops`` events (all by default) of each of ``rows``, padded right with PAD.

        Returns items (B, T) int64 and timestamps (B, T) float64, T the longest asked length (at least 1); padded
        slots repeat no event: their item is PAD and their time 0.
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
    """Histories and the positions that are asked for; targets are never in it.

    items (B, T) int64, right-padded with PAD; timestamps (B, T) float64; users (B,) int64, −1 when unknown or
    anonymous; asked (M, 2) int64: (row, number of events read), where 0 is the empty history; query_times (M,)
    float64, NaN where the protocol withholds when the next event happens. A row may be longer than what is asked of
    it: a model must use only the first ``asked[m, 1]`` events for query m.
    """

    items: np.ndarray
    timestamps: np.ndarray
    users: np.ndarray
    asked: np.ndarray
    query_times: np.ndarray

    @classmethod
    def of(
        cls,
        histories: list[list[int]],
        *,
        timestamps: list[list[float]] | None = None,
        users: list[int] | None = None,
        asked: list[tuple[int, int]] | None = None,
    ) -> SequenceBatch:
        """A batch from plain lists (for tests and small uses); by default each row is asked once, after its end."""
        width = max(1, max((len(row) for row in histories), default=1))
        items = np.full((len(histories), width), PAD, dtype=np.int64)
        times = np.zeros((len(histories), width))
        for b, row in enumerate(histories):
            items[b, : len(row)] = row
            times[b, : len(row)] = np.arange(len(row)) if timestamps is None else timestamps[b]
        pairs = asked if asked is not None else [(b, len(row)) for b, row in enumerate(histories)]
        return cls(
            items=items,
            timestamps=times,
            users=np.asarray(users if users is not None else [UNKNOWN] * len(histories), dtype=np.int64),
            asked=np.asarray(pairs, dtype=np.int64).reshape(-1, 2),
            query_times=np.full(len(pairs), np.nan),
        )

    @property
    def lengths(self) -> np.ndarray:
        """The number of events in each row, (B,) int64."""
        return (self.items != PAD).sum(axis=1)

    def last_items(self) -> np.ndarray:
        """The last item read before each asked position, (M,) int64; PAD for an empty history."""
        rows, read = self.asked[:, 0], self.asked[:, 1]
        return np.where(read > 0, self.items[rows, np.maximum(read - 1, 0)], PAD)
