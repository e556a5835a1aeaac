"""Decisions on pairs: the test that decides, its adjusted p, and the interval and conclusion that agree with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.comparison.table import Decision, Interval
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.crossed import MethodTest, crossed_test
from evaluation.statistics.effects import ALPHA, agreeing, conclude, relative_difference
from evaluation.statistics.multiplicity import holm, holm_divisors
from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import cluster_errors
from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")


@dataclass(frozen=True, eq=False)
class Seeds:
    """The sums of every seed of one model, and whether the model is deterministic."""

    sums: Sequence[ClusterSums]
    deterministic: bool


@dataclass(frozen=True, eq=False)
class PairTest:
    """The test of one pair a − b before adjustment.

    p: the one that decides. method, method_relative_error: users × seeds, None where a learner has one seed (and the
    error also where b is 0). trained_error, trained_relative_error: clustered, of the trained models.
    """

    difference: float
    relative: float
    p: float
    method: MethodTest | None
    method_relative_error: float | None
    trained_error: float
    trained_relative_error: float | None
    num_clusters: int

    @property
    def of_methods(self) -> bool:
        """Whether the methods are tested, not only these trained models."""
        return self.method is not None

    @property
    def error(self) -> float:
        """The standard error of the difference."""
        return self.trained_error if self.method is None else self.method.error

    @property
    def df(self) -> float:
        """The degrees of freedom of that error."""
        return float(self.num_clusters - 1) if self.method is None else self.method.df

    @property
    def relative_error(self) -> float | None:
        """The standard error of a / b − 1; None where b is 0."""
        return self.trained_relative_error if self.method is None else self.method_relative_error

    def interval(self, level: float, significant: bool) -> Interval:
        """Return the t-interval of the difference; it agrees with a test of that outcome."""
        half = float(special.stdtrit(self.df, 0.5 + level / 2)) * self.error
        return agreeing((self.difference - half, self.difference + half), self.difference, significant)

    def relative_interval(self, level: float, significant: bool) -> Interval:
        """Return the t-interval of a / b − 1; it agrees with a test of that outcome."""
        if self.relative_error is None or not math.isfinite(self.relative):
            return math.nan, math.nan
        half = float(special.stdtrit(self.df, 0.5 + level / 2)) * self.relative_error
        return agreeing((self.relative - half, self.relative + half), self.relative, significant)


def trained_relative_error(paired: PairedSums, m: int, n: int) -> float | None:
    """Return the clustered standard error of θ_m / θ_n (linearised), None where θ_n is 0."""
    below = float(paired.means[n])
    if below <= 0:
        return None
    contrast = paired.sums[:, [m]] - paired.means[m] / below * paired.sums[:, [n]]
    return float(cluster_errors(contrast, paired.counts)[0]) / below


def method_p(a: Seeds, b: Seeds, sign_flips: float, *, pair_seeds: bool = False) -> tuple[float, bool]:
    """Return the p that decides on a pair, and whether it is of the methods: by sign flips where both are fixed."""
    if a.deterministic and b.deterministic:
        return sign_flips, True
    fixed = a.deterministic, b.deterministic
    test = crossed_test(a.sums, b.sums, deterministic=fixed, pair_seeds=pair_seeds)
    return (sign_flips, False) if test is None else (test.p, True)


def pair_test(
    paired: PairedSums, seeds: Mapping[str, Seeds], a: str, b: str, sign_flips: float, *, pair_seeds: bool = False
) -> PairTest:
    """Return the test of one pair. sign_flips: the p of the trained models; pair_seeds: see crossed_test."""
    place = paired.index([(a, b)])
    m, n = place[0]
    means = float(paired.means[m]), float(paired.means[n])
    first, second = seeds[a], seeds[b]
    fixed = first.deterministic, second.deterministic
    test = crossed_test(first.sums, second.sums, deterministic=fixed, pair_seeds=pair_seeds)
    relative_error = None
    if test is not None and means[1] > 0:
        ratio = means[0] / means[1]
        of_ratio = crossed_test(first.sums, second.sums, deterministic=fixed, ratio=ratio, pair_seeds=pair_seeds)
        relative_error = of_ratio.error / means[1]
    return PairTest(
        difference=means[0] - means[1],
        relative=relative_difference(*means),
        p=sign_flips if test is None or all(fixed) else test.p,
        method=test,
        method_relative_error=relative_error,
        trained_error=float(cluster_errors(paired.differences(place), paired.counts)[0]),
        trained_relative_error=trained_relative_error(paired, m, n),
        num_clusters=paired.num_clusters,
    )


def decide(tests: Sequence[PairTest], *, margin: float, higher_is_better: bool) -> list[Decision]:
    """Return the decision on each pair of a family: Holm's p, and the intervals and conclusion that agree with it."""
    p = np.array([test.p for test in tests])
    decisions = []
    for test, adjusted, divisor in zip(tests, holm(p), holm_divisors(p, ALPHA), strict=True):
        significant, level = bool(adjusted < ALPHA), 1.0 - ALPHA / float(divisor)
        relative = test.relative_interval(level, significant)
        kinds = {"margin": margin, "higher_is_better": higher_is_better}
        decisions.append(
            Decision(
                of_methods=test.of_methods,
                error=test.error,
                df=test.df,
                p=test.p,
                p_adjusted=float(adjusted),
                interval=test.interval(level, significant),
                relative_interval=relative,
                conclusion=conclude(float(adjusted), test.relative, relative, **kinds),
            )
        )
    return decisions
