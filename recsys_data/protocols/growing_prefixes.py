"""Time-LSTM's protocol: whole users held out, whose prefixes join the training set while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

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
    """A training set that prefixes of the ``growing`` histories join after ``fixed_epochs``; no last event ever does.

    With F = fixed_epochs, E = epochs and L the longest input (a history without its last event), epochs 1 … F + 1 see
    the training users only; epoch e > F + 1 reads the first ⌊(e − 1 − F)·L / (E − F)⌋ events of each growing history
    beside them, and the event after these is a target too, as in the code, unless it is the history's last. The added
    prefixes replace those of the epoch before. They are anonymous (users −1).
    """

    growing: Sequences = None  # type: ignore[assignment]  # a field after inherited ones must have a default
    fixed_epochs: int = 10
    epochs: int = 50

    @cached_property
    def _own(self) -> TrainingSet:
        """The training users alone."""
        return TrainingSet(self.sequences, self.num_users, self.num_items, self.clock)

    def at(self, epoch: int) -> TrainingSet:
        """What may be learnt from in this epoch (from 1)."""
        length = self.prefix_length(epoch)
        if length < 1:
            return self._own
        inputs = np.maximum(self.growing.lengths - 1, 0)
        rows = np.flatnonzero(inputs)
        counts = np.minimum(inputs[rows], length + 1)  # what is read, and the target after it
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
        """How many events of each growing history this epoch reads at most."""
        if epoch <= self.fixed_epochs + 1 or len(self.growing) == 0:
            return 0
        longest = int(self.growing.lengths.max()) - 1
        return (min(epoch, self.epochs) - 1 - self.fixed_epochs) * longest // (self.epochs - self.fixed_epochs)


@dataclass(frozen=True)
class GrowingPrefixes:
    """Users by number or share, asked for their last event; their earlier events join the training set (Time-LSTM).

    ::

        user 1   = = = = = =
        user 2   + + + + + t      (+ read; from epoch fixed_epochs + 2 on a growing prefix of them also trains)

    ``grow`` False leaves out the second stage: no event of a test user is learnt from. ``draw``: "length order" is
    what the official code's file order amounts to, the longest histories test; "without replacement" draws users at
    random. Candidates are 100 sampled items, 3 times, as in the code. ``expose_query_times``: the model knows when the
    target happens, as in the paper. ``validation`` users (none in the paper) are asked like test users and never
    learnt from. The epochs of the model must be ``epochs``, else its growth is another.
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

    allows: ClassVar[frozenset[str]] = frozenset({"training events after a test event"})

    def __post_init__(self) -> None:
        if not 0 <= self.fixed_epochs < self.epochs:
            raise ValueError(f"fixed_epochs must be from 0 to below epochs ({self.epochs}), got {self.fixed_epochs}")
        check_unseen(self.unseen)
        self._users()

    @property
    def name(self) -> str:
        """Last event of held-out users, with or without growing prefixes."""
        stage = f"prefixes growing after epoch {self.fixed_epochs}" if self.grow else "nothing of them learnt"
        rules = [each.rule for each in self.filters if isinstance(each, OfficialTopItems)]
        wrong = "".join(f", the code's wrong {rule}" for rule in rules)
        ranked = self.candidates.suffix or ", among all items"
        return f"last event of held-out users ({self.test:g}, {self.draw}), {stage}{ranked}{wrong}"

    def _users(self) -> DisjointUsers:
        """The same without growth."""
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
        """The split; its training set grows with the epoch. ValueError as in DisjointUsers."""
        split = self._users().prepare(interactions)
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
            "TEST USERS LEARNT FROM: growing prefixes of the test users' histories join the training set, their last "
            "event never"
        )
        return replace(split, train=train, caveats=(*split.caveats, caveat))
