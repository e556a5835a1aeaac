"""Batcher: how a model cuts its training events into batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.sequences import PAD, Sequences

START = -2  # the input before a sequence's first event
POOL = 64  # batches of windows that are sorted by length together


@dataclass(frozen=True, eq=False)
class WindowBatch:
    """Windows of events, each step reading the event before its target.

    target_events (B, T) int64: the number of each step's target in ``sequences``, PAD (−1) on the right; rows (B,)
    int64: the sequence of each window.
    """

    sequences: Sequences
    target_events: np.ndarray
    rows: np.ndarray

    @cached_property
    def target_mask(self) -> np.ndarray:
        """Whether a step has a target, (B, T) bool."""
        return self.target_events != PAD

    @cached_property
    def starts(self) -> np.ndarray:
        """Whether a window begins its sequence, (B,) bool."""
        return self.target_events[:, 0] == self.sequences.offsets[self.rows]

    @cached_property
    def targets(self) -> np.ndarray:
        """The items to predict, (B, T) int64; PAD where there is none."""
        return np.where(self.target_mask, self.sequences.items[self.target_events], PAD).astype(np.int64)

    @cached_property
    def inputs(self) -> np.ndarray:
        """The item read at each step, (B, T) int64: the event before the target, or START where there is none."""
        before = np.where(self.target_mask, self.sequences.items[self.target_events - 1], PAD).astype(np.int64)
        before[self.starts, 0] = START
        return before

    @cached_property
    def target_times(self) -> np.ndarray:
        """The time of each target, (B, T) float64; 0 where there is none."""
        return np.where(self.target_mask, self.sequences.timestamps[self.target_events], 0.0)

    @cached_property
    def input_times(self) -> np.ndarray:
        """The time of each input, (B, T) float64; at START the target's own time, 0 where there is no target."""
        before = np.where(self.target_mask, self.sequences.timestamps[self.target_events - 1], 0.0)
        before[self.starts, 0] = self.target_times[self.starts, 0]
        return before

    @cached_property
    def next_gaps(self) -> np.ndarray:
        """The time from each input to its target, (B, T) float64; 0 at START and where there is no target."""
        return self.target_times - self.input_times

    @cached_property
    def previous_gaps(self) -> np.ndarray:
        """The time from the event before each input to the input, (B, T) float64; 0 where there is no such event."""
        has_two = self.target_mask & (self.target_events - 2 >= self.sequences.offsets[self.rows][:, None])
        return np.where(has_two, self.input_times - self.sequences.timestamps[self.target_events - 2], 0.0)

    @property
    def users(self) -> np.ndarray:
        """The user of each window, (B,) int64; UNKNOWN (−1) for anonymous sequences."""
        return self.sequences.users[self.rows].astype(np.int64)


@dataclass(frozen=True)
class Windows:
    """Every event is a target once, in non-overlapping windows of at most ``max_len`` targets.

    The first input of a window is the event before its first target, or START; no recurrent state passes from window to
    window. With ``random_offset``, the first cut of each longer sequence is drawn anew in each epoch, so that the short
    contexts after a cut move. A batch has at most batch_size · max_len slots. Windows of similar length go together to
    save padding: they are shuffled, sorted within pools, and the batches are shuffled again. With ``shuffled`` false
    they keep the order of the sequences, ``batch_size`` at a time, in every epoch.
    """

    max_len: int
    batch_size: int
    random_offset: bool = True
    shuffled: bool = True

    def cut(self, sequences: Sequences, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The sequence, first target event and length of every window, each (W,) int64, in order."""
        lengths = sequences.lengths
        first = np.full(len(lengths), self.max_len)
        if self.random_offset:
            first = np.where(lengths > self.max_len, generator.integers(1, self.max_len + 1, len(lengths)), first)
        counts = np.where(lengths > 0, 1, 0) + np.maximum(0, -(-(lengths - first) // self.max_len))
        rows = np.repeat(np.arange(len(lengths)), counts)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        begin = np.where(number > 0, first[rows] + (number - 1) * self.max_len, 0)
        end = np.minimum(first[rows] + number * self.max_len, lengths[rows])
        return rows, sequences.offsets[rows] + begin, end - begin

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[WindowBatch]:
        """The batches of one epoch, in an order drawn from ``generator``."""
        rows, first, lengths = self.cut(sequences, generator)
        for members in self._batches(lengths, generator):
            steps = np.arange(lengths[members].max())
            events = first[members, None] + steps
            events[steps >= lengths[members, None]] = PAD
            yield WindowBatch(sequences, events, rows[members])

    def _batches(self, lengths: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
        """The windows of each batch of an epoch, in order."""
        if not self.shuffled:
            return [
                np.arange(start, min(start + self.batch_size, len(lengths)))
                for start in range(0, len(lengths), self.batch_size)
            ]
        order = generator.permutation(len(lengths))
        pool = self.batch_size * POOL
        groups = []
        for start in range(0, len(order), pool):
            members = order[start : start + pool]
            groups += self._groups(members[np.argsort(-lengths[members], kind="stable")], lengths)
        return [groups[number] for number in generator.permutation(len(groups))]

    def _groups(self, members: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
        """Split ``members``, sorted long to short, into runs of at most batch_size · max_len slots."""
        cells = self.batch_size * self.max_len
        groups, start = [], 0
        while start < len(members):
            size = max(1, cells // int(lengths[members[start]]))
            groups.append(members[start : start + size])
            start += size
        return groups
