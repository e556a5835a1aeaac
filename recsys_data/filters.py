"""Filters: which events a protocol keeps, each a value; what each removed is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys_data.dataset import Counts
from recsys_data.interactions import Interactions


class Filter(Protocol):
    """A frozen dataclass that says which events stay."""

    @property
    def name(self) -> str:
        """What the filter does, for the report."""

    def keeps(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""


@dataclass(frozen=True)
class MinActivity:
    """Keeps users (or sessions) with at least ``events`` events."""

    events: int

    def __post_init__(self) -> None:
        if self.events < 1:
            raise ValueError(f"events must be at least 1, got {self.events}")

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"users with at least {self.events} events"

    def keeps(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        return np.diff(interactions.offsets)[interactions.users] >= self.events


@dataclass(frozen=True)
class MinPopularity:
    """Keeps items with at least ``events`` events."""

    events: int

    def __post_init__(self) -> None:
        if self.events < 1:
            raise ValueError(f"events must be at least 1, got {self.events}")

    @property
    def name(self) -> str:
        """What the filter does."""
        return f"items with at least {self.events} events"

    def keeps(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the events that stay."""
        counts = np.bincount(interactions.items, minlength=interactions.num_items)
        return counts[interactions.items] >= self.events


def apply_filters(
    interactions: Interactions, filters: Sequence[Filter]
) -> tuple[Interactions, tuple[dict[str, Any], ...]]:
    """What the filters leave, one after the other, and a step each: step, removed, events, users, items.

    Raises ValueError naming the filter that leaves nothing.
    """
    steps = []
    for each in filters:
        mask = each.keeps(interactions)
        if not mask.any():
            raise ValueError(
                f"{interactions.name}: the filter '{each.name}' leaves no event of {len(interactions):,}; ask for less"
            )
        removed = int(np.count_nonzero(~mask))
        interactions = interactions.keep(mask) if removed else interactions
        steps.append(step(each.name, removed, interactions))
    return interactions, tuple(steps)


def step(name: str, removed: int, interactions: Interactions) -> dict[str, Any]:
    """One line of the report: what was done, how many rows it removed, what is left."""
    counts = Counts.of(interactions)
    return {"step": name, "removed": removed, "events": counts.events, "users": counts.users, "items": counts.items}
