"""Comparison across data sets: win/tie/loss, random effects, and Friedman with Nemenyi for at least six of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.comparison.table import PairRow
from evaluation.statistics.effects import Conclusion
from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")

FEWEST_DATASETS = 6


@dataclass(frozen=True)
class WinTieLoss:
    """Numbers of data sets where a model is better, equal or inconclusive, and worse, by test and margin."""

    wins: int
    ties: int
    losses: int

    @classmethod
    def of(cls, conclusions: Sequence[Conclusion]) -> WinTieLoss:
        """Count the conclusions, one per data set."""
        wins, losses = conclusions.count(Conclusion.BETTER), conclusions.count(Conclusion.WORSE)
        return cls(wins, len(conclusions) - wins - losses, losses)


@dataclass(frozen=True)
class RandomEffects:
    """The mean relative difference over data sets as a ratio − 1, with its 95 % interval; tau: spread between sets.

    DerSimonian and Laird's τ², Hartung and Knapp's error with t of N − 1 degrees of freedom. interval is None for one
    data set.
    """

    mean: float
    interval: tuple[float, float] | None
    tau: float
    num_datasets: int


def random_effects(log_ratios: Sequence[float], errors: Sequence[float]) -> RandomEffects:
    """Summarise log ratios, one per data set, with their standard errors (all above 0)."""
    y, variance = np.asarray(log_ratios, dtype=float), np.asarray(errors, dtype=float) ** 2
    if len(y) == 0 or len(y) != len(variance) or not (variance > 0).all():
        raise ValueError("a summary over data sets needs at least one log ratio, each with an error above 0")
    if len(y) == 1:
        return RandomEffects(math.expm1(y[0]), None, 0.0, 1)
    weights = 1 / variance
    pairs = np.outer(weights, weights / weights.sum())  # sums over pairs: a difference from the mean would cancel
    np.fill_diagonal(pairs, 0)
    q = (pairs * (y[:, None] - y) ** 2).sum() / 2
    tau2 = max(0.0, float((q - (len(y) - 1)) / pairs.sum()))
    weights = 1 / (variance + tau2)
    mean = float(weights @ y / weights.sum())
    spread = float(weights @ (y - mean) ** 2 / (len(y) - 1) / weights.sum())
    half = float(special.stdtrit(len(y) - 1, 0.975)) * math.sqrt(spread)
    return RandomEffects(math.expm1(mean), (math.expm1(mean - half), math.expm1(mean + half)), math.sqrt(tau2), len(y))


def summarise(rows: Sequence[PairRow], first: str) -> tuple[WinTieLoss, RandomEffects | None]:
    """Summarise one comparison across data sets: the conclusion on each, and the mean of the relative differences.

    ``first``: the model that is compared with the other; a row with the two in the other order is reversed. The error
    of a log ratio is the methods' where seeds allow, else the clustered one. No summary where a ratio is not positive
    and finite.
    """
    signs = [1 if row.a == first else -1 for row in rows]
    conclusions = [row.decision.conclusion for row in rows]
    reversed_ = {Conclusion.BETTER: Conclusion.WORSE, Conclusion.WORSE: Conclusion.BETTER}
    tally = WinTieLoss.of([c if sign == 1 else reversed_.get(c, c) for c, sign in zip(conclusions, signs, strict=True)])
    usable = [row for row in rows if math.isfinite(row.relative) and row.relative > -1 and row.relative_error]
    if len(usable) < len(rows) or not rows:
        return tally, None
    logs = [sign * math.log1p(row.relative) for row, sign in zip(rows, signs, strict=True)]
    errors = [(row.method_relative_error or row.relative_error) / (1 + row.relative) for row in rows]
    return tally, random_effects(logs, errors)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test on ranks over N data sets, with Iman and Davenport's F, and Nemenyi's critical difference.

    mean_ranks: 1 is best. Two models differ (at 5 %, all pairs) where their mean ranks differ by at least ``critical``.
    """

    models: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    chi2: float
    f: float
    p: float
    critical: float
    num_datasets: int


def friedman(
    models: Sequence[str], scores: np.ndarray, *, higher_is_better: bool = True
) -> tuple[Friedman | None, str]:
    """Return Friedman's test on scores (N data sets, k models), or None with the reason.

    Below 6 data sets a critical-difference diagram has almost no power, so there is none.
    """
    num, k = scores.shape
    if num < FEWEST_DATASETS:
        return None, (
            f"No critical-difference diagram: with {num} data sets two of {k} models would have to differ by "
            f"{nemenyi_critical(k, max(num, 1)):.2f} mean ranks of at most {k - 1}; at least {FEWEST_DATASETS} data "
            f"sets are needed."
        )
    if k < 3:
        return None, "No critical-difference diagram: it compares three models or more."
    losses = -scores if higher_is_better else scores
    before, level = (op(losses[:, None, :], losses[:, :, None]).sum(axis=2) for op in (np.less, np.equal))
    ranks = before + (level + 1) / 2  # equal scores share the mean of their places
    means = ranks.mean(axis=0)
    # with ties: (k − 1) · Σ (R_j − N (k + 1) / 2)² / (Σ r² − N k (k + 1)² / 4), the usual chi² without them
    spread = (ranks**2).sum() - num * k * (k + 1) ** 2 / 4
    chi2 = float((k - 1) * ((ranks.sum(axis=0) - num * (k + 1) / 2) ** 2).sum() / spread) if spread > 0 else 0.0
    rest = num * (k - 1) - chi2
    f = (num - 1) * chi2 / rest if rest > 1e-12 else math.inf
    p = float(special.fdtrc(k - 1, (k - 1) * (num - 1), f))
    return Friedman(tuple(models), tuple(means.tolist()), chi2, float(f), p, nemenyi_critical(k, num), num), ""


def nemenyi_critical(k: int, num_datasets: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks: q_α √(k (k + 1) / (6 N)), q from the studentised range over √2."""
    return studentised_range(1 - alpha, k) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * num_datasets))


def studentised_range(level: float, k: int) -> float:
    """The quantile of the range of k ≥ 2 independent standard normals, to ten digits; scipy.stats takes a second more.

    P(range ≤ q) = k ∫ φ(z) (Φ(z) − Φ(z − q))^(k − 1) dz: z is the largest. The sum over equal steps is as good as the
    integral, since all derivatives vanish at both ends; the quantile is found by bisection.
    """
    z = np.linspace(-9.0, 9.0, 1801)
    weights = k * np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    low, high = 0.0, 18.0
    while high - low > 1e-11:
        q = (low + high) / 2
        if weights @ (special.ndtr(z) - special.ndtr(z - q)) ** (k - 1) < level:
            low = q
        else:
            high = q
    return (low + high) / 2
