"""Stopping rules over the evaluations of one metric.

``stops(times, scores)``: times in epochs, ascending, fractional inside an epoch; scores, higher is better; the last
pair is the current evaluation. A new best is a score above all before it; a tie or NaN is not one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal, get_args

from recsys_data.checks import check_choice, check_range

Version = Literal["documented", "coded"]


def new_bests(scores: Sequence[float]) -> list[int]:
    """The places of scores above all before them."""
    places, best = [], -math.inf
    for place, score in enumerate(scores):
        if score > best:
            places.append(place)
            best = score
    return places


def _evaluations_since_best(scores: Sequence[float]) -> int:
    """The number of evaluations after the best one; all of them if there is none."""
    bests = new_bests(scores)
    return len(scores) - (bests[-1] + 1 if bests else 0)


@dataclass(frozen=True)
class Patience:
    """Stop after ``evaluations`` in a row without a new best."""

    name: ClassVar[str] = "patience"

    evaluations: int = 3

    def __post_init__(self) -> None:
        check_range(self, "evaluations", at_least=1)

    def stops(self, times: Sequence[float], scores: Sequence[float]) -> bool:
        """Whether to stop after the last of these evaluations."""
        return _evaluations_since_best(scores) >= self.evaluations


@dataclass(frozen=True)
class StopAfterN:
    """Devooght and Bersini's rule of the same name.

    version: "documented", stop when the best has not improved for ``evaluations`` of them; "coded", stop when none of
    the last ``evaluations`` was better than the one before it, so that a single rise after a fall, even far below the
    best, postpones the end.
    """

    name: ClassVar[str] = "StopAfterN"

    evaluations: int = 5
    version: Version = "documented"

    def __post_init__(self) -> None:
        check_range(self, "evaluations", at_least=1)
        check_choice(self, "version", get_args(Version))

    def stops(self, times: Sequence[float], scores: Sequence[float]) -> bool:
        """Whether to stop after the last of these evaluations."""
        if self.version == "documented":
            return _evaluations_since_best(scores) >= self.evaluations
        last = scores[-self.evaluations - 1 :]
        return len(last) > self.evaluations and not any(b > a for a, b in pairwise(last))


@dataclass(frozen=True)
class WorstTimesX:
    """Stop when the wait for a new best exceeds ``factor`` times the longest one so far (Devooght and Bersini).

    With L the longest time between two new bests that follow each other and W the time since the last one, it stops
    when W > max(min_wait, factor · L), or W > min_wait before a second best. min_wait: in epochs.
    """

    name: ClassVar[str] = "WorstTimesX"

    factor: float = 2.0
    min_wait: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, "factor", above=0)
        check_range(self, "min_wait", at_least=0, unit="epochs")

    def stops(self, times: Sequence[float], scores: Sequence[float]) -> bool:
        """Whether to stop after the last of these evaluations."""
        found = [times[place] for place in new_bests(scores)]
        longest = max((b - a for a, b in pairwise(found)), default=0.0)
        waited = times[-1] - (found[-1] if found else 0.0)
        return waited > max(self.min_wait, self.factor * longest)


Stopping = Patience | StopAfterN | WorstTimesX
