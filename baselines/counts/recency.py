"""Recency: the weight of an event by its distance d."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np

LARGEST_DENOMINATOR = 10_000
LARGEST_SCALE = 2**32  # above it, sums of whole multiples would leave the exact whole numbers of float64

Recency = Literal["same", "reciprocal", "linear", "logarithmic", "quadratic"]


def recency_weights(recency: Recency, steps: int, *, negative: bool = False) -> np.ndarray:
    """Weights (steps,) float64 for the distances d = 1 … steps.

    same: 1; reciprocal: 1 / d; linear: max(0, 1 − d / 10); logarithmic: 1 / log₁₀(d + 1.7); quadratic: 1 / d².
    session-rec calls them same, div, linear, log, quadratic. With ``negative`` linear weights are session-rec's:
    1 − d / 10 as far as d = 100, and 0 beyond.
    """
    d = np.arange(1, steps + 1, dtype=np.float64)
    if recency == "reciprocal":
        return 1 / d
    if recency == "linear":
        return np.where(d <= 100, 1 - d / 10, 0.0) if negative else np.maximum(0.0, 1 - d / 10)
    if recency == "logarithmic":
        return 1 / np.log10(d + 1.7)
    return d**-2 if recency == "quadratic" else np.ones(steps)


def whole_multiples(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Whole numbers (T,) float64 and a scale with weights = numbers / scale; the weights and 1 where there are none.

    Sums of whole numbers are exact in any order, so that sums that should be equal are.
    """
    scale, different = 1, np.unique(weights)
    for weight in different.tolist():
        fraction = Fraction(weight).limit_denominator(LARGEST_DENOMINATOR)
        scale = math.lcm(scale, fraction.denominator)
        if scale > LARGEST_SCALE or not math.isclose(fraction, weight, rel_tol=1e-15):
            return weights, 1.0
    return np.rint(weights * scale), float(scale)
