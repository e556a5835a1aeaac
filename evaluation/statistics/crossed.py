"""Test of two methods with users and seeds crossed, both of them random.

The score of a trained model varies around its method's with the seed, so a user-only test calls equal methods different
far too often. Variance of the difference of two methods, each the mean over its seeds and over all users:

    Var = V_users + Σ_methods (s² − v) / S

V_users: cluster variance of the seed-averaged difference; s²: variance of the method's seed means; v: the part of s²
that comes from the interaction of seeds and users, which V_users includes already. Without −v it counts twice
(``conservative``); a negative component is set to 0. Degrees of freedom by Satterthwaite (1946).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.significance import VARIANCE_FLOOR
from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")


@dataclass(frozen=True)
class MethodTest:
    """A t-test of two methods over users and seeds.

    estimate: A − ratio · B; error, df, p, interval: with the interaction counted once; the same names with
    ``_conservative``: with it counted twice. seed_share: the share of the variance that comes from seeds. Where nothing
    varies and the estimate is not 0, t is infinite and p is the least that sign flips of G clusters give, 2^(1 − G).
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

    def interval_at(self, level: float) -> tuple[float, float]:
        """Return the interval at another level, with the interaction counted once."""
        half = float(special.stdtrit(self.df, 0.5 + level / 2)) * self.error
        return self.estimate - half, self.estimate + half


@dataclass(frozen=True, eq=False)
class SeedVariance:
    """The variance from the seeds of one method: ``between`` s² / S and ``interaction`` v / S, with S seeds."""

    between: float
    interaction: float
    num_seeds: int

    @classmethod
    def of(cls, seeds: Sequence[ClusterSums]) -> SeedVariance:
        """Estimate the seed variance of a method from the sums of its S ≥ 2 seeds."""
        num_seeds = len(seeds)
        counts = seeds[0].counts.astype(np.float64)
        total, num_clusters = counts.sum(), len(counts)
        sums = np.stack([found.sums for found in seeds])  # (S, G)
        means = sums.sum(axis=1) / total
        influence = (sums - means[:, None] * counts) / total
        deviations = influence - influence.mean(axis=0)
        interaction = num_clusters / (num_clusters - 1) * float((deviations * deviations).sum()) / (num_seeds - 1)
        return cls(float(means.var(ddof=1)) / num_seeds, interaction / num_seeds, num_seeds)


def crossed_test(
    a: Sequence[ClusterSums],
    b: Sequence[ClusterSums],
    *,
    deterministic: tuple[bool, bool] = (False, False),
    ratio: float = 1.0,
    level: float = 0.95,
    pair_seeds: bool = False,
) -> MethodTest | None:
    """Test method a against ``ratio`` times method b over users × seeds, from the sums of each seed.

    A deterministic method has one seed and no seed variance. Return None where another method has fewer than two seeds:
    then its seed variance is unknown. Seeds of a and b are independent, unless ``pair_seeds``: then the n-th of both
    belong together, and the variance between seeds is that of their differences, with S − 1 degrees of freedom.
    """
    if any(len(seeds) < 2 and not fixed for seeds, fixed in zip((a, b), deterministic, strict=True)):
        return None
    if pair_seeds and not any(deterministic):
        pairs = [ClusterSums(x.clusters, x.sums - ratio * y.sums, x.counts) for x, y in zip(a, b, strict=True)]
        return crossed_test(pairs, [_zero(a[0])], deterministic=(False, True), level=level)
    counts = a[0].counts.astype(np.float64)
    means = [np.mean([found.sums for found in seeds], axis=0) for seeds in (a, b)]
    differences = means[0] - ratio * means[1]
    num_clusters, total = len(counts), counts.sum()
    estimate = float(differences.sum() / total)
    residuals = (differences - estimate * counts) / total
    users = num_clusters / (num_clusters - 1) * float(residuals @ residuals)
    parts = [
        (SeedVariance.of(seeds), weight)
        for seeds, fixed, weight in zip((a, b), deterministic, (1.0, ratio * ratio), strict=True)
        if not fixed
    ]
    rounding_floor = VARIANCE_FLOOR * float(differences @ differences) / total**2
    return _test(estimate, users, num_clusters, parts, level, rounding_floor)


def method_interval(seeds: Sequence[ClusterSums], level: float = 0.95) -> tuple[float, float]:
    """Return the t-interval of the mean of one method over users × seeds, from the sums of its S ≥ 2 seeds."""
    found = crossed_test(seeds, [_zero(seeds[0])], deterministic=(False, True), level=level)
    if found is None:
        raise ValueError("an interval of a method needs at least two seeds, got one")
    return found.interval


def _zero(like: ClusterSums) -> ClusterSums:
    """The sums of a method that scores 0 everywhere, on the same clusters."""
    return ClusterSums(like.clusters, np.zeros(len(like.clusters)), like.counts)


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
        between, interaction = weight * part.between, weight * part.interaction
        own = between * between / (part.num_seeds - 1)
        twice += between
        spread_twice += own
        if between > interaction:
            once += between - interaction
            spread_once += own + interaction * interaction / ((part.num_seeds - 1) * (num_clusters - 1))
    results = []
    for variance, spread in ((once, spread_once), (twice, spread_twice)):
        error = float(np.sqrt(variance))
        df = variance * variance / spread if spread > 0 else float(num_clusters - 1)
        half = float(special.stdtrit(df, 0.5 + level / 2)) * error
        if variance > rounding_floor:
            p = float(2 * special.stdtr(df, -abs(estimate) / error))
        else:
            p = 1.0 if estimate == 0 else 2.0 ** (1 - num_clusters)
        p = max(p, float(np.finfo(np.float64).tiny))  # never 0, which only an underflow would give
        results += [error, float(df), p, (estimate - half, estimate + half)]
    share = (once - users) / once if once > 0 else 0.0
    return MethodTest(estimate, *results, seed_share=share)
