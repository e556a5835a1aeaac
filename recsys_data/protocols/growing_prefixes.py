"""Time-LSTM's protocol: whole users are held out; growing prefixes of their histories join the training set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from recsys_data.checks import check_range
from recsys_data.interactions import Interactions
from recsys_data.protocols.build import check_unseen
from recsys_data.protocols.by_user import DisjointUsers
from recsys_data.protocols.candidates import Candidates, SampledItems
from recsys_data.protocols.filters import Filter
from recsys_data.protocols.targets import LastOnly
from recsys_data.protocols.time_lstm_gaps import OfficialTopItems
from recsys_data.sequences import UNKNOWN, Sequences
from recsys_data.split import Split, TrainingSet


@dataclass(frozen=True, eq=False)
class GrowingTrainingSet(TrainingSet):
    """A training set that prefixes of the ``growing`` histories join after ``fixed_epochs``, without their last events.

    With F = fixed_epochs, E = epochs and L the longest input (a history without its last event), epochs 1 … F + 1 train
    on the training users only. Epoch e > F + 1 adds the first ⌊(e − 1 − F)·L / (E − F)⌋ events of each growing history
    and, as in the code, the event after them as a target, unless it is the history's last. The added prefixes replace
    those of the epoch before and are anonymous (users −1).
    """

    growing: Sequences = None  # type: ignore[assignment]  # a field after inherited ones must have a default
    fixed_epochs: int = 10
    epochs: int = 50

    @cached_property
    def _own(self) -> TrainingSet:
        """The training users only."""
        return TrainingSet(self.sequences, self.num_users, self.num_items, self.clock)

    def at(self, epoch: int) -> TrainingSet:
        """The training set of this epoch (from 1)."""
        length = self.prefix_length(epoch)
        if length < 1:
            return self._own
        inputs = np.maximum(self.growing.lengths - 1, 0)
        rows = np.flatnonzero(inputs)
        counts = np.minimum(inputs[rows], length + 1)  # the inputs, and the target after them
        starts = self.growing.offsets[rows]
        places = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum())
        grown = Sequences(
            items=np.concatenate([self.sequences.items, self.growing.items[places]]),
            timestamps=np.concatenate([self.sequences.timestamps, self.growing.timestamps[places]]),
            offsets=np.concatenate([self.sequences.offsets, self.sequences.offsets[-1] + np.cumsum(counts)]),
            users=np.concatenate([self.sequences.users, np.full(len(rows), UNKNOWN, dtype=np.int32)]),
        )
        return TrainingSet(grown, self.num_users, self.num_items, self.clock)

    @property
    def changes(self) -> tuple[int, ...]:
        """The epochs, ascending, whose prefixes are longer than those of the epoch before."""
        epochs = range(2, self.epochs + 1)
        return tuple(epoch for epoch in epochs if self.prefix_length(epoch) != self.prefix_length(epoch - 1))

    def prefix_length(self, epoch: int) -> int:
        """The largest number of input events from each growing history in this epoch."""
        if epoch <= self.fixed_epochs + 1 or len(self.growing) == 0:
            return 0
        longest = int(self.growing.lengths.max()) - 1
        return (min(epoch, self.epochs) - 1 - self.fixed_epochs) * longest // (self.epochs - self.fixed_epochs)


@dataclass(frozen=True)
class GrowingPrefixes:
    """Held-out users whose last event is the target; their earlier events join the training set (Time-LSTM).

    ::

        user 1   = = = = = =
        user 2   + + + + + t      (+ history; from epoch fixed_epochs + 2 on a growing prefix of it also trains)

    ``test`` and ``validation`` are numbers or shares of users. ``grow`` False skips the second stage: no event of a
    test user trains. ``draw``: "length order" is the order of the official code's files, so the longest histories test;
    "without replacement" draws users at random. Candidates are 100 sampled items, 3 times, as in the code.
    ``expose_query_times``: the model knows the time of the target, as in the paper. ``validation`` users (none in the
    paper) are queried like test users and never train. The model must run exactly ``epochs`` epochs.
    """

    test: float = 0.2
    validation: float = 0.0
    draw: str = "length order"
    seed: int = 1
    fixed_epochs: int = 10
    epochs: int = 50
    grow: bool = True
    unseen: str = "candidate"
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = SampledItems(100, 3)  # noqa: RUF009 - frozen
    expose_query_times: bool = True

    allows: ClassVar[frozenset[str]] = frozenset({"temporal leakage"})

    def __post_init__(self) -> None:
        check_range(self, "fixed_epochs", at_least=0, below=self.epochs)
        check_unseen(self.unseen)
        self._without_growth()

    @property
    def name(self) -> str:
        """Last event of held-out users, with or without growing prefixes."""
        stage = f"prefixes growing after epoch {self.fixed_epochs}" if self.grow else "none of their events train"
        rules = [each.rule for each in self.filters if isinstance(each, OfficialTopItems)]
        wrong = "".join(f", the code's wrong {rule}" for rule in rules)
        ranked = self.candidates.suffix or ", among all items"
        return f"last event of held-out users ({self.test:g}, {self.draw}), {stage}{ranked}{wrong}"

    def _without_growth(self) -> DisjointUsers:
        """The same protocol with a fixed training set."""
        return DisjointUsers(
            test=self.test,
            validation=self.validation,
            draw=self.draw,
            seed=self.seed,
            unseen=self.unseen,
            target_rule=LastOnly(),
            filters=self.filters,
            candidates=self.candidates,
            expose_query_times=self.expose_query_times,
        )

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; the training set grows with the epoch. ValueError as in DisjointUsers."""
        split = self._without_growth().prepare(interactions)
        if not self.grow:
            return split
        train = GrowingTrainingSet(
            split.train.sequences,
            split.train.num_users,
            split.train.num_items,
            split.train.clock,
            growing=split.test.sequences,
            fixed_epochs=self.fixed_epochs,
            epochs=self.epochs,
        )
        caveat = (
            "TEST USERS IN TRAINING: growing prefixes of the test users' histories join the training set, without "
            "their last events"
        )
        return replace(split, train=train, caveats=(*split.caveats, caveat))
