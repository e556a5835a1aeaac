"""Filters: which events a protocol keeps, each a value; what each removed is reported.

Times stay with the events that are kept, so gaps over removed events add up to the true gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys_data.interactions import Counts, Interactions


class Filter(Protocol):
    """A frozen dataclass that says which events stay."""

    @property
    def name(self) -> str:
        """What the filter does, for the report."""

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""


@dataclass(frozen=True)
class MinUserEvents:
    """Keeps users (or sessions) with at least ``events`` events."""

    events: int

    def __post_init__(self) -> None:
        _at_least_one("events", self.events)

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"users with at least {self.events} events"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        return np.diff(interactions.offsets)[interactions.users] >= self.events


@dataclass(frozen=True)
class MinItemEvents:
    """Keeps items with at least ``events`` events."""

    events: int

    def __post_init__(self) -> None:
        _at_least_one("events", self.events)

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"items with at least {self.events} events"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        return _item_counts(interactions)[interactions.items] >= self.events


@dataclass(frozen=True)
class KCore:
    """Keeps the largest part in which every user has ``users`` events and every item ``items``: a fixed point.

    The part is the same in whatever order users and items are looked at. For one pass in a stated order, write the
    order: MinUserEvents(2), MinItemEvents(5), MinUserEvents(2) is that of Devooght and of Hidasi's session script.
    """

    users: int
    items: int

    def __post_init__(self) -> None:
        _at_least_one("users", self.users)
        _at_least_one("items", self.items)

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"users with {self.users} and items with {self.items} events at least, to the fixed point"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        kept = np.ones(len(interactions), dtype=bool)
        while True:
            of_users = np.bincount(interactions.users[kept], minlength=interactions.num_users)
            of_items = np.bincount(interactions.items[kept], minlength=interactions.num_items)
            good = kept & (of_users[interactions.users] >= self.users) & (of_items[interactions.items] >= self.items)
            if np.array_equal(good, kept):
                return kept
            kept = good


@dataclass(frozen=True)
class TopItems:
    """Keeps the ``count`` most frequent items (ties: the smaller raw id): a vocabulary."""

    count: int

    def __post_init__(self) -> None:
        _at_least_one("count", self.count)

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"the {self.count:,} most frequent items"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        top = np.zeros(interactions.num_items, dtype=bool)
        top[np.argsort(-_item_counts(interactions), kind="stable")[: self.count]] = True
        return top[interactions.items]


@dataclass(frozen=True)
class Truncate:
    """Keeps the ``first`` (Time-LSTM's code) or last ``max_len`` events of each history."""

    max_len: int
    keep: str = "last"

    def __post_init__(self) -> None:
        _at_least_one("max_len", self.max_len)
        if self.keep not in ("first", "last"):
            raise ValueError(f"keep must be first or last, got {self.keep!r}")

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"the {self.keep} {self.max_len} events of each history"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        edge = interactions.offsets[:-1] if self.keep == "first" else interactions.offsets[1:] - 1
        return np.abs(np.arange(len(interactions)) - edge[interactions.users]) < self.max_len


@dataclass(frozen=True)
class DropDuplicates:
    """Keeps the first of several events with the same user, item and time."""

    @property
    def name(self) -> str:
        """What the filter does."""
        return "without events of the same user, item and time as an earlier row"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        return _firsts(interactions.users, interactions.timestamps, interactions.items)


@dataclass(frozen=True)
class DropRepeats:
    """Keeps an event only if the user's event before it has another item; with ``ever``, if no earlier event has it."""

    ever: bool = False

    @property
    def name(self) -> str:
        """What the filter does."""
        return "without repeats of any earlier item" if self.ever else "without immediate repeats"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        if self.ever:
            return _firsts(interactions.users, interactions.items)
        users, items = interactions.users, interactions.items
        return np.r_[True, (users[1:] != users[:-1]) | (items[1:] != items[:-1])]


@dataclass(frozen=True)
class AllOf:
    """Keeps the events that each of ``filters`` keeps of the whole, so that their order does not matter (Kula 2017)."""

    filters: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if not self.filters:
            raise ValueError("filters must hold at least one filter, got none")

    @property
    def name(self) -> str:
        """What the filters do, at once."""
        return " and ".join(each.name for each in self.filters) + ", counted once on the whole"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        return np.logical_and.reduce([each.mask(interactions) for each in self.filters])


def apply_filters(
    interactions: Interactions, filters: Sequence[Filter]
) -> tuple[Interactions, tuple[dict[str, Any], ...]]:
    """What the filters leave, one after the other, and a step each: step, removed, events, users, items.

    Raises ValueError naming the filter that leaves nothing.
    """
    steps = []
    for each in filters:
        mask = each.mask(interactions)
        if not mask.any():
            raise ValueError(
                f"{interactions.name}: the filter '{each.name}' leaves no event of {len(interactions):,}; ask for less"
            )
        removed = int(np.count_nonzero(~mask))
        change = getattr(each, "retime", None)  # a filter that imitates an official mistake changes times too
        if change is not None:
            interactions = change(interactions, mask)
        interactions = interactions.keep(mask) if removed else interactions
        counts = Counts.of(interactions)
        steps.append(
            {
                "step": each.name,
                "removed": removed,
                "events": counts.events,
                "users": counts.users,
                "items": counts.items,
            }
        )
    return interactions, tuple(steps)


def _at_least_one(name: str, value: int) -> None:
    """ValueError unless ``value`` is 1 or more."""
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


def _item_counts(interactions: Interactions) -> np.ndarray:
    """How often each item occurs, (num_items,)."""
    return np.bincount(interactions.items, minlength=interactions.num_items)


def _firsts(*columns: np.ndarray) -> np.ndarray:
    """A mask of the rows that no earlier row equals in all ``columns``."""
    order = np.lexsort(columns[::-1])  # stable: equal rows keep their order
    same = np.ones(len(order) - 1, dtype=bool)
    for column in columns:
        same &= column[order][1:] == column[order][:-1]
    mask = np.ones(len(order), dtype=bool)
    mask[order[1:][same]] = False
    return mask
