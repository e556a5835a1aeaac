"""TargetRule: what is asked of a held-out sequence, each rule a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class AskedQueries:
    """Queries as positions among events: each reads the events before ``cuts`` (Q,); targets are event numbers (K,)."""

    cuts: np.ndarray
    targets: np.ndarray
    target_offsets: np.ndarray


class TargetRule(Protocol):
    """A frozen dataclass that says where a held-out sequence is asked and for what."""

    @property
    def name(self) -> str:
        """What is asked, for the report."""

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """The queries, sorted by event.

        owners (E,): the sequence of each event, ascending; positions (E,): its place there, from 0; held_out (E,)
        bool: whether it may be a target.
        """


@dataclass(frozen=True)
class EveryPosition:
    """Asks for each held-out event after all that came before it; a sequence's first event is not asked for.

    ::

        time →   a b c d e     held out: c d e
                 ? ? ▢ ▢ ▢     a b → c,  a b c → d,  a b c d → e
    """

    @property
    def name(self) -> str:
        """What is asked."""
        return "every position"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """One query with one target an event; see TargetRule.ask."""
        events = np.flatnonzero(held_out & (positions > 0))
        return AskedQueries(cuts=events, targets=events, target_offsets=np.arange(len(events) + 1))


@dataclass(frozen=True)
class LastOnly:
    """Asks for the last held-out event of each sequence after all that came before it."""

    @property
    def name(self) -> str:
        """What is asked."""
        return "last position"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """One query with one target a sequence; see TargetRule.ask."""
        events = np.flatnonzero(held_out & (positions > 0))
        if len(events):
            events = events[np.r_[owners[events][1:] != owners[events][:-1], True]]
        return AskedQueries(cuts=events, targets=events, target_offsets=np.arange(len(events) + 1))


@dataclass(frozen=True)
class EveryPrefix:
    """Asks after each prefix of a sequence for all held-out events that are still to come (kwonmha's ``-iter``).

    Its README says so; its code asks for the next one only, which is EveryPosition.
    """

    @property
    def name(self) -> str:
        """What is asked."""
        return "every prefix, for all that follows"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """One query a cut, its targets all held-out events from there to the sequence's end; see TargetRule.ask."""
        cuts = np.flatnonzero(held_out & (positions > 0))
        held = np.flatnonzero(held_out)
        return _asked_for_the_rest(cuts, held, owners)


@dataclass(frozen=True)
class SecondHalf:
    """Asks once a sequence of n events: reads the first ⌊n/2⌋ and asks for the set of all others (Devooght).

    ::

        time →   a b c d e     reads a b, asks for {c, d, e}

    n counts every event of the sequence that the protocol keeps: with ``unseen="drop"`` only known items, otherwise
    all, so that a target that training has not seen still counts as a miss.
    """

    @property
    def name(self) -> str:
        """What is asked."""
        return "first half against second half"

    def select(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> AskedQueries:
        """One query a sequence of two events or more; see TargetRule.ask."""
        lengths = np.bincount(owners, minlength=1)[owners] if len(owners) else np.empty(0, dtype=np.int64)
        cuts = np.flatnonzero((positions == lengths // 2) & (positions > 0))
        held = np.flatnonzero(held_out & (positions >= lengths // 2))
        return _asked_for_the_rest(cuts, held, owners)


def _asked_for_the_rest(cuts: np.ndarray, held: np.ndarray, owners: np.ndarray) -> AskedQueries:
    """Queries at ``cuts`` for all ``held`` events from there to the end of the same sequence; none without a target."""
    first = np.searchsorted(held, cuts, side="left")
    last = np.searchsorted(owners[held], owners[cuts], side="right")
    some = last > first
    cuts, first, counts = cuts[some], first[some], (last - first)[some]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    places = np.repeat(first - offsets[:-1], counts) + np.arange(offsets[-1])
    return AskedQueries(cuts=cuts, targets=held[places], target_offsets=offsets)


EVERY_POSITION = EveryPosition()
SECOND_HALF = SecondHalf()
