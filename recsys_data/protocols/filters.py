"""Filters: frozen dataclasses that choose the events a protocol keeps; the report lists what each one removes.

Kept events keep their times, so the gap across removed events is the true gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Counts, Interactions


class Filter(Protocol):
    """A frozen dataclass that chooses the events to keep."""

    @property
    def name(self) -> str:
        """The rule in a few words, for the report."""

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""


@dataclass(frozen=True)
class MinUserEvents:
    """Keep users (or sessions) with at least ``events`` events."""

    events: int

    def __post_init__(self) -> None:
        check_range(self, "events", at_least=1)

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"users with at least {self.events} events"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        return np.diff(interactions.offsets)[interactions.users] >= self.events


@dataclass(frozen=True)
class MinItemEvents:
    """Keep items with at least ``events`` events."""

    events: int

    def __post_init__(self) -> None:
        check_range(self, "events", at_least=1)

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"items with at least {self.events} events"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        return _item_counts(interactions)[interactions.items] >= self.events


@dataclass(frozen=True)
class KCore:
    """Keep the largest set of events in which every user has ``users`` events and every item ``items``: a fixed point.

    The result does not depend on the order of users and items. For a single pass, list the filters in order:
    MinUserEvents(2), MinItemEvents(5), MinUserEvents(2) is the pass of Devooght and of Hidasi's session script.
    """

    users: int
    items: int

    def __post_init__(self) -> None:
        check_range(self, "users", "items", at_least=1)

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"users with {self.users} and items with {self.items} events at least, to the fixed point"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
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
    """Keep the ``count`` most frequent items (ties: the smaller raw id)."""

    count: int

    def __post_init__(self) -> None:
        check_range(self, "count", at_least=1)

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"the {self.count:,} most frequent items"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        top = np.zeros(interactions.num_items, dtype=bool)
        top[np.argsort(-_item_counts(interactions), kind="stable")[: self.count]] = True
        return top[interactions.items]


@dataclass(frozen=True)
class Truncate:
    """Keep the first (as Time-LSTM's code) or the last ``max_len`` events of each history."""

    max_len: int
    keep: str = "last"

    def __post_init__(self) -> None:
        check_range(self, "max_len", at_least=1)
        check_choice(self, "keep", ("first", "last"))

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"the {self.keep} {self.max_len} events of each history"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        edge = interactions.offsets[:-1] if self.keep == "first" else interactions.offsets[1:] - 1
        return np.abs(np.arange(len(interactions)) - edge[interactions.users]) < self.max_len


@dataclass(frozen=True)
class DropDuplicates:
    """Keep the first of several events with the same user, item and time."""

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return "without events of the same user, item and time as an earlier row"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        return _firsts(interactions.users, interactions.timestamps, interactions.items)


@dataclass(frozen=True)
class DropRepeats:
    """Drop events that repeat the item of the user's event before; with ``ever``, of any earlier event."""

    ever: bool = False

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return "without repeats of any earlier item" if self.ever else "without immediate repeats"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        if self.ever:
            return _firsts(interactions.users, interactions.items)
        users, items = interactions.users, interactions.items
        return np.r_[True, (users[1:] != users[:-1]) | (items[1:] != items[:-1])]


@dataclass(frozen=True)
class RatingAtLeast:
    """Keep events with a rating of at least ``rating``, such as 4 to take ratings for likes."""

    rating: float

    def __post_init__(self) -> None:
        check_range(self, "rating", finite=True)

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"ratings of at least {self.rating:g}"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep; ValueError for data without ratings."""
        if interactions.ratings is None:
            raise ValueError(
                f"{interactions.name}: RatingAtLeast({self.rating:g}) needs ratings and the data have none; import "
                "them with a rating column, or leave the filter out"
            )
        return interactions.ratings >= np.float32(self.rating)


@dataclass(frozen=True)
class EventTypes:
    """Keep events of the ``types``, such as ("buy",) of view, cart and buy."""

    types: tuple[str, ...]

    def __post_init__(self) -> None:
        if isinstance(self.types, str) or not self.types:
            raise ValueError(f"types must be a tuple of at least one event type, such as ('buy',), got {self.types!r}")

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"events of the type {' or '.join(map(str, self.types))}"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep; ValueError for data without event types, or without one of the types."""
        if interactions.event_types is None or interactions.event_type_names is None:
            raise ValueError(
                f"{interactions.name}: EventTypes needs event types and the data have none; import them with a column "
                "of event types (--columns event=NAME), or leave the filter out"
            )
        known = list(map(str, interactions.event_type_names.tolist()))
        unknown = next((kind for kind in map(str, self.types) if kind not in known), None)
        if unknown is not None:
            raise ValueError(
                f"{interactions.name}: no event has the type {unknown!r}; the event types are {', '.join(known[:20])}"
            )
        chosen = np.isin(known, list(map(str, self.types)))
        return chosen[interactions.event_types]


@dataclass(frozen=True)
class AllOf:
    """Keep the events that every filter keeps on the whole data set (Kula 2017); the order of filters is irrelevant."""

    filters: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if not self.filters:
            raise ValueError("filters must hold at least one filter, got none")

    @property
    def name(self) -> str:
        """The rules of all filters."""
        return " and ".join(each.name for each in self.filters) + ", counted once on the whole"

    def mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events to keep."""
        return np.logical_and.reduce([each.mask(interactions) for each in self.filters])


def apply_filters(
    interactions: Interactions, filters: Sequence[Filter]
) -> tuple[Interactions, tuple[dict[str, Any], ...]]:
    """Apply the filters one after the other; return what is left and one record per filter.

    A record has step, removed, events, users and items. Raises ValueError that names a filter that leaves no event.
    """
    steps = []
    for each in filters:
        mask = each.mask(interactions)
        if not mask.any():
            raise ValueError(
                f"{interactions.name}: the filter '{each.name}' leaves no event of {len(interactions):,}; "
                "choose a lower threshold"
            )
        removed = int(np.count_nonzero(~mask))
        change = getattr(each, "retime", None)  # a filter that reproduces an official mistake changes times too
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


def _item_counts(interactions: Interactions) -> np.ndarray:
    """The number of events of each item, (num_items,)."""
    return np.bincount(interactions.items, minlength=interactions.num_items)


def _firsts(*columns: np.ndarray) -> np.ndarray:
    """A mask of the rows that differ from every earlier row in at least one of the ``columns``."""
    order = np.lexsort(columns[::-1])  # stable: equal rows keep their order
    same = np.ones(len(order) - 1, dtype=bool)
    for column in columns:
        same &= column[order][1:] == column[order][:-1]
    mask = np.ones(len(order), dtype=bool)
    mask[order[1:][same]] = False
    return mask
