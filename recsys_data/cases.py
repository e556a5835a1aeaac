"""Cases: what is asked of a held-out sequence, each rule a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Asked:
    """Queries as positions among events: each reads the events before ``cuts`` (Q,); targets are event numbers (K,)."""

    cuts: np.ndarray
    targets: np.ndarray
    target_offsets: np.ndarray


class Cases(Protocol):
    """A frozen dataclass that says where a held-out sequence is asked and for what."""

    @property
    def name(self) -> str:
        """What is asked, for the report."""

    def ask(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> Asked:
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

    def ask(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> Asked:
        """One query with one target an event; see Cases.ask."""
        events = np.flatnonzero(held_out & (positions > 0))
        return Asked(cuts=events, targets=events, target_offsets=np.arange(len(events) + 1))


@dataclass(frozen=True)
class LastOnly:
    """Asks for the last held-out event of each sequence after all that came before it."""

    @property
    def name(self) -> str:
        """What is asked."""
        return "last position"

    def ask(self, owners: np.ndarray, positions: np.ndarray, held_out: np.ndarray) -> Asked:
        """One query with one target a sequence; see Cases.ask."""
        events = np.flatnonzero(held_out & (positions > 0))
        if len(events):
            events = events[np.r_[owners[events][1:] != owners[events][:-1], True]]
        return Asked(cuts=events, targets=events, target_offsets=np.arange(len(events) + 1))
