"""Made-up test sets whose truth is known, to see whether the tests keep their promises.

Events are correlated within users: each user has a level of her own, and each (model, user) pair another, so that a
user's events favour one model together.
"""

from __future__ import annotations

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums

BASE_RATE = 0.3  # hits per event
USER_SD, MODEL_SD = 0.8, 0.5  # spread of users, and of a model's taste for a user, on the logit scale


def event_counts(num_clusters: int, rng: np.random.Generator) -> np.ndarray:
    """Events a user: 1 and more, mean 8, with a long tail, as test parts have it."""
    return 1 + rng.geometric(1 / 8, num_clusters).astype(np.int64)


def hit_differences(
    counts: np.ndarray, simulations: int, gain: float, skewed: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Two models' hits: D (G, simulations), Σ d² over events (simulations,), and the true mean difference.

    ``gain``: model A's true relative gain in hits (0: the models are exchangeable). ``skewed``: the mean difference is
    0 although a few users gain much and the many others lose a little.
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
    """The sums of two methods' seeds, users and seeds crossed.

    A method's score on a user is its mean, plus the user's level (shared by both methods), the method's taste for the
    user, the seed's own shift (``seed_sd`` of the mean), the seed's taste for the user, and noise of the events.
    """
    num = len(counts)
    clusters, users = np.arange(num), rng.normal(0, 0.10, num)
    noise = np.sqrt((0.04 * counts) ** 2 + 0.25**2 * counts)  # the seed's taste for the user, and the events
    methods = []
    for gain in gains:
        level = BASE_RATE * (1 + gain) + users + rng.normal(0, 0.03, num)
        shifts = rng.normal(0, seed_sd * BASE_RATE, num_seeds)
        sums = counts * (level + shifts[:, None]) + noise * rng.standard_normal((num_seeds, num))
        methods.append([ClusterSums(clusters, row, counts) for row in sums])
    return methods[0], methods[1]
