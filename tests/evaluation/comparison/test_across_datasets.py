"""Across data sets: golden critical differences, scikit-posthocs, scipy and statsmodels as witnesses."""

import numpy as np
import pytest
import scikit_posthocs
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from evaluation.comparison.across_datasets import (
    WinTieLoss,
    friedman,
    nemenyi_critical,
    random_effects,
    studentised_range,
    summarise,
)
from evaluation.comparison.compare import compare_suite
from evaluation.metrics.accuracy import MRR
from evaluation.statistics.crossed import crossed_test
from evaluation.statistics.effects import Conclusion

Q_05 = {2: 1.960, 3: 2.344, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.948, 8: 3.031, 9: 3.102, 10: 3.164}  # Demšar 2006
CD_9 = {2: 8.49, 3: 6.94, 4: 6.01, 6: 4.90}


@pytest.mark.parametrize("k", Q_05)
def test_studentised_range_is_that_of_the_table(k):
    assert nemenyi_critical(k, 1) / np.sqrt(k * (k + 1) / 6) == pytest.approx(Q_05[k], abs=6e-4)


@pytest.mark.parametrize("num", CD_9)
def test_golden_critical_differences_of_nine_models(num):
    assert nemenyi_critical(9, num) == pytest.approx(CD_9[num], abs=6e-3)


def test_friedman_is_that_of_scipy_and_its_pairs_those_of_scikit_posthocs():
    scores = np.random.default_rng(0).normal([0.0, 0.4, 0.9, 2.5], 1.0, (8, 4))
    found, reason = friedman("abcd", scores)
    assert reason == ""
    chi2 = stats.friedmanchisquare(*scores.T).statistic
    assert found.chi2 == pytest.approx(chi2)
    assert found.f == pytest.approx(7 * chi2 / (8 * 3 - chi2))  # Iman and Davenport 1980
    theirs = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
    ranks = np.array(found.mean_ranks)
    for i in range(4):
        for j in range(i):
            assert (abs(ranks[i] - ranks[j]) >= found.critical) == (theirs[i, j] <= 0.05)
    assert np.argmin(ranks) == 3  # the best score has rank 1


def test_friedman_with_ties_is_that_of_scipy():
    scores = np.random.default_rng(1).integers(0, 4, (7, 5)).astype(float)
    found, _ = friedman("abcde", scores)
    assert found.mean_ranks == tuple(stats.rankdata(-scores, axis=1).mean(axis=0))
    assert found.p == pytest.approx(stats.f.sf(found.f, 4, 4 * (len(scores) - 1)))
    assert found.chi2 == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)


def test_few_data_sets_get_a_sentence_and_no_diagram():
    found, reason = friedman(list("abcdefghi"), np.random.default_rng(0).normal(size=(4, 9)))
    assert found is None
    assert "6.01 mean ranks of at most 8" in reason


def test_random_effects_are_those_of_statsmodels():
    effects, errors = np.array([0.12, 0.30, -0.05, 0.22]), np.array([0.05, 0.08, 0.06, 0.10])
    theirs = combine_effects(effects, errors**2, method_re="dl", use_t=True)
    ours = random_effects(effects, errors)
    assert np.log1p(ours.mean) == pytest.approx(theirs.mean_effect_re)
    assert ours.tau**2 == pytest.approx(theirs.tau2)
    half = stats.t.ppf(0.975, 3) * theirs.sd_eff_w_re_hksj
    np.testing.assert_allclose(np.log1p(ours.interval), [theirs.mean_effect_re - half, theirs.mean_effect_re + half])
    assert random_effects([0.1], [0.05]).interval is None
    with pytest.raises(ValueError, match="above 0"):
        random_effects([0.1, 0.2], [0.05, 0.0])


def test_an_error_near_zero_leaves_the_other_data_set_its_weight():
    # weights 1e34 and 100: Q = 100 · .2² = 4, the scale 2 · 100, so tau² = 3 / 200; then weights 1 / .015 and 1 / .025
    found = random_effects([0.1, 0.3], [1e-17, 0.1])
    assert found.tau**2 == pytest.approx(0.015)
    assert np.log1p(found.mean) == pytest.approx((0.1 / 0.015 + 0.3 / 0.025) / (1 / 0.015 + 1 / 0.025))


def test_win_tie_loss_counts_words():
    words = [Conclusion.BETTER, Conclusion.EQUAL, Conclusion.INCONCLUSIVE, Conclusion.WORSE, Conclusion.BETTER]
    assert WinTieLoss.of(words) == WinTieLoss(2, 2, 1)


def test_a_pair_that_stands_the_other_way_round_is_turned_and_errors_are_those_of_the_methods(store):
    for dataset, strength in (("D", 0.8), ("E", 1.4)):
        store.learner("GRU", strength, seed_shift=0.1, dataset=dataset)
        store.learner("LSTM", 0.0, seed_shift=0.1, dataset=dataset)
    one, two = (
        [
            table.pairs[0]
            for table in compare_suite(store.suite(comparisons=[pair], metrics=["MRR@20"]), flips=999, resamples=200)
        ]
        for pair in (["GRU", "LSTM"], ["LSTM", "GRU"])
    )
    tally, effect = summarise(one, "GRU")
    assert tally == WinTieLoss(2, 0, 0)
    for rows in ([one[0], two[1]], [two[0], one[1]], two):
        same, turned = summarise(rows, "GRU")
        assert same == tally
        assert (turned.mean, turned.tau) == pytest.approx((effect.mean, effect.tau))
        assert turned.interval == pytest.approx(effect.interval)
    against, mirrored = summarise(one, "LSTM")
    assert against == WinTieLoss(0, 0, 2)
    assert 1 + mirrored.mean == pytest.approx(1 / (1 + effect.mean))
    cells = {(c.dataset, c.model, c.seed): MRR(20).per_cluster(c.ranks) for c in store.suite().cells}
    logs, errors = [], []
    for dataset in "DE":
        gru, lstm = ([cells[dataset, model, seed] for seed in range(3)] for model in ("GRU", "LSTM"))
        means = [np.mean([run.micro for run in runs]) for runs in (gru, lstm)]
        logs.append(np.log(means[0] / means[1]))
        errors.append(crossed_test(gru, lstm, ratio=means[0] / means[1]).error / means[0])  # delta method
    assert effect.mean == pytest.approx(random_effects(logs, errors).mean)
    assert effect.tau == pytest.approx(random_effects(logs, errors).tau)


@pytest.mark.parametrize(("level", "k"), [(0.95, 2), (0.95, 10), (0.99, 5), (0.9, 50)])
def test_the_studentised_range_is_scipys(level, k):
    assert studentised_range(level, k) == pytest.approx(stats.studentized_range.ppf(level, k, np.inf), rel=1e-8)
