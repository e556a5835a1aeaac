"""User-level tests on one test set: clustered standard errors, sign-flip randomisation, cluster bootstrap.

The estimate of a pair is θ = Σ_u D_u / Σ_u n_u with D_u the difference of the two models' sums over cluster u. The
tests generalise *these trained models* to other users; for methods, see evaluation.statistics.crossed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.statistics.multiplicity import MaxT
from evaluation.statistics.paired_sums import PairedSums

FLIPS = 100_000
RESAMPLES = 10_000
FEW_CLUSTERS = 200  # fewer than this: the bootstrap is studentised
CACHED_FLIPS = 256  # statistics per block, few enough for the processor's cache
ROUGH_BELOW = 100  # clusters; see the skewed rows of docs/statistics.md
ROUNDING = 1e-9  # relative distance within which a flipped statistic ties with the observed one
VARIANCE_FLOOR = 1e-12  # a variance below this share of ΣD² is rounding error


def cluster_errors(differences: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the linearised cluster standard errors of θ, (P,), from D (G, P) and n (G,).

    SE² = G / (G − 1) · Σ_u (D_u − θ n_u)² / N², the CR1 standard error of a mean.
    """
    num_clusters, total = len(counts), counts.sum()
    residuals = differences - np.outer(counts, differences.sum(axis=0) / total)
    return np.sqrt(num_clusters / (num_clusters - 1) * np.einsum("gp,gp->p", residuals, residuals)) / total


@dataclass(frozen=True, eq=False)
class SignFlips:
    """p (P,): two-sided (b + 1) / (B + 1); p_max_t (P,) and critical: over the family, NaN for pairs outside it."""

    p: np.ndarray
    p_max_t: np.ndarray
    critical: float


def sign_flip_test(
    paired: PairedSums, pairs: np.ndarray, *, family: np.ndarray | None = None, flips: int = FLIPS
) -> SignFlips:
    """Test every pair (P, 2) by sign-flip randomisation over clusters, studentised, with one sign matrix for all pairs.

    A flip swaps the outputs of the two models for a user. t = θ / SE is recomputed under each flip, so the null
    hypothesis is equality of means, not exchangeability of the models. ``family``: the pairs (F,) over which max-T
    adjusts, all by default. A pair of identical results has p = 1.
    """
    from evaluation.statistics.resampling import flipped_sums  # here, since numba takes a second to import

    family = np.arange(len(pairs)) if family is None else family
    a, b = pairs.T
    counts = paired.counts.astype(np.float64)
    differences = paired.differences(pairs)
    squares = np.einsum("gp,gp->p", differences, differences)
    of_counts = float(counts @ counts)
    width = len(paired.models)
    scale = np.sqrt(1.0 - 1.0 / paired.num_clusters)

    def statistic(signed: np.ndarray, weighted: np.ndarray) -> np.ndarray:
        """Return |t| from Σ ε D and Σ ε D n, both (B, P)."""
        theta = signed / paired.num_events
        variance = squares - 2.0 * theta * weighted + theta * theta * of_counts
        spread = np.sqrt(np.maximum(variance, VARIANCE_FLOOR * squares))
        return np.divide(np.abs(signed) * scale, spread, out=np.zeros_like(signed), where=spread > 0)

    observed = statistic(differences.sum(axis=0)[None], (counts @ differences)[None])[0]
    exceeded = np.zeros(len(pairs), dtype=np.int64)
    max_t = MaxT(observed[family], ROUNDING)
    columns = np.hstack([paired.sums, paired.sums * counts[:, None]])
    limits = observed * (1.0 - ROUNDING)
    for block in flipped_sums(columns, flips, paired.generator("sign flips")):
        for first in range(0, len(block), CACHED_FLIPS):
            sums = block[first : first + CACHED_FLIPS]
            null = statistic(sums[:, a] - sums[:, b], sums[:, width + a] - sums[:, width + b])
            exceeded += (null >= limits).sum(axis=0)
            max_t.add(null[:, family])
    p_max_t = np.full(len(pairs), np.nan)
    p_max_t[family] = max_t.adjusted()
    return SignFlips((exceeded + 1) / (flips + 1), p_max_t, max_t.critical())


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Means under resampled clusters, and intervals from them.

    means (B, M) of the models; t_models (B, M), t_pairs (B, P): studentised deviations, or None where there are enough
    clusters for percentiles. A deviation is NaN where all clusters of a resample are equal, so that its error is 0 (few
    clusters, or few that differ). Quantiles leave such resamples out; if they are more than a tail of all resamples,
    the interval is the percentile interval.
    """

    paired: PairedSums
    pairs: np.ndarray
    means: np.ndarray
    t_models: np.ndarray | None
    t_pairs: np.ndarray | None

    @property
    def studentised(self) -> bool:
        """Whether intervals are bootstrap-t rather than percentiles."""
        return self.t_pairs is not None

    def model_intervals(self, level: float = 0.95) -> np.ndarray:
        """Return intervals of the models' means, (M, 2)."""
        if self.t_models is None:
            return _percentiles(self.means, level)
        errors = cluster_errors(self.paired.sums, self.paired.counts)
        return _studentised(self.paired.means, errors, self.t_models, self.means, level)

    def pair_intervals(self, level: float = 0.95) -> np.ndarray:
        """Return intervals of the pairs' differences, (P, 2)."""
        a, b = self.pairs.T
        differences = self.means[:, a] - self.means[:, b]
        if self.t_pairs is None:
            return _percentiles(differences, level)
        errors = cluster_errors(self.paired.differences(self.pairs), self.paired.counts)
        return _studentised(self.paired.means[a] - self.paired.means[b], errors, self.t_pairs, differences, level)

    def ratio_intervals(self, level: float = 0.95) -> np.ndarray:
        """Return percentile intervals of θ_a / θ_b − 1, (P, 2), from the same resamples; NaN where a mean of b is 0."""
        a, b = self.pairs.T
        below = self.means[:, b]
        ratios = np.divide(self.means[:, a], below, out=np.full(below.shape, np.nan), where=below > 0) - 1.0
        return _percentiles(ratios, level)


def cluster_bootstrap(paired: PairedSums, pairs: np.ndarray, *, resamples: int = RESAMPLES) -> Bootstrap:
    """Resample clusters (never events): θ* = Σ c_u D_u / Σ c_u n_u, with n_u drawn together with D_u."""
    from evaluation.statistics.resampling import resampled_sums

    counts = paired.counts.astype(np.float64)
    generator = paired.generator("cluster bootstrap")
    width = len(paired.models)
    linear = np.column_stack([paired.sums, counts])
    if paired.num_clusters >= FEW_CLUSTERS:
        sums = resampled_sums(linear, resamples, generator)
        return Bootstrap(paired, pairs, sums[:, :width] / sums[:, width:], None, None)
    series = np.hstack([paired.sums, paired.differences(pairs)])  # (G, M + P): models, then pairs
    columns = np.hstack([linear, (counts * counts)[:, None], series**2, series * counts[:, None]])
    sums = resampled_sums(columns, resamples, generator)
    means, total, of_counts = sums[:, :width] / sums[:, [width]], sums[:, [width]], sums[:, [width + 1]]
    squares, weighted = np.split(sums[:, width + 2 :], 2, axis=1)
    theta = np.hstack([means, means[:, pairs[:, 0]] - means[:, pairs[:, 1]]])
    variance = squares - 2 * theta * weighted + theta**2 * of_counts
    spread = variance > VARIANCE_FLOOR * np.maximum(squares, (series * series).sum(axis=0))  # more than rounding error
    errors = np.sqrt(np.where(spread, variance, 0.0) * paired.num_clusters / (paired.num_clusters - 1)) / total
    centre = np.concatenate([paired.means, paired.means[pairs[:, 0]] - paired.means[pairs[:, 1]]])
    t = np.divide(theta - centre, errors, out=np.full(theta.shape, np.nan), where=spread)
    return Bootstrap(paired, pairs, means, t[:, :width], t[:, width:])


def _percentiles(values: np.ndarray, level: float) -> np.ndarray:
    """Return the central ``level`` interval of each column, (K, 2)."""
    tail = (1.0 - level) / 2.0
    return np.quantile(values, [tail, 1.0 - tail], axis=0).T


def _studentised(centre: np.ndarray, errors: np.ndarray, t: np.ndarray, values: np.ndarray, level: float) -> np.ndarray:
    """Return bootstrap-t intervals (K, 2): the centre minus the upper and the lower quantile of t* times the error.

    Where the NaN t* are more than a tail, return percentiles of ``values`` (B, K).
    """
    quantiles = _percentiles(t, level)
    unknown = np.isnan(t).mean(axis=0)
    for k in np.flatnonzero((unknown > 0) & (unknown <= (1.0 - level) / 2.0)):
        quantiles[k] = _percentiles(t[~np.isnan(t[:, k])][:, [k]], level)[0]
    ends = centre[:, None] - quantiles[:, ::-1] * errors[:, None]
    return np.where(np.isnan(ends), _percentiles(values, level), ends)
