"""Protocols that cut at one point in time for all users. Drawings as in per_user.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.build import assemble, check_unseen, unseen_suffix
from recsys_data.protocols.candidates import ALL_ITEMS, Candidates
from recsys_data.protocols.filters import Filter, apply_filters
from recsys_data.protocols.per_user import require_global_order
from recsys_data.protocols.targets import EVERY_POSITION, TargetRule
from recsys_data.split import TEST, TRAIN, UNUSED, VALIDATION, Split

_DAY = 86_400.0
BY = ("event", "start", "end")
FRACTION_BY = ("date", "id")


@dataclass(frozen=True)
class GlobalTimeCut:
    """The last ``test`` share of all events tests, the ``validation`` share before it validates, the rest trains.

    ::

        user 1   = = = = =|v v|t            by="event": histories are cut; a query reads the whole history before it
        user 2     = =    |   |t t t
        user 3   = = = = =|v  |

    With ``by`` "start" or "end" a whole history (session) is in the part of its first or last event. With "event" no
    training event happens after a test event; with "start" and "end" histories that cross the cut may overlap, which
    the audit measures. The cuts are the times of the events at those shares; events at the time of a cut belong to the
    later part.
    """

    test: float = 0.1
    validation: float = 0.1
    by: str = "event"
    unseen: str = "drop"
    target_rule: TargetRule = EVERY_POSITION
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = ALL_ITEMS

    def __post_init__(self) -> None:
        if not (0 < self.test < 1 and 0 <= self.validation < 1 and self.test + self.validation < 1):
            raise ValueError(
                f"test and validation must be shares that leave something to train on, got {self.test} and "
                f"{self.validation}"
            )
        check_choice(self, "by", BY)
        check_unseen(self.unseen)

    @property
    def allows(self) -> frozenset[str]:
        """The findings that this protocol accepts: cut histories, or overlapping ones."""
        return frozenset({"sequences cut in two" if self.by == "event" else "temporal leakage"})

    @property
    def name(self) -> str:
        """Global time 80/10/10, and how sessions are assigned."""
        shares = "/".join(f"{100 * s:g}" for s in (1 - self.test - self.validation, self.validation, self.test))
        what = "" if self.by == "event" else f" by session {self.by}"
        return f"global time {shares}{what}{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError where times cannot be compared between users."""
        require_global_order(interactions, self.name)
        interactions, steps = apply_filters(interactions, self.filters)
        times = np.sort(interactions.timestamps)
        first, second = (times[int(len(times) * share)] for share in (1 - self.test - self.validation, 1 - self.test))
        return assemble(
            interactions,
            _parts(_moments(interactions, self.by), first, second),
            unseen=self.unseen,
            target_rule=self.target_rule,
            validate=self.validation > 0,
            candidates=self.candidates,
            steps=steps,
        )


@dataclass(frozen=True)
class LastDays:
    """Sessions that end in the last ``test`` days test, those that end in the ``validation`` days before validate.

    ::

        session 1   = = =     |     |
        session 2         v v |v    |      (ends in the validation days)
        session 3             |   t | t t

    YooChoose: 1 day; Diginetica: 7. Days are 86,400 seconds, counted back from the last event. With ``validation`` 0
    all earlier sessions train. ``by``: "end" (Hidasi's script) or "start". Sessions exactly at the cut before the test
    days are in no part, as in the papers' scripts: where times are whole days, they would make the last 7 days 8.

    ``fraction``: train on the last 1/fraction of the training events only (the papers' 1/4 and 1/64), in the order
    ``fraction_by``: "id" takes the last events by session id and leaves out the first, possibly cut, session (STAMP);
    "date" orders sessions by their end and takes the last pairs, where a session of n events has n − 1 pairs (NARM and
    SR-GNN; the session at the cut keeps its whole history here, only its longer prefixes there). Test events whose item
    is not in the whole training part are dropped first; ``unseen`` applies to items that only the last part lacks.
    """

    test: float = 1.0
    validation: float = 1.0
    by: str = "end"
    fraction: int = 1
    fraction_by: str = "date"
    unseen: str = "drop"
    target_rule: TargetRule = EVERY_POSITION
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = ALL_ITEMS

    allows: ClassVar[frozenset[str]] = frozenset({"temporal leakage"})

    def __post_init__(self) -> None:
        check_range(self, "test", above=0, unit="days")
        check_range(self, "validation", at_least=0, unit="days")
        check_choice(self, "by", BY)
        check_range(self, "fraction", at_least=1)
        check_choice(self, "fraction_by", FRACTION_BY)
        check_unseen(self.unseen)

    @property
    def name(self) -> str:
        """Last 1 day, 1 before, the fraction of the rest that trains, and the rule for unseen items."""
        part = "" if self.fraction == 1 else f", the last 1/{self.fraction} by {self.fraction_by} to train"
        unseen = unseen_suffix(self.unseen, "drop")
        return f"last {self.test:g} days, {self.validation:g} before to validate{part}{unseen}{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError unless the clock is absolute."""
        if interactions.clock is not Clock.ABSOLUTE:
            raise ValueError(
                f"{self.name} needs absolute times, and {interactions.name} has {interactions.clock.value}"
            )
        interactions, steps = apply_filters(interactions, self.filters)
        second = interactions.timestamps.max() - self.test * _DAY
        first = second - self.validation * _DAY
        moments = _moments(interactions, self.by)
        parts = _parts(moments, first, second)
        at_cut = moments == second
        if at_cut.any():
            parts[at_cut] = UNUSED
            steps = (*steps, _step(interactions, ~at_cut, "events exactly at the cut: in no part"))
        if self.fraction > 1:
            parts, step = self._last_fraction(interactions, parts)
            steps = (*steps, step)
        return assemble(
            interactions,
            parts,
            unseen=self.unseen,
            target_rule=self.target_rule,
            validate=self.validation > 0,
            candidates=self.candidates,
            steps=steps,
        )

    def _last_fraction(self, interactions: Interactions, parts: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """Keep only the last 1/fraction of the training events; return the parts and the step for the report."""
        parts = parts.copy()
        seen = np.zeros(interactions.num_items, dtype=bool)
        seen[interactions.items[parts == TRAIN]] = True
        parts[(parts != TRAIN) & ~seen[interactions.items]] = UNUSED
        sessions, sizes = np.unique(interactions.users[parts == TRAIN], return_counts=True)
        if self.fraction_by == "date":
            ends = interactions.timestamps[interactions.offsets[1:] - 1]
            order = np.lexsort((sessions, ends[sessions]))
            sessions, sizes = sessions[order], sizes[order] - 1
        wanted = sizes.sum() // self.fraction
        from_end = np.cumsum(sizes[::-1])[::-1]  # events (or pairs) in this session and all later ones
        taken = from_end <= wanted if self.fraction_by == "id" else from_end - sizes < wanted
        left = np.isin(interactions.users, sessions[~taken]) & (parts == TRAIN)
        parts[left] = UNUSED
        kept = interactions.items[parts == TRAIN]
        return parts, {
            "step": f"training: its last 1/{self.fraction} by {self.fraction_by}",
            "removed": int(left.sum()),
            "events": len(kept),
            "users": int(taken.sum()),
            "items": len(np.unique(kept)),
        }


def _moments(interactions: Interactions, by: str) -> np.ndarray:
    """The time that assigns each event to a part: its own, or that of the first or last event of its history."""
    if by == "event":
        return interactions.timestamps
    edge = interactions.offsets[:-1] if by == "start" else interactions.offsets[1:] - 1
    return interactions.timestamps[edge][interactions.users]


def _parts(times: np.ndarray, first: float, second: float) -> np.ndarray:
    """The part of each event: training before ``first``, validation before ``second``, then test."""
    return np.select([times < first, times < second], [TRAIN, VALIDATION], TEST).astype(np.int8)


def _step(interactions: Interactions, kept: np.ndarray, what: str) -> dict[str, Any]:
    """The report's step for keeping only the events ``kept``, (E,) bool."""
    return {
        "step": what,
        "removed": int(np.count_nonzero(~kept)),
        "events": int(np.count_nonzero(kept)),
        "users": len(np.unique(interactions.users[kept])),
        "items": len(np.unique(interactions.items[kept])),
    }
