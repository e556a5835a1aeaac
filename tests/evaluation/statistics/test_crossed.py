"""The users × seeds test against a hand computation and a simulation of both sources of chance."""

import numpy as np
import pytest
from scipy import stats

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.crossed import SeedVariance, crossed_test, method_interval


def runs(sums, counts):
    return [ClusterSums(np.arange(len(counts)), np.asarray(row, float), np.asarray(counts)) for row in sums]


def test_two_seeds_by_hand():
    # A: seeds (1, 3), (3, 5) on two users of one event each; B deterministic: (1, 1). N = 2, G = 2
    # seed means of A: 2 and 4: s² = 2, s²/S = 1. Seed-averaged A: (2, 4), D = (1, 3), θ = 2
    # V_users = 2/1 · (1 + 1)/4 = 1. Interaction: influence rows (−1, 1)/2 twice, so apart = 0
    found = crossed_test(runs([[1, 3], [3, 5]], [1, 1]), runs([[1, 1]], [1, 1]), deterministic=(False, True))
    assert found.estimate == 2.0
    assert found.error == pytest.approx(np.sqrt(2))
    assert found.df == pytest.approx(2**2 / (1 / 1 + 1 / 1))
    assert found.p == pytest.approx(2 * stats.t.sf(2 / np.sqrt(2), 2))
    assert found.seed_share == pytest.approx(0.5)
    assert found.error_conservative == found.error


def test_a_negative_seed_component_is_zero():
    # A's seeds swap two users: influence (−1, 1)/2 and (1, −1)/2, means equal: s² = 0, interaction above 0
    part = SeedVariance.of(runs([[1, 3], [3, 1]], [1, 1]))
    assert part.between == 0.0
    assert part.interaction == pytest.approx(2 * (4 * 0.25) / 1 / 2)  # G/(G−1) · Σ deviation² / (S − 1) / S
    found = crossed_test(runs([[1, 3], [3, 1]], [1, 1]), runs([[1, 1.5]], [1, 1]), deterministic=(False, True))
    assert found.seed_share == 0.0
    assert found.df == pytest.approx(1)


def test_interaction_is_subtracted_once():
    # A: seeds (1, 3), (3, 7) on two users of one event; B deterministic: (1, 1). N = 2, G = 2, S = 2
    # seed means 2 and 5: s² = 4.5, s²/S = 2.25. Influence (−.5, .5), (−1, 1), deviations ±.25: v = 2 · .25, v/S = .25
    # D = (1, 4), θ = 2.5, V_users = 2 · 2 · (1.5 / 2)² = 2.25
    found = crossed_test(runs([[1, 3], [3, 7]], [1, 1]), runs([[1, 1]], [1, 1]), deterministic=(False, True))
    variance, df = 2.25 + 2.25 - 0.25, 4.25**2 / (2.25**2 / 1 + 2.25**2 / 1 + 0.25**2 / (1 * 1))
    assert found.estimate == 2.5
    assert found.error == pytest.approx(np.sqrt(variance))
    assert found.df == pytest.approx(df)
    assert found.p == pytest.approx(2 * stats.t.sf(2.5 / np.sqrt(variance), df))
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    assert found.interval == pytest.approx((2.5 - half, 2.5 + half))
    assert found.seed_share == pytest.approx(2 / 4.25)
    assert found.error_conservative == pytest.approx(np.sqrt(4.5))
    assert found.df_conservative == pytest.approx(4.5**2 / (2.25**2 + 2.25**2))
    assert found.p_conservative == pytest.approx(2 * stats.t.sf(2.5 / np.sqrt(4.5), 2))
    half = stats.t.ppf(0.975, 2) * np.sqrt(4.5)
    assert found.interval_conservative == pytest.approx((2.5 - half, 2.5 + half))


def test_paired_seeds_by_hand():
    # A: (1, 3), (3, 7), B: (1, 1), (2, 2): differences (0, 2), (1, 5) on two users of one event; N = 2, G = 2, S = 2
    # their means 1 and 3: s²/S = 1. D = (.5, 3.5), θ = 2, V_users = 2 · 2 · (1.5 / 2)² = 2.25
    # influence (−.5, .5), (−1, 1), deviations ±.25: v/S = .25
    a, b = runs([[1, 3], [3, 7]], [1, 1]), runs([[1, 1], [2, 2]], [1, 1])
    found = crossed_test(a, b, pair_seeds=True)
    assert found.estimate == crossed_test(a, b).estimate == 2.0
    assert found.error == pytest.approx(np.sqrt(2.25 + 1 - 0.25))
    assert found.df == pytest.approx(3**2 / (2.25**2 + 1**2 + 0.25**2))
    doubled = crossed_test(a, b, ratio=2.0, pair_seeds=True)  # differences (−1, 1), (−1, 3): means 0 and 1
    assert doubled.estimate == 0.5
    assert doubled.error == pytest.approx(np.sqrt(2 * 2 * (1.5 / 2) ** 2 + 0.25 - 0.25))


def test_pairing_takes_out_the_noise_that_seeds_share():
    """Equal methods whose seeds move both alike: the level holds, and the error is below that of independent seeds."""
    rng = np.random.default_rng(5)
    rejected, smaller, rounds, counts = 0, 0, 400, np.full(60, 3)
    for _ in range(rounds):
        shared = rng.normal(0, 0.5, (5, 1))
        a, b = (runs(2 + shared + rng.normal(0, 0.05, (5, 1)) + rng.normal(0, 1, (5, 60)), counts) for _ in range(2))
        paired = crossed_test(a, b, pair_seeds=True)
        rejected += paired.p < 0.05
        smaller += paired.error < crossed_test(a, b).error
    assert rejected / rounds < 0.08
    assert smaller / rounds > 0.98


def by_definition(a, b, counts, ratio, level):
    """Estimate, error, df, interval and seed share of once and twice counted interactions, by loops over clusters."""
    total, clusters = sum(counts), len(counts)
    difference = [np.mean(a[:, u]) - ratio * np.mean(b[:, u]) for u in range(clusters)]
    estimate = sum(difference) / total
    scale = clusters / (clusters - 1)
    users = scale * sum(((d - estimate * n) / total) ** 2 for d, n in zip(difference, counts, strict=True))
    once, twice, below_once, below_twice = users, users, users**2 / (clusters - 1), users**2 / (clusters - 1)
    for sums, weight in ((a, 1.0), (b, ratio**2)):
        seeds = len(sums)
        means = [row.sum() / total for row in sums]
        shares = np.array([[(row[u] - m * counts[u]) / total for u in range(clusters)]
                           for row, m in zip(sums, means, strict=True)])  # fmt: skip
        between = weight * np.var(means, ddof=1) / seeds
        interaction = weight * scale * sum(np.var(shares[:, u], ddof=1) for u in range(clusters)) / seeds
        twice += between
        below_twice += between**2 / (seeds - 1)
        if between > interaction:
            once += between - interaction
            below_once += between**2 / (seeds - 1) + interaction**2 / ((seeds - 1) * (clusters - 1))
    found = []
    for variance, below in ((once, below_once), (twice, below_twice)):
        df = variance**2 / below
        half = stats.t.ppf(0.5 + level / 2, df) * np.sqrt(variance)
        p = 2 * stats.t.sf(abs(estimate) / np.sqrt(variance), df)
        found += [np.sqrt(variance), df, p, estimate - half, estimate + half]
    return [estimate, *found, 1 - users / once]


@pytest.mark.parametrize("seed", range(6))
def test_every_part_follows_its_definition(seed):
    rng = np.random.default_rng(seed)
    counts, ratio, level = rng.integers(1, 9, 7), (1.0, 0.8, 1.3)[seed % 3], (0.95, 0.9)[seed % 2]
    a, b = (counts * rng.normal(0.4, 0.1, 7) + counts * rng.normal(0, 0.2, (s, 1)) + rng.normal(0, 0.1, (s, 7))
            for s in (3, 5))  # fmt: skip
    found = crossed_test(runs(a, counts), runs(b, counts), ratio=ratio, level=level)
    ours = [found.estimate, found.error, found.df, found.p, *found.interval, found.error_conservative,
            found.df_conservative, found.p_conservative, *found.interval_conservative, found.seed_share]  # fmt: skip
    assert ours == pytest.approx(by_definition(a, b, counts, ratio, level), rel=1e-9)


def test_a_negative_difference_has_the_same_p():
    a, b = runs([[1, 3], [3, 7]], [1, 1]), runs([[1, 1]], [1, 1])
    one = crossed_test(a, b, deterministic=(False, True))
    two = crossed_test(b, a, deterministic=(True, False))
    assert (two.estimate, two.error, two.df, two.p) == (-one.estimate, one.error, one.df, one.p)
    assert two.interval == (-one.interval[1], -one.interval[0])


@pytest.mark.parametrize(("counts", "p"), [([3, 3], 0.5), ([3, 7, 11], 0.25), ([2] * 2000, np.finfo(float).tiny)])
def test_where_nothing_varies_few_users_are_still_few(counts, p):
    # A scores 0.3 an event for every user and seed, B 0.1; 0.3 · 7 − 0.1 · 7 leaves rounding of 1e-16 for an error
    a, b = ([np.array(counts) * value] * 3 for value in (0.3, 0.1))
    found = crossed_test(runs(a, counts), runs(b, counts))
    assert found.estimate == pytest.approx(0.2)
    assert found.error < 1e-15
    assert (found.p, found.p_conservative) == (p, p)
    assert crossed_test(runs(a, counts), runs(a, counts)).p == 1.0


def test_a_small_variance_over_many_events_is_no_rounding_error():
    # A − B is 0.2 an event, ± 1e-5 for each of 30 users of 1,000 events: far above the floor of 1e-12 · ΣD² / N²
    counts, signs = np.full(30, 1000), np.resize([1.0, -1.0, 0.0], 30)
    a, b = counts * (0.3 + 1e-5 * signs), counts * 0.1
    found = crossed_test(runs([a], counts), runs([b], counts), deterministic=(True, True))
    assert found.error == pytest.approx(stats.sem(1e-5 * signs))
    found = crossed_test(
        runs([a - b - 1e-6 * counts], counts), runs([0.2 * counts], counts), deterministic=(True, True)
    )
    assert found.p == pytest.approx(stats.ttest_1samp(1e-5 * signs + 1e-6, 0).pvalue)


def test_two_deterministic_models_have_users_only():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    found = crossed_test(runs([a], np.ones(30)), runs([b], np.ones(30)), deterministic=(True, True))
    theirs = stats.ttest_rel(a, b)
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.df == pytest.approx(29)
    np.testing.assert_allclose(found.interval, theirs.confidence_interval())


def test_many_users_leave_welch():
    # no user noise at all: the test is Welch's t on seed means
    rng = np.random.default_rng(1)
    levels = rng.normal(0.3, 0.02, (2, 5))
    a, b = (runs([np.full(10, x) for x in level], np.ones(10)) for level in levels)
    theirs = stats.ttest_ind(levels[0], levels[1], equal_var=False)
    found = crossed_test(a, b)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert found.df == pytest.approx(theirs.df, rel=1e-6)


def test_one_seed_of_a_learner_is_not_enough():
    one = runs([[1.0, 2.0, 4.0]], [1, 1, 1])
    assert crossed_test(one, one) is None
    assert crossed_test(one, one, deterministic=(False, True)) is None
    assert crossed_test(one, one, deterministic=(True, False)) is None
    assert crossed_test(one, one, deterministic=(True, True)).p == 1.0


def test_a_user_only_test_rejects_equal_methods_too_often_and_this_one_does_not():
    rng = np.random.default_rng(5)
    clusters, seeds, rejected = 300, 3, np.zeros(2)
    for _ in range(600):
        users = rng.normal(size=clusters)
        a, b = (
            runs(0.3 + 0.02 * users + rng.normal(0, 0.004, (seeds, 1)) + rng.normal(0, 0.02, (seeds, clusters)),
                 np.ones(clusters))
            for _ in range(2)
        )  # fmt: skip
        d = np.mean([x.sums for x in a], axis=0) - np.mean([x.sums for x in b], axis=0)
        rejected += [stats.ttest_1samp(d, 0).pvalue < 0.05, crossed_test(a, b).p < 0.05]
    assert rejected[0] / 600 > 0.15
    assert rejected[1] / 600 < 0.08


def test_the_interval_of_one_method_by_hand():
    # seeds (1, 3), (3, 7) on two users of one event: means 2 and 5, so the mean is 3.5 and s² / S = 4.5 / 2 = 2.25. The
    # seed-averaged (2, 5): V_users = 2 · 2 · (1.5 / 2)² = 2.25. Interaction v / S = .25, as above
    variance, df = 2.25 + 2.25 - 0.25, 4.25**2 / (2.25**2 / 1 + 2.25**2 / 1 + 0.25**2 / (1 * 1))
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    seeds = runs([[1, 3], [3, 7]], [1, 1])
    assert method_interval(seeds) == pytest.approx((3.5 - half, 3.5 + half))
    half = stats.t.ppf(0.9, df) * np.sqrt(variance)
    assert method_interval(seeds, level=0.8) == pytest.approx((3.5 - half, 3.5 + half))
    assert crossed_test(seeds, runs([[0, 0]], [1, 1]), deterministic=(False, True)).interval_at(0.8) == pytest.approx(
        (3.5 - half, 3.5 + half)
    )
    with pytest.raises(ValueError, match="at least two seeds"):
        method_interval(seeds[:1])


def test_the_interval_of_one_method_covers_its_mean_where_seeds_are_noisy():
    # true mean 1; users vary by .3, seeds by .05, both by .2 together: 50 users, so the users' error is .042 and the
    # seeds' .05 / √4 = .025. With 400 draws the share covered has an error of 1.1 points
    rng, counts = np.random.default_rng(11), np.ones(50, int)
    covered = users_only = 0
    for _ in range(400):
        values = 1 + rng.normal(0, 0.3, 50) + rng.normal(0, 0.05, (4, 1)) + rng.normal(0, 0.2, (4, 50))
        low, high = method_interval(runs(values, counts))
        covered += low <= 1 <= high
        mean = values.mean(axis=0)
        users_only += abs(mean.mean() - 1) <= stats.t.ppf(0.975, 49) * mean.std(ddof=1) / np.sqrt(50)
    assert 0.93 <= covered / 400 <= 0.985
    assert users_only < covered
