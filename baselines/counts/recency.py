"""Recency: the weight of an event by its distance d."""

from __future__ import annotations

from typing import Literal

import numpy as np

Recency = Literal["same", "reciprocal", "linear", "logarithmic", "quadratic"]


def recency_weights(recency: Recency, steps: int) -> np.ndarray:
    """Weights (steps,) float64 for the distances d = 1 … steps.

    same: 1; reciprocal: 1 / d; linear: max(0, 1 − d / 10); logarithmic: 1 / log₁₀(d + 1.7); quadratic: 1 / d².
    session-rec calls them same, div, linear, log, quadratic; its linear weights are negative beyond d = 10, these 0.
    """
    d = np.arange(1, steps + 1, dtype=np.float64)
    if recency == "reciprocal":
        return 1 / d
    if recency == "linear":
        return np.maximum(0.0, 1 - d / 10)
    if recency == "logarithmic":
        return 1 / np.log10(d + 1.7)
    return d**-2 if recency == "quadratic" else np.ones(steps)
