"""Target rules: at which positions of a held-out sequence a model is queried, and for which events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class AskedQueries:
    """Queries by event number: each reads the events before ``cuts`` (Q,); ``targets`` (K,) are event numbers."""

    cuts: np.ndarray
    targets: np.ndarray
    target_offsets: np.ndarray


class TargetRule(Protocol):
    """A frozen dataclass that selects the queries and targets of held-out sequences."""

    @property
    def name(self) -> str:
        """The rule in a few words, for the report."""

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """Select the queries, sorted by event.

        owners (E,): the sequence of each event, ascending; positions (E,): its position there, from 0; held_out (E,)
        bool: whether the event may be a target.
        """


@dataclass(frozen=True)
class EveryPosition:
    """Each held-out event is a target, after all events before it; the first event of a sequence is not.

    ::

        time →   a b c d e     held out: c d e
                 ? ? ▢ ▢ ▢     a b → c,  a b c → d,  a b c d → e
    """

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return "every position"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """Select one query with one target per held-out event."""
        events = np.flatnonzero(held_out & (positions > 0))
        return AskedQueries(cuts=events, targets=events, target_offsets=np.arange(len(events) + 1))


@dataclass(frozen=True)
class LastOnly:
    """The last held-out event of each sequence is the target, after all events before it."""

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return "last position"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """Select one query with one target per sequence."""
        events = np.flatnonzero(held_out & (positions > 0))
        if len(events):
            events = events[np.r_[owners[events][1:] != owners[events][:-1], True]]
        return AskedQueries(cuts=events, targets=events, target_offsets=np.arange(len(events) + 1))


@dataclass(frozen=True)
class SecondHalf:
    """One query per sequence of n events: the first ⌊n/2⌋ are the history, all others the targets (Devooght).

    ::

        time →   a b c d e     history a b, targets {c, d, e}

    n counts every event of the sequence that the protocol keeps: known items only with ``unseen="drop"``, otherwise
    all, so a target that training has not seen still counts as a miss.
    """

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return "first half against second half"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """Select one query per sequence of at least two events."""
        lengths = np.bincount(owners)[owners]
        cuts = np.flatnonzero((positions == lengths // 2) & (positions > 0))
        return _query_the_rest(cuts, np.flatnonzero(held_out), owners)


def _query_the_rest(cuts: np.ndarray, held: np.ndarray, owners: np.ndarray) -> AskedQueries:
    """Queries at ``cuts`` for all ``held`` events from there to the end of the sequence; a query needs a target."""
    first = np.searchsorted(held, cuts, side="left")
    last = np.searchsorted(owners[held], owners[cuts], side="right")
    some = last > first
    cuts, first, counts = cuts[some], first[some], (last - first)[some]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    places = np.repeat(first - offsets[:-1], counts) + np.arange(offsets[-1])
    return AskedQueries(cuts=cuts, targets=held[places], target_offsets=offsets)


EVERY_POSITION = EveryPosition()
SECOND_HALF = SecondHalf()
