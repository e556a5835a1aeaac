"""Sequence noise: training histories disturbed anew in every epoch, after Devooght and Bersini (2017)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys_data.sequences import Sequences


@dataclass(frozen=True)
class SequenceNoise:
    """What is done to each training sequence before it is cut, in this order.

    1. dropout: each event is left out with this probability; a sequence of fewer than two that remain is skipped.
    2. swap: from left to right, two neighbours change places with this probability; what was just swapped is not
       swapped on.
    3. shuf: from left to right, with this probability the item at i changes places with that at i + trunc(N(0,
       shuf_std²)), held inside the sequence.

    Items move and times stay where they are, so that time never runs backwards. The official code's noise on ratings is
    not offered, since no model here reads ratings.
    """

    dropout: float = 0.0
    swap: float = 0.0
    shuf: float = 0.0
    shuf_std: float = 5.0

    def __post_init__(self) -> None:
        for name in ("dropout", "swap", "shuf"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")
        if self.shuf_std < 0.0:
            raise ValueError(f"shuf_std must be at least 0, got {self.shuf_std}")

    def disturb(self, sequences: Sequences, generator: np.random.Generator) -> Sequences:
        """A disturbed copy; ``sequences`` itself where there is no noise, and then nothing is drawn."""
        if self.dropout > 0.0:
            sequences = _drop(sequences, generator.random(len(sequences.items)) >= self.dropout)
        if self.swap > 0.0:
            sequences = _swapped(sequences, generator.random(len(sequences.items)) < self.swap)
        if self.shuf > 0.0:
            hit = np.flatnonzero(generator.random(len(sequences.items)) < self.shuf)
            sequences = _shuffled(sequences, hit, np.trunc(generator.standard_normal(len(hit)) * self.shuf_std))
        return sequences


class Instances(Protocol):
    """A way of cutting sequences into batches."""

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch."""


@dataclass(frozen=True)
class Disturbed:
    """``instances`` cut from sequences that ``noise`` has disturbed, anew in each epoch."""

    instances: Instances
    noise: SequenceNoise

    def batches(self, sequences: Sequences, generator: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch; noise and cuts are drawn from ``generator``."""
        return self.instances.batches(self.noise.disturb(sequences, generator), generator)


def _drop(sequences: Sequences, keep: np.ndarray) -> Sequences:
    """Only the events ``keep`` (E,), and only the sequences that then have two or more."""
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


def _swapped(sequences: Sequences, hit: np.ndarray) -> Sequences:
    """Each event in ``hit`` (E,) changes places with its right neighbour, unless it was itself just swapped there."""
    hit = hit.copy()
    ends = sequences.offsets[1:][sequences.lengths > 0] - 1
    hit[ends] = False  # nothing stands to the right
    places = np.flatnonzero(hit)
    begins = np.diff(places, prepend=-2) > 1  # of runs of neighbouring hits, of which every second one counts
    in_run = np.arange(len(places)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    left = places[in_run % 2 == 0]
    items = sequences.items.copy()
    items[left], items[left + 1] = sequences.items[left + 1], sequences.items[left]
    return Sequences(items, sequences.timestamps, sequences.offsets, sequences.users)


def _shuffled(sequences: Sequences, places: np.ndarray, steps: np.ndarray) -> Sequences:
    """One after the other, the item at each of ``places`` changes places with the one ``steps`` further."""
    owners = np.searchsorted(sequences.offsets, places, side="right") - 1
    first, last = sequences.offsets[owners], sequences.offsets[owners + 1] - 1
    others = np.clip(places + steps.astype(np.int64), first, last)
    items = sequences.items.copy()
    for here, there in zip(places.tolist(), others.tolist(), strict=True):
        items[here], items[there] = items[there], items[here]
    return Sequences(items, sequences.timestamps, sequences.offsets, sequences.users)
