"""Streams: all sequences joined, cut into parallel streams and read in windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.sequences import PAD, Sequences
from training.batches.stateful_windows import StatefulBatch
from training.batches.windows import START


@dataclass(frozen=True, eq=False)
class StreamBatch(StatefulBatch):
    """Windows that may hold several sequences: ``rows``, ``starts`` and ``users`` are (B, T).

    A step without a target belongs to the sequence of the window's first step.
    """

    @cached_property
    def starts(self) -> np.ndarray:
        """Whether a step predicts the first event of a sequence, (B, T) bool."""
        return self.target_mask & (self.target_events == self.sequences.offsets[self.rows])

    @cached_property
    def inputs(self) -> np.ndarray:
        """The item read at each step, (B, T) int64; START before every sequence."""
        before = np.where(self.target_mask, self.sequences.items[self.target_events - 1], PAD).astype(np.int64)
        return np.where(self.starts, START, before)

    @cached_property
    def input_times(self) -> np.ndarray:
        """The time of each input, (B, T) float64; at START the target's own time."""
        before = np.where(self.target_mask, self.sequences.timestamps[self.target_events - 1], 0.0)
        return np.where(self.starts, self.target_times, before)

    @cached_property
    def previous_gaps(self) -> np.ndarray:
        """The time between the two events before a target, (B, T) float64; else 0."""
        has_two = self.target_mask & (self.target_events - 2 >= self.sequences.offsets[self.rows])
        return np.where(has_two, self.input_times - self.sequences.timestamps[self.target_events - 2], 0.0)


@dataclass(frozen=True)
class Streams:
    """Every event is a target once; the state passes sequence ends, as in language models on running text.

    ::

        sequences a b c | d e | f g h i, two streams, windows of 3:    a b c   d e        (a window holds two sequences)
                                                                       f g h   i

    The sequences, in a new order in each epoch (or with ``shuffled`` false in theirs), are joined with START before
    each and cut into ``batch_size`` streams of equal length (or one event less), which are read side by side,
    ``max_len`` targets per window; the state starts from zero once per epoch. Batches must be used in order.
    """

    max_len: int
    batch_size: int
    shuffled: bool = True

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[StreamBatch]:
        """The batches of one epoch; the order of sequences is drawn from ``generator``."""
        order = np.flatnonzero(sequences.lengths)
        order = generator.permutation(order) if self.shuffled else order
        lengths = sequences.lengths[order]
        owners = np.repeat(order, lengths)
        inside = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        joined = sequences.offsets[owners] + inside  # the events in the order of the streams
        count = min(self.batch_size, len(joined))
        bounds = np.arange(count + 1) * len(joined) // max(count, 1)
        begin, sizes = bounds[:-1], np.diff(bounds)
        for done in range(0, int(sizes.max(initial=0)), self.max_len):
            slots = np.flatnonzero(sizes > done)
            left = np.minimum(sizes[slots] - done, self.max_len)
            steps = np.arange(left.max())
            filled = steps < left[:, None]
            places = np.where(filled, begin[slots][:, None] + done + steps, begin[slots][:, None] + done)
            events = np.where(filled, joined[places], PAD)
            yield StreamBatch(sequences, events, owners[places], slots, np.full(len(slots), done == 0), count)
