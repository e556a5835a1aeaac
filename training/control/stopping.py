"""Stopping: each a frozen rule that looks back on the evaluations of one metric and says whether to train on.

``stops(times, scores)``: times in epochs, not whole inside one, in order; scores higher is better; the last pair is the
evaluation just made. A new best is a score above all before it; a tie or NaN is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal, get_args

Reading = Literal["documented", "coded"]


def new_bests(scores: Sequence[float]) -> list[int]:
    """The places of scores above all before them."""
    places, best = [], -math.inf
    for place, score in enumerate(scores):
        if score > best:
            places.append(place)
            best = score
    return places


def _since_best(scores: Sequence[float]) -> int:
    """How many evaluations came after the best one; all of them where there is none."""
    bests = new_bests(scores)
    return len(scores) - (bests[-1] + 1 if bests else 0)


@dataclass(frozen=True)
class Patience:
    """Stops after ``evaluations`` in a row without a new best."""

    name: ClassVar[str] = "patience"

    evaluations: int = 3

    def __post_init__(self) -> None:
        if self.evaluations < 1:
            raise ValueError(f"evaluations must be at least 1, got {self.evaluations}")

    def stops(self, times: Sequence[float], scores: Sequence[float]) -> bool:
        """Whether to stop; see the module."""
        return _since_best(scores) >= self.evaluations


@dataclass(frozen=True)
class StopAfterN:
    """Devooght and Bersini's rule of the same name.

    reading: "documented", stops when the best has not improved for ``evaluations`` of them; "coded", stops when none
    of the last ``evaluations`` was better than the one right before it, so that a single rise after a fall, far below
    the best, puts the end off.
    """

    name: ClassVar[str] = "StopAfterN"

    evaluations: int = 5
    reading: Reading = "documented"

    def __post_init__(self) -> None:
        if self.evaluations < 1:
            raise ValueError(f"evaluations must be at least 1, got {self.evaluations}")
        if self.reading not in get_args(Reading):
            raise ValueError(f"reading must be one of {', '.join(get_args(Reading))}, got {self.reading!r}")

    def stops(self, times: Sequence[float], scores: Sequence[float]) -> bool:
        """Whether to stop; see the module."""
        if self.reading == "documented":
            return _since_best(scores) >= self.evaluations
        last = scores[-self.evaluations - 1 :]
        return len(last) > self.evaluations and not any(b > a for a, b in pairwise(last))


@dataclass(frozen=True)
class WorstTimesX:
    """Stops when the wait for a new best is longer than ``factor`` times the longest one so far (Devooght, Bersini).

    With L the longest time between two new bests that follow each other and W the time since the last one, it stops
    when W > max(min_wait, factor · L), or W > min_wait while there was no second best. min_wait: in epochs.
    """

    name: ClassVar[str] = "WorstTimesX"

    factor: float = 2.0
    min_wait: float = 1.0

    def __post_init__(self) -> None:
        if not self.factor > 0.0:
            raise ValueError(f"factor must be above 0, got {self.factor}")
        if not self.min_wait >= 0.0:
            raise ValueError(f"min_wait must be at least 0 epochs, got {self.min_wait}")

    def stops(self, times: Sequence[float], scores: Sequence[float]) -> bool:
        """Whether to stop; see the module."""
        found = [times[place] for place in new_bests(scores)]
        longest = max((b - a for a, b in pairwise(found)), default=0.0)
        waited = times[-1] - (found[-1] if found else 0.0)
        return waited > max(self.min_wait, self.factor * longest)


Stopping = Patience | StopAfterN | WorstTimesX
