"""Adjusted p-values over a declared family: Holm, Benjamini–Hochberg, Westfall–Young max-T."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment (P,), which keeps the family-wise error rate under any dependence (Holm 1979).

    The i-th smallest p times (P − i + 1), made monotone, at most 1. NaN (a test that could not be made) stays NaN and
    does not count.
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    told = np.flatnonzero(~np.isnan(values))
    order = told[np.argsort(values[told], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return adjusted


def benjamini_hochberg(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's step-up adjustment (P,), which keeps the false discovery rate (1995); exploratory."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


class MaxT:
    """Westfall and Young's step-down max-T over a family, fed with blocks of null statistics (1993, algorithm 4.1).

    The i-th largest observed |t| is compared with the largest null |t| among the hypotheses that are not larger; the
    counts (b + 1) / (B + 1) are made monotone. ``critical`` is the quantile of the largest |t| of the whole family,
    from which simultaneous intervals are made.
    """

    def __init__(self, observed: np.ndarray, tolerance: float) -> None:
        self.order = np.argsort(-observed, kind="stable")
        self.limits = observed[self.order] * (1.0 - tolerance)
        self.exceeded = np.zeros(len(observed), dtype=np.int64)
        self.largest: list[np.ndarray] = []

    def add(self, null: np.ndarray) -> None:
        """Take in |t| of some flips, (flips, P)."""
        remaining = np.maximum.accumulate(null[:, self.order[::-1]], axis=1)[:, ::-1]
        self.exceeded += (remaining >= self.limits).sum(axis=0)
        self.largest.append(remaining.max(axis=1, initial=0.0))  # the first column; 0 where the family is empty

    def adjusted(self) -> np.ndarray:
        """The adjusted p-values (P,)."""
        flips = sum(len(block) for block in self.largest)
        p = np.empty(len(self.order))
        p[self.order] = np.maximum.accumulate((self.exceeded + 1) / (flips + 1))
        return p

    def critical(self, level: float = 0.95) -> float:
        """The value that the family's largest null |t| stays below with probability ``level``."""
        return float(np.quantile(np.concatenate(self.largest), level, method="higher"))
