"""Schedules: when a fit is evaluated, each a frozen value.

unit: "epochs" (looked at after each), "iterations" (steps of the optimiser, inside epochs too) or "seconds" (of this
fit, evaluations included, inside epochs too; such a fit is not repeatable to the bit). Where a limit ends a fit it is
evaluated once more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Unit = Literal["epochs", "iterations", "seconds"]


@dataclass(frozen=True)
class Schedule:
    """What the schedules share: their unit, and the first time, or None for theirs."""

    unit: Unit = "epochs"
    first: float | None = None

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ValueError(f"unit must be one of {', '.join(get_args(Unit))}, got {self.unit!r}")
        if self.first is not None and not self.first > 0.0:
            raise ValueError(f"first must be above 0 {self.unit} or None, got {self.first}")


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
        """The time of the evaluation after the one that was due at ``due``."""
        return due + self.every


@dataclass(frozen=True)
class Geometric(Schedule):
    """Each time ``factor`` times the one before, at most ``largest`` later; the first at ``first``, or at ``factor``.

    Geometric(factor=2.0, unit="iterations") is at 2, 4, 8, …, the ``--progress 2.`` of Devooght and Bersini.
    """

    factor: float = 2.0
    largest: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1.0 < self.factor < math.inf:
            raise ValueError(f"factor must be above 1, got {self.factor}")
        if self.largest is not None and not self.largest > 0.0:
            raise ValueError(f"largest must be above 0 {self.unit} or None, got {self.largest}")

    def begin(self) -> float:
        """The time of the first evaluation."""
        return self.factor if self.first is None else self.first

    def after(self, due: float) -> float:
        """The time of the evaluation after the one that was due at ``due``."""
        later = due * self.factor
        return later if self.largest is None else min(later, due + self.largest)
