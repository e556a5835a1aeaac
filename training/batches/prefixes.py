"""Batches of prefixes: side by side, each on its own, or from sessions of equal length as in STAMP's code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.sequences import PAD, Sequences


@dataclass(frozen=True, eq=False)
class PrefixBatch:
    """Segments of sequences as inputs, and the steps after which the next item is the target.

    input_events (B, T) int64: the number in ``sequences`` of the event read at each step, PAD (−1) on the right;
    target_mask (B, T) bool: whether the event after it is a target. Steps outside target_mask are the history of later
    ones.
    """

    sequences: Sequences
    input_events: np.ndarray
    target_mask: np.ndarray

    @cached_property
    def inputs(self) -> np.ndarray:
        """The item read at each step, (B, T) int64; PAD where there is none."""
        return np.where(self.input_events != PAD, self.sequences.items[self.input_events], PAD).astype(np.int64)

    @cached_property
    def targets(self) -> np.ndarray:
        """The items to predict, (B, T) int64; PAD where there is no target."""
        following = np.where(self.target_mask, self.input_events + 1, 0)
        return np.where(self.target_mask, self.sequences.items[following], PAD).astype(np.int64)


@dataclass(frozen=True)
class Prefixes:
    """Every event but a sequence's first is a target once, after at most ``max_len`` events before it.

    ::

        sequence a b c d e f, max_len 3       inputs  targets after
                                              a b c   a, b, c         (targets_per_row = 3: side by side)
                                              b c d e d, e
                                              a | a b | a b c | b c d | c d e    (targets_per_row = 1: each on its own)

    ``targets_per_row`` targets share the events of one segment. Segments are shuffled, and each batch takes the next
    ones until it has about ``batch_size`` targets; the segments of a sequence may fall into different batches.
    """

    max_len: int
    batch_size: int
    targets_per_row: int

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[PrefixBatch]:
        """The batches of one epoch, in an order drawn from ``generator``."""
        begin, num_targets, context = self._cut(sequences)
        order = generator.permutation(len(begin))
        ends = np.cumsum(num_targets[order])
        number = (ends - 1) // self.batch_size
        for members in np.split(order, np.flatnonzero(np.diff(number)) + 1):
            if len(members) == 0:
                continue
            # first segments short to long, later ones long to short: rows with a target at one step are neighbours
            size = np.where(context[members] > 0, -num_targets[members], num_targets[members])
            members = members[np.lexsort((size, context[members]))]
            read = (context + num_targets)[members, None]
            steps = np.arange(read.max())
            filled = steps < read
            events = np.where(filled, begin[members, None] + steps, PAD)
            yield PrefixBatch(sequences, events, filled & (steps >= context[members, None]))

    def _cut(self, sequences: Sequences) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each segment's first event, number of targets, and number of events before the first target, (W,)."""
        targets = np.maximum(sequences.lengths - 1, 0)
        counts = -(-targets // self.targets_per_row)
        rows = np.repeat(np.arange(len(targets)), counts)
        done = (np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)) * self.targets_per_row
        num_targets = np.minimum(targets[rows] - done, self.targets_per_row)
        context = np.minimum(done, self.max_len - 1)
        return sequences.offsets[rows] + done - context, num_targets, context


@dataclass(frozen=True)
class EqualLengthSessions:
    """The batches of STAMP's official code: sessions of one length, with one training step per position.

    ::

        sequences of 4 events   a b c d     first batch   a → b   e → f     second   a b → c   e f → g     third …
                                e f g h

    The order of lengths is random, and so is the order of sessions of one length. A batch has at most ``batch_size``
    sessions, and a target at most ``max_len`` events before it. A session of one event has no target.
    """

    max_len: int
    batch_size: int

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[PrefixBatch]:
        """The batches of one epoch, in an order drawn from ``generator``."""
        lengths = sequences.lengths
        for length in generator.permutation(np.unique(lengths[lengths > 1])):
            rows = generator.permutation(np.flatnonzero(lengths == length))
            for start in range(0, len(rows), self.batch_size):
                first = sequences.offsets[rows[start : start + self.batch_size]]
                for position in range(1, length):
                    steps = np.arange(max(0, position - self.max_len), position)
                    target_mask = np.zeros((len(first), len(steps)), dtype=bool)
                    target_mask[:, -1] = True
                    yield PrefixBatch(sequences, first[:, None] + steps, target_mask)
