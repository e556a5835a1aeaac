"""Adjusted p-values over a declared family: Holm, Benjamini–Hochberg, Westfall–Young max-T."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjust p-values (P,) by Holm's step-down method; controls the family-wise error rate under any dependence (1979).

    The i-th smallest p times (P − i + 1), made monotone, at most 1. NaN (an impossible test) stays NaN and is not
    counted.
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    valid = np.flatnonzero(~np.isnan(values))
    order = valid[np.argsort(values[valid], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return adjusted


def holm_divisors(p: Sequence[float] | np.ndarray, alpha: float) -> np.ndarray:
    """Return the number (P,) by which Holm's method divides ``alpha`` for each p; 1 for a NaN.

    A hypothesis is rejected exactly where its p is below alpha / divisor: with k rejections in all, the i-th smallest p
    is compared with alpha / (P − i + 1), and all that are not rejected with alpha / (P − k). So an interval at the
    level 1 − alpha / divisor agrees with the adjusted p (Serlin 1993). It is not simultaneous with the others.
    """
    values = np.asarray(p, dtype=np.float64)
    divisors = np.ones(values.shape)
    valid = np.flatnonzero(~np.isnan(values))
    order = valid[np.argsort(values[valid], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    accepted = np.flatnonzero(holm(values)[order] >= alpha)
    if len(accepted):
        factors[accepted[0] :] = factors[accepted[0]]
    divisors[order] = factors
    return divisors


def benjamini_hochberg(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjust p-values (P,) by Benjamini and Hochberg's step-up method; controls the false discovery rate (1995)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


class MaxT:
    """Westfall and Young's step-down max-T over a family, from blocks of null statistics (1993, algorithm 4.1).

    The i-th largest observed |t| is compared with the largest null |t| among the hypotheses whose observed |t| is not
    larger; the p-values (b + 1) / (B + 1) are made monotone. ``critical``, the quantile of the largest |t| of the whole
    family, gives simultaneous intervals.
    """

    def __init__(self, observed: np.ndarray, tolerance: float) -> None:
        self.order = np.argsort(-observed, kind="stable")
        self.limits = observed[self.order] * (1.0 - tolerance)
        self.exceeded = np.zeros(len(observed), dtype=np.int64)
        self.largest: list[np.ndarray] = []

    def add(self, null: np.ndarray) -> None:
        """Add a block of null statistics |t|, (flips, P)."""
        remaining = np.maximum.accumulate(null[:, self.order[::-1]], axis=1)[:, ::-1]
        self.exceeded += (remaining >= self.limits).sum(axis=0)
        self.largest.append(remaining.max(axis=1, initial=0.0))  # the first column; 0 where the family is empty

    def adjusted(self) -> np.ndarray:
        """Return the adjusted p-values (P,)."""
        flips = sum(len(block) for block in self.largest)
        p = np.empty(len(self.order))
        p[self.order] = np.maximum.accumulate((self.exceeded + 1) / (flips + 1))
        return p

    def critical(self, level: float = 0.95) -> float:
        """Return the ``level`` quantile of the family's largest null |t|."""
        return float(np.quantile(np.concatenate(self.largest), level, method="higher"))
