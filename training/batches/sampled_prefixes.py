"""SampledPrefixes: one target after each of a few prefixes of a sequence, as Devooght and Bersini's programs train."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.sequences import PAD, Sequences


@dataclass(frozen=True, eq=False)
class SampledPrefixBatch:
    """Prefixes, each read up to its last event and then asked for the next one.

    events (B, T) int64: the number in ``sequences`` of the event after each one that is read, PAD (−1) on the right;
    the last of a row is its target. rows (B,) int64: the sequence of each prefix.
    """

    sequences: Sequences
    events: np.ndarray
    rows: np.ndarray

    @cached_property
    def real(self) -> np.ndarray:
        """Which steps have a target, (B, T) bool: the last one of each row."""
        read = self.events != PAD
        return read & (np.arange(self.events.shape[1]) == read.sum(axis=1, keepdims=True) - 1)

    @cached_property
    def targets(self) -> np.ndarray:
        """The items to predict, (B, T) int64; PAD where there is none."""
        return np.where(self.real, self.sequences.items[self.events], PAD).astype(np.int64)

    @cached_property
    def inputs(self) -> np.ndarray:
        """The item read at each step, (B, T) int64; PAD behind the prefix."""
        return np.where(self.events != PAD, self.sequences.items[self.events - 1], PAD).astype(np.int64)

    @property
    def starts(self) -> np.ndarray:
        """No row begins with START, (B,) bool: a prefix has two events or more."""
        return np.zeros(len(self.events), dtype=bool)

    @property
    def users(self) -> np.ndarray:
        """The user of each prefix, (B,) int64; UNKNOWN (−1) for anonymous sequences."""
        return self.sequences.users[self.rows].astype(np.int64)


@dataclass(frozen=True)
class SampledPrefixes:
    """Targets drawn anew in every epoch: as many of a sequence as fit into the batch, then those of the next one.

    From a sequence of n events min(free places, n − 2) lengths ℓ are drawn without replacement from 2 … n − 1 and
    taken in ascending order; each gives the last ``max_len`` of the first ℓ events to read, and event ℓ + 1 as the
    target. So a sequence of at least batch_size + 2 events fills a batch of its own, and an epoch is one pass over the
    sequences, not over their events. Sequences come in their order, or in one drawn anew (``shuffled``). The last
    batch of an epoch may be short.
    """

    max_len: int
    batch_size: int
    shuffled: bool = False

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[SampledPrefixBatch]:
        """The batches of one epoch; ``generator`` draws lengths and, with ``shuffled``, the order."""
        order = generator.permutation(len(sequences)) if self.shuffled else np.arange(len(sequences))
        lengths = sequences.lengths
        rows: list[np.ndarray] = []
        reads: list[np.ndarray] = []
        free = self.batch_size
        for row in order:
            count = min(free, int(lengths[row]) - 2)
            if count < 1:
                continue
            drawn = generator.permutation(int(lengths[row]) - 2)[:count] + 2
            rows.append(np.full(count, row))
            reads.append(np.sort(drawn))
            free -= count
            if free == 0:
                yield self._batch(sequences, rows, reads)
                rows, reads, free = [], [], self.batch_size
        if rows:
            yield self._batch(sequences, rows, reads)

    def _batch(self, sequences: Sequences, rows: list[np.ndarray], reads: list[np.ndarray]) -> SampledPrefixBatch:
        """The batch that reads so many events of these rows."""
        of, ends = np.concatenate(rows), np.concatenate(reads)
        counts = np.minimum(ends, self.max_len)
        steps = np.arange(counts.max())
        events = (sequences.offsets[of] + ends - counts + 1)[:, None] + steps
        events[steps >= counts[:, None]] = PAD
        return SampledPrefixBatch(sequences, events, of)
