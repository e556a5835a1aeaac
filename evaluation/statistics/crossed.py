"""What may be said of methods: users and seeds are crossed, and both are a source of chance.

A trained model's score differs from its method's by the seed; a user-only p calls equal methods different far too
often. Variance of the difference of two methods, each the mean over its seeds and over all users:

    Var = V_users + Σ_methods (s² − v) / S

V_users: cluster variance of the seed-averaged difference; s²: variance of the method's seed means; v: the part of s²
that the interaction of seeds and users makes, which V_users holds already. Leaving v in counts it twice
(``conservative``); a component that would be negative is 0. Degrees of freedom after Satterthwaite (1946).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.significance import VARIANCE_FLOOR


@dataclass(frozen=True)
class MethodTest:
    """A t-test of two methods over users and seeds.

    estimate: A − ratio · B; error, df, p, interval: with the interaction subtracted once; the same names with
    ``_conservative``: with it counted twice. seed_share: the part of the variance that seeds make. Where nothing varies
    and the estimate is not 0, t is endless, and p the least that flips of G clusters' signs could give, 2^(1 − G).
    """

    estimate: float
    error: float
    df: float
    p: float
    interval: tuple[float, float]
    error_conservative: float
    df_conservative: float
    p_conservative: float
    interval_conservative: tuple[float, float]
    seed_share: float


@dataclass(frozen=True, eq=False)
class SeedVariance:
    """What the seeds of one method add: s² / S and v / S, with S; nothing for a deterministic method (S = 0)."""

    between: float
    interaction: float
    num_seeds: int

    @classmethod
    def of(cls, seeds: Sequence[ClusterSums]) -> SeedVariance:
        """The seed part of a method from the sums of its S ≥ 2 seeds."""
        num_seeds = len(seeds)
        counts = seeds[0].counts.astype(np.float64)
        total, num_clusters = counts.sum(), len(counts)
        sums = np.stack([found.sums for found in seeds])  # (S, G)
        means = sums.sum(axis=1) / total
        influence = (sums - means[:, None] * counts) / total
        apart = influence - influence.mean(axis=0)
        mixed = num_clusters / (num_clusters - 1) * float((apart * apart).sum()) / (num_seeds - 1)
        return cls(float(means.var(ddof=1)) / num_seeds, mixed / num_seeds, num_seeds)


def crossed_test(
    a: Sequence[ClusterSums],
    b: Sequence[ClusterSums],
    *,
    deterministic: tuple[bool, bool] = (False, False),
    ratio: float = 1.0,
    level: float = 0.95,
) -> MethodTest | None:
    """The users × seeds test of method a against ``ratio`` times method b, from the sums of each seed.

    A deterministic method has one seed and no seed part. None where a method with seeds has fewer than two of them:
    then nothing can be said of the method. Seeds of a and b are independent.
    """
    if any(len(seeds) < 2 and not sure for seeds, sure in zip((a, b), deterministic, strict=True)):
        return None
    counts = a[0].counts.astype(np.float64)
    means = [np.mean([found.sums for found in seeds], axis=0) for seeds in (a, b)]
    differences = means[0] - ratio * means[1]
    num_clusters, total = len(counts), counts.sum()
    estimate = float(differences.sum() / total)
    residuals = (differences - estimate * counts) / total
    users = num_clusters / (num_clusters - 1) * float(residuals @ residuals)
    parts = [
        (SeedVariance.of(seeds), weight)
        for seeds, sure, weight in zip((a, b), deterministic, (1.0, ratio * ratio), strict=True)
        if not sure
    ]
    rounding_floor = VARIANCE_FLOOR * float(differences @ differences) / total**2
    return _test(estimate, users, num_clusters, parts, level, rounding_floor)


def _test(
    estimate: float,
    users: float,
    num_clusters: int,
    parts: list[tuple[SeedVariance, float]],
    level: float,
    rounding_floor: float,
) -> MethodTest:
    once, twice = users, users
    spread_once = spread_twice = users * users / (num_clusters - 1)
    for part, weight in parts:
        between, mixed = weight * part.between, weight * part.interaction
        own = between * between / (part.num_seeds - 1)
        twice += between
        spread_twice += own
        if between > mixed:
            once += between - mixed
            spread_once += own + mixed * mixed / ((part.num_seeds - 1) * (num_clusters - 1))
    results = []
    for variance, spread in ((once, spread_once), (twice, spread_twice)):
        error = float(np.sqrt(variance))
        df = variance * variance / spread if spread > 0 else float(num_clusters - 1)
        half = float(stdtrit(df, 0.5 + level / 2)) * error
        if variance > rounding_floor:
            p = float(2 * stdtr(df, -abs(estimate) / error))
        else:
            p = 1.0 if estimate == 0 else 2.0 ** (1 - num_clusters)
        p = max(p, float(np.finfo(np.float64).tiny))  # never 0, which only an underflow would give
        results += [error, float(df), p, (estimate - half, estimate + half)]
    share = (once - users) / once if once > 0 else 0.0
    return MethodTest(estimate, *results, seed_share=share)
