"""Prefixes: every prefix of a sequence an instance; read side by side, each on its own, or by length as STAMP does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.sequences import PAD, Sequences


@dataclass(frozen=True, eq=False)
class PrefixBatch:
    """Stretches of sequences to read, and the steps after which the next item is to be predicted.

    events (B, T) int64: the number in ``sequences`` of the event read at each step, PAD (−1) on the right where there
    is none; real (B, T) bool: whether the event after it is a target. Steps that are read without being real are the
    history of later ones.
    """

    sequences: Sequences
    events: np.ndarray
    real: np.ndarray

    @cached_property
    def items(self) -> np.ndarray:
        """The item read at each step, (B, T) int64; PAD where there is none."""
        return np.where(self.events != PAD, self.sequences.items[self.events], PAD).astype(np.int64)

    @cached_property
    def targets(self) -> np.ndarray:
        """The items to predict, (B, T) int64; PAD where nothing is asked."""
        following = np.where(self.real, self.events + 1, 0)
        return np.where(self.real, self.sequences.items[following], PAD).astype(np.int64)


@dataclass(frozen=True)
class Prefixes:
    """Every event but a sequence's first a target once, after at most ``max_len`` events before it.

    ::

        sequence a b c d e f, max_len 3       reads   asked after
                                              a b c   a, b, c         (together = 3: side by side in one reading)
                                              b c d e d, e
                                              a | a b | a b c | b c d | c d e        (together = 1: each on its own)

    ``together`` targets share one reading. Stretches are shuffled and taken in order, so that about ``batch_size``
    targets make a batch; the stretches of a sequence may fall into different batches.
    """

    max_len: int
    batch_size: int
    together: int

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[PrefixBatch]:
        """The batches of one epoch, in an order drawn from ``generator``."""
        begin, asked, context = self._cut(sequences)
        order = generator.permutation(len(begin))
        ends = np.cumsum(asked[order])
        number = (ends - 1) // self.batch_size
        for members in np.split(order, np.flatnonzero(np.diff(number)) + 1):
            if len(members) == 0:
                continue
            # first stretches short to long, later ones long to short: rows asked at one step lie side by side
            size = np.where(context[members] > 0, -asked[members], asked[members])
            members = members[np.lexsort((size, context[members]))]
            read = (context + asked)[members, None]
            steps = np.arange(read.max())
            filled = steps < read
            events = np.where(filled, begin[members, None] + steps, PAD)
            yield PrefixBatch(sequences, events, filled & (steps >= context[members, None]))

    def _cut(self, sequences: Sequences) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For every stretch: its first event, how many targets it has, how many events it reads before those, (W,)."""
        targets = np.maximum(sequences.lengths - 1, 0)
        counts = -(-targets // self.together)
        rows = np.repeat(np.arange(len(targets)), counts)
        done = (np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)) * self.together
        asked = np.minimum(targets[rows] - done, self.together)
        context = np.minimum(done, self.max_len - 1)
        return sequences.offsets[rows] + done - context, asked, context


@dataclass(frozen=True)
class EqualLengths:
    """The batches of STAMP's official code: sequences of one length, and one step of training a position.

    ::

        sequences of 4 events   a b c d     first batch   a → b   e → f     second   a b → c   e f → g     third …
                                e f g h

    The lengths come in a drawn order, the sequences of a length too; at most ``batch_size`` sequences at a time, after
    at most ``max_len`` events. A sequence of one event has no target.
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
                    real = np.zeros((len(first), len(steps)), dtype=bool)
                    real[:, -1] = True
                    yield PrefixBatch(sequences, first[:, None] + steps, real)
