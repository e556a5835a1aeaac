"""User-level inference against statsmodels, scipy, exact enumeration, and by its own invariances."""

import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.multiplicity import holm
from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import cluster_bootstrap, cluster_errors, sign_flip_test

PAIR = np.array([[0, 1]])


def events(clusters=60, models=2, seed=0, shift=0.0):
    """Event values (N, M) that are correlated inside clusters, and the cluster of each."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(clusters), rng.integers(1, 9, clusters))
    values = rng.normal(size=(clusters, models))[owner] + rng.normal(size=(len(owner), models))
    values[:, 0] += shift
    return values, owner


def paired_of(values, owner, names="ABCDEFGH"):
    return PairedSums.of({names[m]: [ClusterSums.of(owner, values[:, m])] for m in range(values.shape[1])})


def test_clustered_error_is_that_of_statsmodels_up_to_its_small_sample_factor():
    values, owner = events()
    difference = values[:, 0] - values[:, 1]
    paired = paired_of(values, owner)
    ours = cluster_errors(paired.differences(PAIR), paired.counts)[0]
    fit = sm.OLS(difference, np.ones(len(difference))).fit(
        cov_type="cluster", cov_kwds={"groups": owner, "use_correction": True}
    )
    # statsmodels multiplies by G / (G − 1) · (N − 1) / (N − K) with K = 1 regressor: the second factor is 1
    assert ours == pytest.approx(fit.bse[0], rel=1e-12)
    assert paired.means[0] - paired.means[1] == pytest.approx(fit.params[0], rel=1e-12)


def test_clustered_error_by_hand():
    # clusters (n, D): (1, 2), (2, 0), (1, −1); θ = 1/4; residuals 7/4, −1/2, −5/4; Σ² = 4.875
    error = cluster_errors(np.array([[2.0], [0.0], [-1.0]]), np.array([1, 2, 1]))[0]
    assert error == pytest.approx(np.sqrt(3 / 2 * 4.875 / 16))


def test_sign_flip_p_is_that_of_all_sign_patterns():
    values, owner = events(clusters=11, shift=0.7)
    paired = paired_of(values, owner)
    d, n = paired.differences(PAIR)[:, 0], paired.counts

    def statistic(x):
        theta = x.sum() / n.sum()
        return abs(theta) / np.sqrt(np.sum((x - theta * n) ** 2))

    observed = statistic(d)
    every = [statistic(d * np.array(signs)) for signs in itertools.product((-1, 1), repeat=11)]
    exact = np.mean(np.array(every) >= observed * (1 - 1e-9))
    found = sign_flip_test(paired, PAIR, flips=100_000)
    assert 0.01 < exact < 0.9
    assert found.p[0] == pytest.approx(exact, abs=4 * np.sqrt(exact / 100_000))
    assert found.p_max_t[0] == found.p[0]


def test_p_is_never_zero_and_identical_results_have_p_one():
    values, owner = events(clusters=40)
    values = np.column_stack([values[:, 0], values[:, 0], values[:, 0] - 50.0])
    paired = paired_of(values, owner)
    found = sign_flip_test(paired, np.array([[0, 1], [0, 2]]), flips=999)
    assert found.p[0] == 1.0
    assert found.p_max_t[0] == 1.0
    assert found.p[1] == 1 / 1000


def test_flips_that_tie_with_the_observed_count():
    # one cluster differs: every flip has the same |t|, so nothing is significant
    counts = np.array([3, 2, 4, 1, 5])
    base = np.array([0.1, 0.7, 0.3, 0.2, 0.9])
    other = base + np.array([0.3, 0, 0, 0, 0])
    clusters = np.arange(5)
    paired = PairedSums.of({"A": [ClusterSums(clusters, other, counts)], "B": [ClusterSums(clusters, base, counts)]})
    assert sign_flip_test(paired, PAIR, flips=2000).p[0] == 1.0


def test_with_many_clusters_all_intervals_agree():
    values, owner = events(clusters=3000, shift=0.1)
    paired = paired_of(values, owner)
    error = cluster_errors(paired.differences(PAIR), paired.counts)[0]
    estimate = paired.means[0] - paired.means[1]
    low, high = cluster_bootstrap(paired, PAIR).pair_intervals()[0]
    assert low == pytest.approx(estimate - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(estimate + 1.96 * error, abs=0.1 * error)
    flips = sign_flip_test(paired, PAIR, flips=20_000)
    assert flips.p[0] == pytest.approx(2 * stats.norm.sf(abs(estimate / error)), abs=0.01)
    assert flips.critical == pytest.approx(1.96, abs=0.06)


def test_few_clusters_are_studentised_and_wider():
    values, owner = events(clusters=12)
    paired = paired_of(values, owner)
    boot = cluster_bootstrap(paired, PAIR)
    assert boot.studentised
    error = cluster_errors(paired.differences(PAIR), paired.counts)[0]
    low, high = boot.pair_intervals()[0]
    assert high - low > 2 * 1.96 * error
    assert not cluster_bootstrap(paired_of(*events(clusters=200)), PAIR).studentised


def test_studentised_interval_is_that_of_plain_numpy():
    values, owner = events(clusters=15)
    paired = paired_of(values, owner)
    boot = cluster_bootstrap(paired, PAIR, resamples=500)
    drawn = paired.generator("cluster bootstrap").integers(0, 15, size=(500, 15), dtype=np.uint32)
    d, n = paired.differences(PAIR)[:, 0], paired.counts
    centre, t = d.sum() / n.sum(), []
    for rows in drawn:
        theta = d[rows].sum() / n[rows].sum()
        t.append((theta - centre) / cluster_errors(d[rows][:, None], n[rows])[0])
    np.testing.assert_allclose(boot.t_pairs[:, 0], t, rtol=1e-6)
    low, high = np.quantile(t, [0.025, 0.975])
    error = cluster_errors(d[:, None], n)[0]
    np.testing.assert_allclose(boot.pair_intervals()[0], [centre - high * error, centre - low * error])


def test_resamples_without_spread_have_no_deviation_and_too_many_of_them_leave_percentiles():
    # differences 0.1 · 3 − 0.3 = 6e-17, and 1: a resample without user 3 (chance 0.316) has rounding alone for an error
    first = ClusterSums(np.arange(4), np.array([0.1 + 0.1 + 0.1, 0.1 + 0.1 + 0.1, 0.3, 1.0]), np.ones(4, int))
    second = ClusterSums(np.arange(4), np.array([0.3, 0.3, 0.1 + 0.1 + 0.1, 0.0]), np.ones(4, int))
    paired = PairedSums.of({"A": [first], "B": [second]})
    boot = cluster_bootstrap(paired, PAIR, resamples=2000)
    assert np.isnan(boot.t_pairs).mean() == pytest.approx(0.75**4 + 0.25**4, abs=0.04)  # no user 3, or no other
    # left are c = 1, 2, 3 draws of user 3 in 4: θ* = c / 4, SE*² = 4 / 3 · c (1 − c / 4) / 16, t* = (θ* − 1 / 4) / SE*
    t = {c: (c / 4 - 1 / 4) / np.sqrt(4 / 3 * c * (1 - c / 4) / 16) for c in (1, 2, 3)}
    assert np.unique(boot.t_pairs[~np.isnan(boot.t_pairs)].round(9)) == pytest.approx(sorted(t.values()))
    # of the rest alone the interval would end at the estimate; θ* = 0, 1 / 4 … 1 with odds 81 : 108 : 54 : 12 : 1
    assert boot.pair_intervals()[0] == pytest.approx([0, 3 / 4], abs=1e-12)


def test_a_few_resamples_without_spread_are_left_out():
    # 5 of 100 users differ: a resample has none of them with chance .95 ** 100 = 0.6 %
    counts, rises = np.full(100, 2), np.zeros(100)
    rises[:5] = 1.0
    paired = PairedSums.of(
        {name: [ClusterSums(np.arange(100), sums, counts)] for name, sums in (("A", rises), ("B", 0 * rises))}
    )
    boot = cluster_bootstrap(paired, PAIR)
    t = boot.t_pairs[~np.isnan(boot.t_pairs)]
    assert 0 < len(boot.t_pairs) - len(t) < 100
    error = cluster_errors(paired.differences(PAIR), counts)[0]
    low, high = np.quantile(t, [0.025, 0.975])
    assert boot.pair_intervals()[0] == pytest.approx([0.025 - high * error, 0.025 - low * error])


@pytest.mark.parametrize("rises", [[1.0, 0.0], [1.0, 3.0], [1.0] + 29 * [0.0], [1.0, 1.0] + 48 * [0.0]])
def test_an_interval_that_few_users_carry_holds_more_than_its_own_centre(rises):
    counts = np.arange(len(rises)) % 3 + 3
    paired = PairedSums.of(
        {
            name: [ClusterSums(np.arange(len(rises)), np.array(sums), counts)]
            for name, sums in (("A", rises), ("B", 0 * np.array(rises)))
        }
    )
    boot = cluster_bootstrap(paired, PAIR)
    for low, high in (boot.pair_intervals()[0], boot.model_intervals()[0]):
        assert 0 <= low < paired.means[0] < high
    if rises.count(0.0) > 1:
        assert boot.pair_intervals()[0, 0] == 0  # a flip of so few users shows that nothing is told: p is 0.5 or 1


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), clusters=st.integers(3, 40), shift=st.floats(-1, 1))
def test_swapping_a_and_b_flips_signs_and_leaves_p(seed, clusters, shift):
    paired = paired_of(*events(clusters=clusters, seed=seed, shift=shift))
    one, two = (sign_flip_test(paired, pair, flips=500) for pair in (PAIR, PAIR[:, ::-1]))
    assert one.p[0] == two.p[0]
    np.testing.assert_array_equal(paired.differences(PAIR), -paired.differences(PAIR[:, ::-1]))
    low, high = cluster_bootstrap(paired, PAIR, resamples=300).pair_intervals()[0]
    mirrored = cluster_bootstrap(paired, PAIR[:, ::-1], resamples=300).pair_intervals()[0]
    np.testing.assert_allclose(mirrored, [-high, -low], rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), constant=st.floats(0, 1))
def test_a_further_constant_model_changes_no_other_raw_p(seed, constant):
    values, owner = events(clusters=30, seed=seed, shift=0.3)
    alone = sign_flip_test(paired_of(values, owner), PAIR, flips=500)
    more = np.column_stack([values, np.full(len(values), constant)])
    beside = sign_flip_test(paired_of(more, owner), np.array([[0, 1], [0, 2], [1, 2]]), flips=500)
    assert beside.p[0] == alone.p[0]


def test_max_t_adjusts_no_less_than_raw_and_no_more_than_bonferroni():
    values, owner = events(clusters=80, models=5, shift=0.4)
    paired = paired_of(values, owner)
    pairs = np.array(list(itertools.combinations(range(5), 2)))
    found = sign_flip_test(paired, pairs, flips=20_000)
    assert (found.p_max_t >= found.p).all()
    assert (found.p_max_t <= np.minimum(holm(found.p) + 0.01, 1)).all()
    order = np.argsort(found.p)
    assert (np.diff(found.p_max_t[order]) >= -0.02).all()
    part = sign_flip_test(paired, pairs, family=np.arange(3), flips=20_000)
    np.testing.assert_array_equal(part.p, found.p)
    assert np.isnan(part.p_max_t[3:]).all()


def test_a_family_may_be_empty():
    values, owner = events(models=3, shift=1.0)
    found = sign_flip_test(paired_of(values, owner), np.array([[0, 1], [0, 2]]), family=np.arange(0), flips=500)
    assert np.isnan(found.p_max_t).all()
    assert found.p.max() < 0.05, "the pairs outside the family are tested all the same"


def test_same_results_give_the_same_bytes():
    values, owner = events(clusters=50)
    first, second = (sign_flip_test(paired_of(values, owner), PAIR, flips=5000) for _ in range(2))
    assert first.p.tobytes() == second.p.tobytes()
    one, two = (cluster_bootstrap(paired_of(values, owner), PAIR, resamples=500).pair_intervals() for _ in range(2))
    assert one.tobytes() == two.tobytes()
