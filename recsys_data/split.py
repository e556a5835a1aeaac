"""Split: the training events and the held-out parts that a protocol makes of Interactions."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences

UNUSED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2  # the part of an event


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The events that a model learns from, and all that it sees of the data in training.

    ``sequences`` holds one sequence per user (or session) with at least one event. ``num_users`` is 0 where sequences
    are anonymous sessions. Item codes are 0 … num_items − 1; every item is a candidate at test time.
    """

    sequences: Sequences
    num_users: int
    num_items: int
    clock: Clock

    def at(self, epoch: int) -> TrainingSet:
        """The training events of this epoch (from 1): the same set in every epoch, unless a protocol grows it."""
        return self

    @property
    def changes(self) -> tuple[int, ...]:
        """The epochs, ascending, whose training events differ from those of the epoch before; none by default."""
        return ()

    @cached_property
    def item_counts(self) -> np.ndarray:
        """The number of training events of each item, (num_items,) int64, read-only."""
        counts = np.bincount(self.sequences.items, minlength=self.num_items)
        counts.flags.writeable = False
        return counts

    def __len__(self) -> int:
        """The number of training events."""
        return len(self.sequences.items)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A held-out part: Q queries on S sequences, with their targets.

    ``sequences`` holds every event that may be read (training and earlier held-out events of the same user included).
    sequence_of (Q,) int64: the sequence of each query; history_lengths (Q,) int64: how many of its first events the
    query reads, 0 for the empty history; query_times (Q,) float64, NaN where the protocol withholds them. Targets are
    ragged: targets (K,) int32, target_offsets (Q + 1,) int64; a target UNKNOWN (−1) is not in the catalogue and is a
    miss. clusters (S,) int32: the user or session of each sequence, the unit of inference. ``exclude_seen`` removes a
    query's history from its candidates. ``num_sampled`` > 0 ranks a target among that many other items, drawn uniformly
    without replacement, ``repeats`` times from ``sample_seed``, instead of among all items. Queries are sorted by
    sequence, then by history length.
    """

    sequences: Sequences
    sequence_of: np.ndarray
    history_lengths: np.ndarray
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
        return len(self.sequence_of)

    def batches(
        self, max_padded_events: int = 65536, max_rows: int = 512
    ) -> Iterator[tuple[SequenceBatch, np.ndarray]]:
        """Batches of whole sequences with all their queries, and the query numbers (M,) each batch answers.

        Sequences with queries come from short to long (ties by number), at most ``max_rows`` and, unless a single row
        is longer, at most ``max_padded_events`` padded slots per batch. The batches depend on these two numbers only.
        """
        needed = np.zeros(len(self.sequences), dtype=np.int64)
        np.maximum.at(needed, self.sequence_of, self.history_lengths)
        queried = np.unique(self.sequence_of)
        order = queried[np.argsort(needed[queried], kind="stable")]
        first = np.searchsorted(self.sequence_of, np.arange(len(self.sequences) + 1))
        start = 0
        while start < len(order):
            stop = start + 1
            while (
                stop < len(order)
                and stop - start < max_rows
                and (stop + 1 - start) * needed[order[stop]] <= max_padded_events
            ):
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
                    query_positions=np.stack([local, self.history_lengths[queries]], axis=1),
                    query_times=self.query_times[queries],
                ),
                queries,
            )
            start = stop


@dataclass(frozen=True, eq=False)
class Split:
    """Training set, validation and test part of one data set under one protocol.

    ``steps``: what each filter removed, in order, for the report. ``caveats``: sentences that every result on this
    split must carry, such as the reduced size of a smoke run. ``user_ids``: the raw ids of users or sessions, by the
    number that clusters hold; ``train_clusters``: that number of each training sequence; None where a protocol does not
    say. Neither is seen by models.
    """

    train: TrainingSet
    validation: HeldOut
    test: HeldOut
    item_ids: np.ndarray
    steps: tuple[dict[str, Any], ...] = ()
    caveats: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    user_ids: np.ndarray | None = None
    train_clusters: np.ndarray | None = None

    def freeze(self) -> Split:
        """Make every array read-only, so that no model changes what the next one reads; return the split."""
        _freeze(self)
        return self

    @property
    def clock(self) -> Clock:
        """The clock of the data."""
        return self.train.clock

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that models and the evaluation see, in every epoch."""
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
                (part.sequence_of, "<i8"),
                (part.history_lengths, "<i8"),
                (part.query_times, "<f8"),
                (part.targets, "<i4"),
                (part.target_offsets, "<i8"),
                (part.clusters, "<i4"),
            ):
                digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
        return digest.hexdigest()


def _freeze(value: Any) -> None:
    """Make the arrays in a value and in its attributes, dictionaries and tuples read-only."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, dict | tuple | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _freeze(inner)
    elif dataclasses.is_dataclass(value):
        _freeze(vars(value))
