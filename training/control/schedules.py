"""Schedules of the evaluations of a fit.

unit: "epochs" (checked after each), "iterations" (steps of the optimiser, inside epochs too) or "seconds" (of this fit,
evaluations included, inside epochs too; such a fit is not repeatable to the bit). A fit that a limit ends is evaluated
once more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from recsys_data.checks import check_choice, check_range

Unit = Literal["epochs", "iterations", "seconds"]


@dataclass(frozen=True)
class Schedule:
    """The base of the schedules; ``first`` is the first time, or None for the schedule's default."""

    unit: Unit = "epochs"
    first: float | None = None

    def __post_init__(self) -> None:
        check_choice(self, "unit", get_args(Unit))
        check_range(self, "first", above=0, unit=self.unit, or_none=True)


@dataclass(frozen=True)
class Linear(Schedule):
    """Every ``every`` units after the first evaluation, which is at ``first``, or at ``every``."""

    every: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.every < math.inf:
            raise ValueError(f"every must be above 0 {self.unit}, got {self.every}")

    def begin(self) -> float:
        """The time of the first evaluation."""
        return self.every if self.first is None else self.first

    def after(self, due: float) -> float:
        """The time of the evaluation after the one at ``due``."""
        return due + self.every


@dataclass(frozen=True)
class Geometric(Schedule):
    """Each time is ``factor`` times the one before, at most ``largest`` later; the first is ``first``, or ``factor``.

    Geometric(factor=2.0, unit="iterations") is at 2, 4, 8, …, the ``--progress 2.`` of Devooght and Bersini.
    """

    factor: float = 2.0
    largest: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1.0 < self.factor < math.inf:
            raise ValueError(f"factor must be above 1, got {self.factor}")
        check_range(self, "largest", above=0, unit=self.unit, or_none=True)

    def begin(self) -> float:
        """The time of the first evaluation."""
        return self.factor if self.first is None else self.first

    def after(self, due: float) -> float:
        """The time of the evaluation after the one at ``due``."""
        later = due * self.factor
        return later if self.largest is None else min(later, due + self.largest)
