"""Effect sizes, the conclusion about a difference, and the smallest detectable difference."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np

from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")

MARGIN = 0.05  # a smaller relative difference has no practical relevance
ALPHA = 0.05
POWER_FACTOR = 1.959964 + 0.841621  # two-sided 5 %, power 80 %


class Conclusion(enum.Enum):
    """The conclusion about a difference A − B, from both the test and the relevance margin."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "practically equal"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Shares:
    """The shares of clusters (users) for which A is better, equal and worse; they sum to 1."""

    better: float
    tied: float
    worse: float

    @classmethod
    def of(cls, differences: np.ndarray, counts: np.ndarray, higher_is_better: bool = True) -> Shares:
        """Count the signs of D_u (G,); a difference below rounding error (1e-12 per query) is a tie."""
        signs = np.where(np.abs(differences) <= 1e-12 * counts, 0, np.sign(differences))
        signs = signs if higher_is_better else -signs
        return cls(float(np.mean(signs > 0)), float(np.mean(signs == 0)), float(np.mean(signs < 0)))


def relative_difference(a: float, b: float) -> float:
    """Return a / b − 1; infinite where b is 0 and a is not, 0 where both are."""
    if b == 0:
        return 0.0 if a == 0 else math.copysign(math.inf, a)
    return a / b - 1.0


def standardised_effect(estimate: float, error: float, num_clusters: int) -> float:
    """Return the effect in standard deviations of a cluster's contribution, θ / (SE · √G); 0 if nothing varies."""
    return estimate / (error * math.sqrt(num_clusters)) if error > 0 else 0.0


def smallest_detectable_difference(error: float, df: float = math.inf) -> float:
    """Return the true difference that a two-sided 5 % test with this error finds with probability 80 %.

    2.8 SE for a normal statistic; with few degrees of freedom the quantiles of t instead.
    """
    if math.isinf(df):
        return POWER_FACTOR * error
    return float(special.stdtrit(df, 1 - ALPHA / 2) + special.stdtrit(df, 0.8)) * error


def agreeing(interval: tuple[float, float], estimate: float, significant: bool) -> tuple[float, float]:
    """Return the interval of a difference, made to agree with its test: it excludes 0 exactly where that rejects 0.

    Where the two differ (the test flips signs and the interval is of t, so near the limit they can), the end next to 0
    is moved to 0. Such an end of 0 is open where the difference is significant.
    """
    low, high = interval
    if not significant:
        return min(low, 0.0), max(high, 0.0)
    return (max(low, 0.0), high) if estimate > 0 else (low, min(high, 0.0))


def conclude(
    p_adjusted: float | None,
    relative: float,
    interval: tuple[float, float],
    *,
    margin: float = MARGIN,
    higher_is_better: bool = True,
) -> Conclusion:
    """Conclude how A compares with B.

    "practically equal": the interval of the relative difference lies within ± margin. "better" or "worse": adjusted
    p < .05 and a relative difference beyond the margin. "inconclusive": everything else, such as a significant
    difference of unclear relevance, or no p.
    """
    if all(math.isfinite(end) for end in interval) and -margin < interval[0] and interval[1] < margin:
        return Conclusion.EQUAL
    if p_adjusted is None or not p_adjusted < ALPHA or not abs(relative) > margin:
        return Conclusion.INCONCLUSIVE
    return Conclusion.BETTER if (relative > 0) == higher_is_better else Conclusion.WORSE
