"""Batches of segments: each target is predicted from the events of its own segment alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys_data.checks import check_choice
from recsys_data.sequences import PAD, Sequences
from training.batches.prefixes import PrefixBatch

COUNTED = ("segments", "targets")


@dataclass(frozen=True, eq=False)
class SegmentBatch(PrefixBatch):
    """Segments of sequences; rows (B,) int64: the sequence of each."""

    rows: np.ndarray

    def sequence_items(self, num_items: int) -> np.ndarray:
        """The numbers b · num_items + item of all items of the sequence of each row b; sorted, each once."""
        owners = np.repeat(np.arange(len(self.rows)), self.sequences.lengths[self.rows])
        items = np.concatenate([self.sequences.row(row) for row in self.rows])
        return np.unique(owners * num_items + items)


@dataclass(frozen=True)
class Segments:
    """Every event but a sequence's first is a target once, in segments of ``max_len`` targets cut from the end.

    ::

        sequence a b c d e f, max_len 3       inputs  targets
                                              c d e   d e f
                                              a b     b c         (left out with ``last_only``)

    ``batch_size`` counts segments, or about as many "targets" (``counted``). Segments are shuffled in each epoch.
    """

    max_len: int
    batch_size: int
    last_only: bool = False
    counted: str = "segments"

    def __post_init__(self) -> None:
        check_choice(self, "counted", COUNTED)

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[SegmentBatch]:
        """The batches of one epoch, in an order drawn from ``generator``."""
        targets = np.maximum(sequences.lengths - 1, 0)
        counts = -(-targets // self.max_len)
        counts = np.minimum(counts, 1) if self.last_only else counts
        rows = np.repeat(np.arange(len(targets)), counts)
        from_end = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        stops = targets[rows] - from_end * self.max_len
        starts = np.maximum(stops - self.max_len, 0)
        order = generator.permutation(len(rows))
        size = np.ones(len(rows), dtype=np.int64) if self.counted == "segments" else (stops - starts)[order]
        number = (np.cumsum(size) - 1) // self.batch_size
        for members in np.split(order, np.flatnonzero(np.diff(number)) + 1):
            if len(members):
                lengths = (stops - starts)[members, None]
                steps = np.arange(lengths.max())
                filled = steps < lengths
                first = (sequences.offsets[rows] + starts)[members, None]
                yield SegmentBatch(sequences, np.where(filled, first + steps, PAD), filled, rows[members])
