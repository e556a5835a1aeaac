"""Protocols that hold out whole users (or sessions). Drawings as in per_user.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.hashing import hash_ids
from recsys_data.interactions import Interactions
from recsys_data.protocols.build import assemble, check_unseen
from recsys_data.protocols.candidates import ALL_ITEMS, UNSEEN_ITEMS_ONLY, Candidates
from recsys_data.protocols.filters import Filter, apply_filters
from recsys_data.protocols.per_user import require_order
from recsys_data.protocols.targets import SECOND_HALF, LastOnly, SecondHalf, TargetRule
from recsys_data.split import TEST, TRAIN, UNUSED, VALIDATION, Split

DRAWS = ("without replacement", "with replacement", "id order", "length order")


@dataclass(frozen=True)
class DisjointUsers:
    """``test`` users test, ``validation`` others validate, the rest train (Devooght: 500 and 500 of ML-1M).

    ::

        user 1   = = = = = =
        user 2   · · · · v v v v      (halves: · history, v targets)
        user 3       · · t t

    ``test`` and ``validation`` are numbers of users (1 and more) or shares (below 1). ``draw``: "without
    replacement"; "with replacement" without the duplicates, as in the official code, which yields fewer users than
    requested; "id order" and "length order" take the last users by id or by history length for test and those before
    for validation (the Time-LSTM code writes users by ascending length). Lengths are those of whole histories, before
    any filter: that code sorts its files first and filters them as it reads. ``extended``: the first half of each
    held-out history trains too (Devooght's extended set, for models with one vector per user).
    """

    test: float = 0.1
    validation: float = 0.1
    draw: str = "without replacement"
    seed: int = 1
    extended: bool = False
    unseen: str = "candidate"
    target_rule: TargetRule = SECOND_HALF
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = ALL_ITEMS
    expose_query_times: bool = False

    def __post_init__(self) -> None:
        check_range(self, "test", above=0)
        check_range(self, "validation", at_least=0)
        check_choice(self, "draw", DRAWS)
        if self.extended and not isinstance(self.target_rule, SecondHalf):
            raise ValueError(f"extended needs the target rule SecondHalf, got {type(self.target_rule).__name__}")
        check_unseen(self.unseen)

    @property
    def allows(self) -> frozenset[str]:
        """The findings that this protocol accepts: it ignores time, and an extended set cuts histories."""
        return frozenset({"temporal leakage"} | ({"sequences cut in two"} if self.extended else set()))

    @property
    def name(self) -> str:
        """Disjoint users 500/500, how they are drawn, and the target rule."""
        more = ", extended training set" if self.extended else ""
        how = f"{self.draw}, {self.target_rule.name}{more}{self.candidates.suffix}"
        return f"disjoint users {self.validation:g}/{self.test:g}, {how}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError where they have no order or too few users."""
        require_order(interactions, self.name)
        whole = interactions
        interactions, steps = apply_filters(whole, self.filters)
        of_users = self._draw(whole, interactions)
        parts = of_users[interactions.users]
        if self.extended:
            halves = np.diff(interactions.offsets) // 2
            parts[np.arange(len(parts)) < (interactions.offsets[:-1] + halves)[interactions.users]] = TRAIN
        return assemble(
            interactions,
            parts,
            unseen=self.unseen,
            target_rule=self.target_rule,
            validate=self.validation > 0,
            candidates=self.candidates,
            expose_query_times=self.expose_query_times,
            steps=steps,
        )

    def _draw(self, whole: Interactions, interactions: Interactions) -> np.ndarray:
        """Draw the part of each user of ``interactions``, (num_users,) int8; ``whole``: the data before the filters."""
        users = interactions.num_users
        test, validation = (_number(size, users) for size in (self.test, self.validation))
        if test + validation >= users:
            raise ValueError(
                f"{interactions.name}: {test} test and {validation} validation users leave none of {users} to train on"
            )
        parts = np.full(users, TRAIN, dtype=np.int8)
        rng = np.random.default_rng(self.seed)
        if self.draw == "with replacement":  # test users first, then validation users among the others
            parts[np.unique(rng.integers(0, users, size=test))] = TEST
            others = np.flatnonzero(parts == TRAIN)
            parts[others[np.unique(rng.integers(0, len(others), size=validation))]] = VALIDATION
            return parts
        if self.draw == "without replacement":
            order = rng.permutation(users)
        elif self.draw == "id order":
            order = np.arange(users)[::-1]
        else:
            left = set(interactions.user_ids.tolist())
            mask = [user in left for user in whole.user_ids.tolist()]  # both in the order of ids
            order = np.argsort(np.diff(whole.offsets)[mask], kind="stable")[::-1]
        parts[order[:test]] = TEST
        parts[order[test : test + validation]] = VALIDATION
        return parts


@dataclass(frozen=True)
class HashedUsers:
    """Users by MurmurHash3 of their id, about 80/10/10, in windows cut from the end (mlstm4reco, Spotlight).

    ::

        user 1   = = = = = = = = = =
        user 2   · ·|· · · v|· · · v      (max_len 4: the last event of a window is the target)

    A user is held out where hash mod 100 < 100·``held_out``; of these a second hash takes half for test. The seeds of
    both hashes come from one generator seeded with ``seed``, as in that code. Held-out histories are cut from the end
    into disjoint windows of ``max_len`` events; windows of fewer than ``min_len`` events are dropped, in training too.
    Each window is a sequence, each user a cluster.
    """

    max_len: int = 100
    min_len: int = 20
    held_out: float = 0.2
    seed: int = 72
    unseen: str = "candidate"
    filters: tuple[Filter, ...] = ()
    candidates: Candidates = UNSEEN_ITEMS_ONLY

    allows: ClassVar[frozenset[str]] = frozenset({"temporal leakage"})

    def __post_init__(self) -> None:
        check_range(self, "min_len", at_least=2, at_most=self.max_len)
        check_range(self, "held_out", above=0, below=1)
        check_unseen(self.unseen)

    @property
    def name(self) -> str:
        """Users by hash 80/10/10, windows."""
        half = 50 * self.held_out
        ranked = "" if self.candidates == UNSEEN_ITEMS_ONLY else self.candidates.suffix or ", seen items kept"
        windows = f"windows of {self.min_len} to {self.max_len}"
        return f"users by hash {100 - 2 * half:g}/{half:g}/{half:g}, {windows}{ranked}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError where they have no order or a part is empty."""
        require_order(interactions, self.name)
        interactions, steps = apply_filters(interactions, self.filters)
        seeds = np.random.RandomState(self.seed).randint(0, 2**32 - 1, size=2, dtype=np.int64)
        # the legacy generator of the official code
        first, second = (hash_ids(interactions.user_ids, int(seed)) % 100 / 100.0 for seed in seeds)
        of_users = np.select([first >= self.held_out, second >= 0.5], [TRAIN, TEST], VALIDATION).astype(np.int8)
        windows, too_short = cut_from_the_end(interactions, self.max_len, self.min_len)
        parts = of_users[interactions.users]
        parts[too_short] = UNUSED
        removed = int(np.count_nonzero(too_short))
        kept = ~too_short
        steps = (
            *steps,
            {
                "step": f"windows of fewer than {self.min_len} events dropped",
                "removed": removed,
                "events": int(np.count_nonzero(kept)),
                "users": len(np.unique(interactions.users[kept])),
                "items": len(np.unique(interactions.items[kept])),
            },
        )
        return assemble(
            interactions,
            parts,
            unseen=self.unseen,
            target_rule=LastOnly(),
            candidates=self.candidates,
            windows=windows,
            steps=steps,
        )


def cut_from_the_end(interactions: Interactions, max_len: int, min_len: int) -> tuple[np.ndarray, np.ndarray]:
    """The window of each event, (E,) ascending over all users, and whether its window is too short, (E,) bool.

    Windows of ``max_len`` events end at the user's last event and go back; the earliest one may be shorter.
    """
    behind = interactions.offsets[1:][interactions.users] - 1 - np.arange(len(interactions))  # events after it
    back = behind // max_len
    new = np.r_[True, (np.diff(interactions.users) != 0) | (np.diff(back) != 0)]
    windows = np.cumsum(new) - 1
    return windows, np.bincount(windows)[windows] < min_len


def _number(size: float, users: int) -> int:
    """A number of users: ``size`` itself, or that share of ``users`` where it is below 1."""
    return int(size) if size >= 1 else int(size * users)
