"""Decay: what an event weighs that lies d places away."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

Decay = Literal["same", "reciprocal", "linear", "logarithmic", "quadratic"]


def decay_weights(decay: Decay, steps: int) -> np.ndarray:
    """Weights (steps,) float64 for the distances d = 1 … steps.

    same: 1; reciprocal: 1 / d; linear: max(0, 1 − d / 10); logarithmic: 1 / log₁₀(d + 1.7); quadratic: 1 / d².
    session-rec names them same, div, linear, log, quadratic; its linear weights turn negative after 10 places, which
    these do not.
    """
    d = np.arange(1, steps + 1, dtype=np.float64)
    if decay == "reciprocal":
        return 1 / d
    if decay == "linear":
        return np.maximum(0.0, 1 - d / 10)
    if decay == "logarithmic":
        return 1 / np.log10(d + 1.7)
    return d**-2 if decay == "quadratic" else np.ones(steps)


def check_decay(name: str, decay: str) -> None:
    """Refuse a decay that does not exist, naming the argument."""
    if decay not in get_args(Decay):
        raise ValueError(f"{name} must be one of {', '.join(get_args(Decay))}, got {decay!r}")
