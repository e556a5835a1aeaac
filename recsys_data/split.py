"""Split: what a protocol makes of Interactions: training events and held-out parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.training_set import TrainingSet

UNUSED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2  # the part that an event belongs to


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A held-out part: Q queries on S sequences, with their targets.

    ``sequences`` holds every event that may be read (training and earlier held-out events of the same user included).
    rows (Q,) int64: the sequence of each query; reads (Q,) int64: how many of its events are read, 0 being the empty
    history; query_times (Q,) float64, NaN where the model must not know them. Targets are ragged: targets (K,) int32,
    target_offsets (Q + 1,) int64; a target UNKNOWN (−1) was dropped by the protocol and counts as a miss. clusters
    (S,) int32: the user or session a sequence belongs to, the unit of inference. ``exclude_seen`` removes a query's
    history from its candidates. ``num_sampled`` > 0 ranks a target among that many other items, drawn uniformly without
    replacement, ``repeats`` times from ``sample_seed``, instead of among all. Queries are sorted by row, then reads.
    """

    sequences: Sequences
    rows: np.ndarray
    reads: np.ndarray
    query_times: np.ndarray
    targets: np.ndarray
    target_offsets: np.ndarray
    clusters: np.ndarray
    exclude_seen: bool = False
    num_sampled: int = 0
    repeats: int = 1
    sample_seed: int = 0

    def __len__(self) -> int:
        """The number of queries Q."""
        return len(self.rows)

    def batches(self, cells: int = 65536, max_rows: int = 512) -> Iterator[tuple[SequenceBatch, np.ndarray]]:
        """Batches of whole sequences with all their queries, and the query numbers (M,) each batch answers.

        Sequences that are asked for are taken from short to long (ties by number), at most ``max_rows`` and, unless
        a single row is longer, at most ``cells`` padded slots a batch. The cut is fixed by these two numbers alone.
        """
        needed = np.zeros(len(self.sequences), dtype=np.int64)
        np.maximum.at(needed, self.rows, self.reads)
        asked_rows = np.unique(self.rows)
        order = asked_rows[np.argsort(needed[asked_rows], kind="stable")]
        first = np.searchsorted(self.rows, np.arange(len(self.sequences) + 1))
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and stop - start < max_rows and (stop + 1 - start) * needed[order[stop]] <= cells:
                stop += 1
            rows = order[start:stop]
            queries = np.concatenate([np.arange(first[r], first[r + 1]) for r in rows])
            items, timestamps = self.sequences.pad(rows, needed[rows])
            local = np.repeat(np.arange(len(rows)), first[rows + 1] - first[rows])
            yield (
                SequenceBatch(
                    items=items,
                    timestamps=timestamps,
                    users=self.sequences.users[rows].astype(np.int64),
                    asked=np.stack([local, self.reads[queries]], axis=1),
                    query_times=self.query_times[queries],
                ),
                queries,
            )
            start = stop


@dataclass(frozen=True, eq=False)
class Split:
    """Training set, validation and test part of one data set under one protocol.

    ``steps`` tells, in order, what each filter removed (a report shows it); ``stamps`` are sentences that every
    result from this split must carry (such as a smoke run's reduced size).
    """

    train: TrainingSet
    validation: HeldOut
    test: HeldOut
    item_ids: np.ndarray
    steps: tuple[dict[str, Any], ...] = ()
    stamps: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The clock of the data."""
        return self.train.clock

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all that models and the evaluation see, in every epoch."""
        digest = hashlib.sha256(f"{self.clock.value}|{self.train.num_users}|{self.train.num_items}".encode())
        digest.update("".join(f"|{epoch}" for epoch in self.train.changes).encode())
        grown = [self.train.at(epoch).sequences for epoch in self.train.changes]
        for part in (self.train.sequences, self.validation.sequences, self.test.sequences, *grown):
            for array, dtype in (
                (part.items, "<i4"),
                (part.timestamps, "<f8"),
                (part.offsets, "<i8"),
                (part.users, "<i4"),
            ):
                digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
        for part in (self.validation, self.test):
            digest.update(b"seen excluded" if part.exclude_seen else b"seen kept")
            if part.num_sampled:
                digest.update(f"{part.num_sampled} sampled, {part.repeats} times from {part.sample_seed}".encode())
            for array, dtype in (
                (part.rows, "<i8"),
                (part.reads, "<i8"),
                (part.query_times, "<f8"),
                (part.targets, "<i4"),
                (part.target_offsets, "<i8"),
                (part.clusters, "<i4"),
            ):
                digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
        return digest.hexdigest()
