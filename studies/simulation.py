"""Simulated test sets with known true differences, for the calibration of tests.

Events are correlated within users: each user has a level and each (model, user) pair another, so that the events of a
user favour the same model.
"""

from __future__ import annotations

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums

BASE_RATE = 0.3  # hits per event
USER_SD, MODEL_SD = 0.8, 0.5  # SD of users and of model × user, on the logit scale


def event_counts(num_clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Return events per user: at least 2, mean 9, with a long tail like real test sets."""
    return 1 + rng.geometric(1 / 8, num_clusters).astype(np.int64)


def hit_differences(
    counts: np.ndarray, simulations: int, gain: float, skewed: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Simulate the hits of two models: D (G, simulations), Σ d² over events (simulations,), true mean difference.

    ``gain``: model A's true relative gain in hits (0: the models are exchangeable). ``skewed``: the mean difference is
    0, but a few users gain much and the others lose little.
    """
    shape = (len(counts), simulations)
    if skewed:
        rise = rng.random(shape) < 0.1  # a tenth of the users gain nine times what the others lose
        up, down = np.where(rise, 0.36, 0.02), np.where(rise, 0.0, 0.06)  # 0.1 · 0.36 + 0.9 · (0.02 − 0.06) = 0
    else:
        users = rng.normal(0, USER_SD, shape)
        rate_a, rate_b = (1 / (1 + np.exp(1.0 - users - rng.normal(0, MODEL_SD, shape))) for _ in range(2))
        rate_a = np.minimum(rate_a * (1 + gain), 1.0)
        up, down = rate_a * (1 - rate_b), rate_b * (1 - rate_a)
    wins = rng.binomial(counts[:, None], up)
    losses = rng.binomial(counts[:, None] - wins, np.minimum(down / np.maximum(1 - up, 1e-12), 1.0))
    truth = (
        0.0 if skewed or gain == 0 else float(np.average(up - down, weights=np.broadcast_to(counts[:, None], shape)))
    )
    return (wins - losses).astype(np.float64), (wins + losses).sum(axis=0).astype(np.float64), truth


def seed_runs(
    counts: np.ndarray, num_seeds: int, seed_sd: float, gains: tuple[float, float], rng: np.random.Generator
) -> tuple[list[ClusterSums], list[ClusterSums]]:
    """Simulate the sums of two methods' seeds, users and seeds crossed.

    A method's score on a user is its mean, plus effects of the user (shared by both methods), method × user, the seed
    (``seed_sd`` of the mean), seed × user, and the events.
    """
    num = len(counts)
    clusters, users = np.arange(num), rng.normal(0, 0.10, num)
    noise = np.sqrt((0.04 * counts) ** 2 + 0.25**2 * counts)  # seed × user, and the events
    methods = []
    for gain in gains:
        level = BASE_RATE * (1 + gain) + users + rng.normal(0, 0.03, num)
        shifts = rng.normal(0, seed_sd * BASE_RATE, num_seeds)
        sums = counts * (level + shifts[:, None]) + noise * rng.standard_normal((num_seeds, num))
        methods.append([ClusterSums(clusters, row, counts) for row in sums])
    return methods[0], methods[1]
