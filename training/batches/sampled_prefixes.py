"""Batches of sampled prefixes with one target each, as in Devooght and Bersini's programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.sequences import PAD, Sequences


@dataclass(frozen=True, eq=False)
class SampledPrefixBatch:
    """Prefixes with one target each, the event after the prefix.

    target_events (B, T) int64: the number in ``sequences`` of the event after each input, PAD (−1) on the right; the
    last of a row is its target. rows (B,) int64: the sequence of each prefix.
    """

    sequences: Sequences
    target_events: np.ndarray
    rows: np.ndarray

    @cached_property
    def target_mask(self) -> np.ndarray:
        """Whether a step has a target, (B, T) bool: the last one of each row."""
        read = self.target_events != PAD
        return read & (np.arange(self.target_events.shape[1]) == read.sum(axis=1, keepdims=True) - 1)

    @cached_property
    def targets(self) -> np.ndarray:
        """The items to predict, (B, T) int64; PAD where there is none."""
        return np.where(self.target_mask, self.sequences.items[self.target_events], PAD).astype(np.int64)

    @cached_property
    def inputs(self) -> np.ndarray:
        """The item read at each step, (B, T) int64; PAD after the prefix."""
        return np.where(self.target_events != PAD, self.sequences.items[self.target_events - 1], PAD).astype(np.int64)

    @property
    def starts(self) -> np.ndarray:
        """Whether a row begins with START, (B,) bool: never, as a prefix has at least two events."""
        return np.zeros(len(self.target_events), dtype=bool)

    @property
    def users(self) -> np.ndarray:
        """The user of each prefix, (B,) int64; UNKNOWN (−1) for anonymous sequences."""
        return self.sequences.users[self.rows].astype(np.int64)


@dataclass(frozen=True)
class SampledPrefixes:
    """Targets drawn anew in every epoch, as many per sequence as the batch still has room for.

    From a sequence of n events, min(free places, n − 2) lengths ℓ are drawn without replacement from 2 … n − 1, in
    ascending order; each gives the last ``max_len`` of the first ℓ events as inputs and event ℓ + 1 as the target. A
    sequence of at least batch_size + 2 events therefore fills a batch of its own, and an epoch is one pass over the
    sequences, not over their events. Sequences keep their order, or have a new one in each epoch (``shuffled``). The
    last batch of an epoch may be short.
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
        """The batch of prefixes with these rows and lengths."""
        of, ends = np.concatenate(rows), np.concatenate(reads)
        counts = np.minimum(ends, self.max_len)
        steps = np.arange(counts.max())
        events = (sequences.offsets[of] + ends - counts + 1)[:, None] + steps
        events[steps >= counts[:, None]] = PAD
        return SampledPrefixBatch(sequences, events, of)
