"""Planted gaps: the time since the last event determines the next item."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.checks import check_choice
from recsys_data.generated.generated_dataset import GeneratedDataset
from recsys_data.interactions import Clock, Interactions

DAY = 86_400.0
AFTER_SHORT, AFTER_LONG = 1, 5  # the step on the ring of items


@dataclass(frozen=True)
class PlantedGaps(GeneratedDataset):
    """Items on a ring: a short gap leads 1 step ahead, a long one 5 steps; half of all gaps are long.

    Gaps are uniform in ``short`` or ``long``, (smallest, largest) seconds. decides: "next", the gap before the next
    item (as in Time-LSTM, which knows the time of the next event); "previous", the gap before the last item. A model
    that reads the gap can reach MRR 1; without it two items are equally likely, MRR (1 + 1/2) / 2 = 0.75.
    """

    short: tuple[float, float] = (0.01 * DAY, 0.2 * DAY)
    long: tuple[float, float] = (3 * DAY, 6 * DAY)
    decides: str = "next"
    num_users: int = 400
    num_items: int = 12
    length: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self, "decides", ("next", "previous"))
        if not 0 <= self.short[0] < self.short[1] <= self.long[0] < self.long[1]:
            raise ValueError(
                f"short and long must be two increasing pairs, short below long, got {self.short}, {self.long}"
            )

    @property
    def name(self) -> str:
        """The data set's name, with its gaps."""
        return f"Gaps decide: {self.decides}, {_span(self.short)} or {_span(self.long)}"

    def load(self, folder: Path | None = None) -> Interactions:
        """Generate the events, with facts["best"] and facts["chance"] (without gaps) as MRR@20."""
        rng = np.random.default_rng(self.seed)
        shape = (self.num_users, self.length)
        is_long = rng.random(shape) < 0.5
        gaps = np.where(is_long, rng.uniform(*self.long, shape), rng.uniform(*self.short, shape))
        deciding = is_long if self.decides == "next" else np.roll(is_long, 1, axis=1)
        steps = np.where(deciding, AFTER_LONG, AFTER_SHORT)
        walk = (rng.integers(self.num_items, size=(self.num_users, 1)) + np.cumsum(steps, axis=1)) % self.num_items
        return Interactions.from_events(
            self.name,
            np.repeat(np.arange(self.num_users), self.length),
            walk.ravel(),
            np.cumsum(gaps, axis=1).ravel(),
            clock=Clock.RELATIVE,
            facts={"best": {"MRR@20": 1.0}, "chance": {"MRR@20": 0.75}},
        )


def _span(pair: tuple[float, float]) -> str:
    """Format a pair of seconds in the largest unit in which the smaller is at least 1."""
    units = (("d", DAY), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
    unit, seconds = next((u for u in units if pair[0] >= u[1]), units[-1])
    return f"{pair[0] / seconds:g}–{pair[1] / seconds:g} {unit}"
