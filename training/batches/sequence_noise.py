"""Random noise on training sequences, new in every epoch (Devooght and Bersini 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys_data.checks import check_range
from recsys_data.sequences import Sequences


@dataclass(frozen=True)
class SequenceNoise:
    """The changes to each training sequence before it is cut, in this order.

    1. dropout: each event is removed with this probability; a sequence with fewer than two left is skipped.
    2. swap: from left to right, two neighbours change places with this probability; an item that has just moved is not
       moved again.
    3. shuf: from left to right, with this probability the item at i changes places with that at i + trunc(N(0,
       shuf_std²)), clipped to the sequence.

    Items move but times stay, so time never runs backwards. The official code's noise on ratings is not offered, since
    no model here reads ratings.
    """

    dropout: float = 0.0
    swap: float = 0.0
    shuf: float = 0.0
    shuf_std: float = 5.0

    def __post_init__(self) -> None:
        check_range(self, "dropout", "swap", "shuf", at_least=0, below=1)
        check_range(self, "shuf_std", at_least=0)

    def apply(self, sequences: Sequences, generator: np.random.Generator) -> Sequences:
        """A noisy copy; ``sequences`` itself, without any draw, where there is no noise."""
        if self.dropout > 0.0:
            sequences = _drop(sequences, generator.random(len(sequences.items)) >= self.dropout)
        if self.swap > 0.0:
            sequences = _swap(sequences, generator.random(len(sequences.items)) < self.swap)
        if self.shuf > 0.0:
            hit = np.flatnonzero(generator.random(len(sequences.items)) < self.shuf)
            sequences = _shuffle(sequences, hit, np.trunc(generator.standard_normal(len(hit)) * self.shuf_std))
        return sequences


class Batcher(Protocol):
    """A way of cutting sequences into batches."""

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch."""


@dataclass(frozen=True)
class NoisyBatcher:
    """A batcher of sequences with ``noise``, new in each epoch."""

    batcher: Batcher
    noise: SequenceNoise

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch; ``generator`` draws noise and cuts."""
        return self.batcher.batches(self.noise.apply(sequences, generator), generator)


def _drop(sequences: Sequences, keep: np.ndarray) -> Sequences:
    """Keep the events ``keep`` (E,), and then the sequences that have at least two."""
    owners = sequences.owners()
    long = np.bincount(owners[keep], minlength=len(sequences)) >= 2
    keep = keep & long[owners]
    lengths = np.bincount(owners[keep], minlength=len(sequences))[long]
    return Sequences(
        items=sequences.items[keep],
        timestamps=sequences.timestamps[keep],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        users=sequences.users[long],
    )


def _swap(sequences: Sequences, hit: np.ndarray) -> Sequences:
    """Swap each event in ``hit`` (E,) with its right neighbour, unless it has just moved there."""
    hit = hit.copy()
    ends = sequences.offsets[1:][sequences.lengths > 0] - 1
    hit[ends] = False  # no right neighbour
    places = np.flatnonzero(hit)
    begins = np.diff(places, prepend=-2) > 1  # of runs of neighbouring hits, of which every second one counts
    in_run = np.arange(len(places)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    left = places[in_run % 2 == 0]
    items = sequences.items.copy()
    items[left], items[left + 1] = sequences.items[left + 1], sequences.items[left]
    return Sequences(items, sequences.timestamps, sequences.offsets, sequences.users)


def _shuffle(sequences: Sequences, places: np.ndarray, steps: np.ndarray) -> Sequences:
    """Swap the item at each of ``places`` with the one ``steps`` further, one after the other."""
    owners = np.searchsorted(sequences.offsets, places, side="right") - 1
    first, last = sequences.offsets[owners], sequences.offsets[owners + 1] - 1
    others = np.clip(places + steps.astype(np.int64), first, last)
    items = sequences.items.copy()
    for here, there in zip(places.tolist(), others.tolist(), strict=True):
        items[here], items[there] = items[there], items[here]
    return Sequences(items, sequences.timestamps, sequences.offsets, sequences.users)
