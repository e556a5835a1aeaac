"""Noise of seeds: how far two values of one method may lie apart when only the random draws differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")

LEVEL = 0.05  # of a false alarm anywhere in a diff


@dataclass(frozen=True)
class SeedNoise:
    """The standard deviation over seeds, pooled over both sides, with its degrees of freedom; sizes: seeds per side."""

    sd: float
    df: int
    sizes: tuple[int, int]

    @classmethod
    def of(cls, before: Sequence[float], after: Sequence[float]) -> SeedNoise | None:
        """The noise that the values of each side's seeds show; None where no side has two seeds."""
        df = max(len(before) - 1, 0) + max(len(after) - 1, 0)
        if df == 0:
            return None
        squares = sum(float(np.sum((np.asarray(side) - np.mean(side)) ** 2)) for side in (before, after) if len(side))
        return cls(math.sqrt(squares / df), df, (len(before), len(after)))

    def of_cell(self, tests: int) -> float:
        """The largest difference of one seed's two values that noise explains, at LEVEL over ``tests`` differences."""
        return self._quantile(tests) * self.sd * math.sqrt(2)

    def of_mean(self, tests: int) -> float:
        """The same for the means over the seeds of the two sides."""
        return self._quantile(tests) * self.sd * math.sqrt(1 / self.sizes[0] + 1 / self.sizes[1])

    def _quantile(self, tests: int) -> float:
        """Student's t, two-sided, by Bonferroni."""
        return float(special.stdtrit(self.df, 1 - LEVEL / (2 * max(tests, 1))))
