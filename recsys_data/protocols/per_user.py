"""Protocols that cut each user's history: from Interactions to Split.

In the drawings each line is a user and time runs to the right: ``=`` training, ``v`` validation, ``t`` test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Protocol

import numpy as np

from recsys_data.checks import check_choice
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.build import assemble, check_unseen
from recsys_data.protocols.candidates import ALL_ITEMS, Candidates
from recsys_data.protocols.filters import Filter, apply_filters
from recsys_data.split import TEST, TRAIN, VALIDATION, Split

ROUNDINGS = ("floor", "nearest", "ceil")


class SplitProtocol(Protocol):
    """A frozen dataclass that splits a data set. ``allows``: the names of the audit's findings that it accepts."""

    allows: ClassVar[frozenset[str]]

    @property
    def name(self) -> str:
        """The protocol in a few words."""

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError for a clock that is too weak or an empty part."""


def require_order(interactions: Interactions, protocol: str) -> None:
    """Raise ValueError unless the events of each user are in order."""
    if not interactions.clock.has_order:
        raise ValueError(
            f"{protocol} needs the order of each user's events, and {interactions.name} has {interactions.clock.value}"
        )


def require_global_order(interactions: Interactions, protocol: str) -> None:
    """Raise ValueError unless events of different users can be ordered."""
    if not interactions.clock.has_global_order:
        raise ValueError(
            f"{protocol} needs times that can be compared between users, and {interactions.name} has "
            f"{interactions.clock.value} only"
        )


@dataclass(frozen=True)
class PerUserFractions:
    """The first ``train`` of each history trains, the next ``validation`` validates, the rest tests (Donkers 2017).

    ::

        user 1   = = = = = = = = v t
        user 2         = = = = v t
        user 3   = = = = = = = = = = = = v v t t

    Every held-out event is a target, with the whole history before it. The cuts in a history of n events are train·n
    and (train + validation)·n, rounded by ``rounding``: "floor", "nearest" (halves up) or "ceil"; the paper does not
    specify it. ``unseen``: items that training has not seen are dropped from the held-out parts ("drop", as in the
    paper), count as a miss ("miss"), or stay as candidates ("candidate"). The training part contains later events of
    other users: temporal leakage, which the audit measures.
    """

    train: float = 0.9
    validation: float = 0.05
    test: float = 0.05
    rounding: str = "floor"
    unseen: str = "drop"
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = ALL_ITEMS

    allows: ClassVar[frozenset[str]] = frozenset({"temporal leakage", "sequences cut in two"})

    def __post_init__(self) -> None:
        shares = [Fraction(str(share)) for share in (self.train, self.validation, self.test)]
        if min(shares) < 0 or sum(shares) != 1 or shares[0] == 0 or shares[2] == 0:
            raise ValueError(
                "train, validation and test must be shares that sum to 1 (validation may be 0), got "
                f"{self.train}, {self.validation}, {self.test}"
            )
        check_choice(self, "rounding", ROUNDINGS)
        check_unseen(self.unseen)

    @property
    def name(self) -> str:
        """per-user 90/5/5, with the rounding where it is not floor."""
        shares = "/".join(f"{100 * share:g}" for share in (self.train, self.validation, self.test))
        rounded = {"floor": "", "nearest": ", rounded to the nearest", "ceil": ", rounded up"}[self.rounding]
        return f"per-user {shares}{rounded}{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError where they have no order."""
        require_order(interactions, self.name)
        interactions, steps = apply_filters(interactions, self.filters)
        lengths = np.diff(interactions.offsets)
        train = Fraction(str(self.train))
        first = _rounded(lengths, train, self.rounding)
        second = _rounded(lengths, train + Fraction(str(self.validation)), self.rounding)
        parts = _cut(interactions, first, second)
        return assemble(
            interactions,
            parts,
            unseen=self.unseen,
            validate=self.validation > 0,
            candidates=self.candidates,
            steps=steps,
        )


@dataclass(frozen=True)
class LeaveLastOut:
    """The last event of each history tests, the one before validates, the rest trains.

    ::

        user 1   = = = = = = = = v t
        user 2         = = = = v t
        user 3   = =                      (fewer than three events: trains only)

    ``unseen`` and temporal leakage as in PerUserFractions.
    """

    unseen: str = "drop"
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = ALL_ITEMS

    allows: ClassVar[frozenset[str]] = PerUserFractions.allows

    def __post_init__(self) -> None:
        check_unseen(self.unseen)

    @property
    def name(self) -> str:
        """Leave last out."""
        return f"leave last out{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError where they have no order."""
        require_order(interactions, self.name)
        interactions, steps = apply_filters(interactions, self.filters)
        lengths = np.diff(interactions.offsets)
        long_enough = lengths >= 3
        parts = _cut(interactions, lengths - 2 * long_enough, lengths - 1 * long_enough)
        return assemble(interactions, parts, unseen=self.unseen, candidates=self.candidates, steps=steps)


@dataclass(frozen=True)
class RandomFractions:
    """PerUserFractions on shuffled histories, for data without order or as a control.

    ::

        user 1   = v = = t = = = = =      (held-out events are drawn at random)

    The result is no longer a sequence; every split carries a caveat that says so. ``seed`` draws the order.
    """

    train: float = 0.9
    validation: float = 0.05
    test: float = 0.05
    seed: int = 0
    rounding: str = "floor"
    unseen: str = "drop"
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = ALL_ITEMS

    allows: ClassVar[frozenset[str]] = PerUserFractions.allows

    def __post_init__(self) -> None:
        self._fractions()

    def _fractions(self) -> PerUserFractions:
        """The protocol applied after shuffling."""
        return PerUserFractions(
            self.train, self.validation, self.test, self.rounding, self.unseen, self.filters, self.candidates
        )

    @property
    def name(self) -> str:
        """per-user 90/5/5 at random."""
        return f"{replace(self._fractions(), candidates=ALL_ITEMS).name} at random{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the shuffled histories; their times become positions."""
        drawn = np.random.default_rng(self.seed).random(len(interactions))
        order = np.lexsort((drawn, interactions.users))
        positions = np.arange(len(interactions)) - interactions.offsets[interactions.users]
        shuffled = replace(
            interactions,
            items=interactions.items[order],
            ratings=None if interactions.ratings is None else interactions.ratings[order],
            event_types=None if interactions.event_types is None else interactions.event_types[order],
            timestamps=positions.astype(np.float64),
            clock=Clock.WITHIN,
        )
        split = self._fractions().prepare(shuffled)
        caveat = "RANDOM ORDER: histories were shuffled, so their order carries no information"
        return replace(split, caveats=(*split.caveats, caveat))


def _rounded(lengths: np.ndarray, share: Fraction, rounding: str) -> np.ndarray:
    """``share`` of each length as a whole number, in exact arithmetic."""
    over, under = lengths * share.numerator, share.denominator
    if rounding == "floor":
        return over // under
    if rounding == "ceil":
        return -(-over // under)
    return (2 * over + under) // (2 * under)


def _cut(interactions: Interactions, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The part of each event: training before its user's ``first`` position, validation before ``second``, then test.

    first, second (num_users,).
    """
    positions = np.arange(len(interactions)) - interactions.offsets[interactions.users]
    parts: Any = np.full(len(interactions), TEST, dtype=np.int8)
    parts[positions < second[interactions.users]] = VALIDATION
    parts[positions < first[interactions.users]] = TRAIN
    return parts
