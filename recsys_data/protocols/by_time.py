"""Protocols that cut at a moment of time, the same for everybody. Drawings as in protocols.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.build import assemble, check_unseen
from recsys_data.protocols.candidates import ALL_ITEMS, Candidates
from recsys_data.protocols.filters import Filter, apply_filters
from recsys_data.protocols.per_user import require_global_order
from recsys_data.protocols.targets import EVERY_POSITION, TargetRule
from recsys_data.split import TEST, TRAIN, UNUSED, VALIDATION, Split

_DAY = 86_400.0
WHOLE = ("event", "start", "end")
FRACTION_BY = ("date", "id")


@dataclass(frozen=True)
class GlobalTimeCut:
    """The last ``test`` share of all events is the future, the ``validation`` share before it the near future.

    ::

        user 1   = = = = =|v v|t            by="event": histories are cut, and read whole when asked
        user 2     = =    |   |t t t
        user 3   = = = = =|v  |

    With ``by`` "start" or "end" a history (a session) is in one piece in the part its first or last event falls in.
    With "event" no training event happens after a test event; with "start" and "end" histories that cross the cut
    may overlap, which the audit measures. The cuts lie at the moments of the events at those shares; events at the
    very moment of a cut belong to the later part.
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
        _check_by(self.by)
        check_unseen(self.unseen)

    @property
    def allows(self) -> frozenset[str]:
        """What the audit may find: cut histories, or overlapping ones."""
        return frozenset({"sequences cut in two" if self.by == "event" else "training events after a test event"})

    @property
    def name(self) -> str:
        """Global time 80/10/10, and what is cut."""
        shares = "/".join(f"{100 * s:g}" for s in (1 - self.test - self.validation, self.validation, self.test))
        what = "" if self.by == "event" else f" by session {self.by}"
        return f"global time {shares}{what}{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """The split; ValueError where times cannot be compared between users."""
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
    """Sessions that end in the last ``test`` days test, those of the ``validation`` days before validate.

    ::

        session 1   = = =     |     |
        session 2         v v |v    |      (ends in the validation days)
        session 3             |   t | t t

    YooChoose: 1 day; Diginetica: 7. Days are 86,400 seconds back from the very last event. With ``validation`` 0 all
    earlier sessions train. ``by``: "end" (Hidasi's script) or "start". Sessions at the very moment of the cut before
    the test days are in no part, as in the papers' scripts: where times are whole days that is one day, and without
    it the last 7 would be 8.

    ``fraction``: train on the last 1/fraction of the training events only (the papers' 1/4 and 1/64), in the order
    ``fraction_by``: "id" takes the last events by session id and leaves out the first, possibly cut, session (STAMP);
    "date" orders sessions by their end and takes the last pairs, a session of n events being n − 1 pairs (NARM and SR-GNN;
    the session in which the cut falls keeps its whole history here, where they keep only its longer prefixes). Test
    events whose item the whole training part has not seen are left out before; for those that only its last part
    has not seen, ``unseen`` holds.
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

    allows: ClassVar[frozenset[str]] = frozenset({"training events after a test event"})

    def __post_init__(self) -> None:
        if self.test <= 0 or self.validation < 0:
            raise ValueError(
                f"test must be more than 0 days and validation not less than 0, got {self.test} and {self.validation}"
            )
        _check_by(self.by)
        if self.fraction < 1:
            raise ValueError(f"fraction must be at least 1, got {self.fraction}")
        if self.fraction_by not in FRACTION_BY:
            raise ValueError(f"fraction_by must be one of {', '.join(FRACTION_BY)}, got {self.fraction_by!r}")
        check_unseen(self.unseen)

    @property
    def name(self) -> str:
        """Last 1 day, 1 before, and which part of the rest trains."""
        part = "" if self.fraction == 1 else f", the last 1/{self.fraction} by {self.fraction_by} to train"
        return f"last {self.test:g} days, {self.validation:g} before to validate{part}{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """The split; ValueError unless the clock is absolute."""
        if interactions.clock is not Clock.ABSOLUTE:
            raise ValueError(
                f"{self.name} needs absolute times, and {interactions.name} has {interactions.clock.value}"
            )
        interactions, steps = apply_filters(interactions, self.filters)
        second = interactions.timestamps.max() - self.test * _DAY
        first = second - self.validation * _DAY
        moments = _moments(interactions, self.by)
        parts = _parts(moments, first, second)
        on_the_cut = moments == second
        if on_the_cut.any():
            parts[on_the_cut] = UNUSED
            steps = (*steps, _step(interactions, ~on_the_cut, "events at the very moment of the cut: in no part"))
        if self.fraction > 1:
            parts, step = self._last_part(interactions, parts)
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

    def _last_part(self, interactions: Interactions, parts: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """The parts with only the last 1/part of the training events, and the step that says what that removed."""
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
    """The time that decides the part of each event: its own, or that of its history's first or last event."""
    if by == "event":
        return interactions.timestamps
    edge = interactions.offsets[:-1] if by == "start" else interactions.offsets[1:] - 1
    return interactions.timestamps[edge][interactions.users]


def _parts(times: np.ndarray, first: float, second: float) -> np.ndarray:
    """The part of each event: training before ``first``, validation before ``second``, then test."""
    return np.select([times < first, times < second], [TRAIN, VALIDATION], TEST).astype(np.int8)


def _step(interactions: Interactions, kept: np.ndarray, what: str) -> dict[str, Any]:
    """The step that says what leaving out all but the ``kept`` events, (E,) bool, removed."""
    return {
        "step": what,
        "removed": int(np.count_nonzero(~kept)),
        "events": int(np.count_nonzero(kept)),
        "users": len(np.unique(interactions.users[kept])),
        "items": len(np.unique(interactions.items[kept])),
    }


def _check_by(by: str) -> None:
    """ValueError unless ``by`` is one of WHOLE."""
    if by not in WHOLE:
        raise ValueError(f"by must be one of {', '.join(WHOLE)}, got {by!r}")
