"""Effect sizes by hand and against scipy, and the conclusion at each edge of its rules."""

import math

import numpy as np
import pytest
from scipy import stats

from evaluation.statistics.effects import (
    Conclusion,
    Shares,
    agreeing,
    conclude,
    relative_difference,
    smallest_detectable_difference,
    standardised_effect,
)


@pytest.mark.parametrize(
    ("p", "relative", "interval", "conclusion"),
    [
        (0.01, 0.12, (0.05, 0.2), Conclusion.BETTER),
        (0.01, -0.12, (-0.2, -0.05), Conclusion.WORSE),
        (0.2, 0.12, (-0.05, 0.3), Conclusion.INCONCLUSIVE),  # large, not significant
        (0.001, 0.045, (0.01, 0.08), Conclusion.INCONCLUSIVE),  # significant, of unclear relevance
        (0.001, 0.02, (0.01, 0.03), Conclusion.EQUAL),  # significant and irrelevant
        (0.9, 0.0, (-0.02, 0.02), Conclusion.EQUAL),
        (None, 0.5, (0.3, 0.7), Conclusion.INCONCLUSIVE),
        (None, 0.0, (-0.01, 0.01), Conclusion.EQUAL),
        (0.01, math.inf, (math.nan, math.nan), Conclusion.BETTER),
        (0.01, -math.inf, (math.nan, math.nan), Conclusion.WORSE),
        (0.01, 0.04, (-math.inf, 0.04), Conclusion.INCONCLUSIVE),
        # each rule at its edge: p below .05, a difference beyond the margin, an interval inside it
        (0.05, 0.12, (0.05, 0.2), Conclusion.INCONCLUSIVE),
        (0.0499, 0.12, (0.05, 0.2), Conclusion.BETTER),
        (0.01, 0.05, (0.01, 0.2), Conclusion.INCONCLUSIVE),
        (0.01, 0.0501, (0.01, 0.2), Conclusion.BETTER),
        (0.01, -0.0501, (-0.2, -0.01), Conclusion.WORSE),
        (0.9, 0.0, (-0.02, 0.05), Conclusion.INCONCLUSIVE),
        (0.9, 0.0, (-0.05, 0.02), Conclusion.INCONCLUSIVE),
        (0.9, 0.0, (-0.0499, 0.0499), Conclusion.EQUAL),
        (math.nan, 0.12, (0.05, 0.2), Conclusion.INCONCLUSIVE),
    ],
)
def test_a_conclusion_needs_the_test_and_the_margin(p, relative, interval, conclusion):
    assert conclude(p, relative, interval) is conclusion
    opposite = {Conclusion.BETTER: Conclusion.WORSE, Conclusion.WORSE: Conclusion.BETTER}
    assert conclude(p, relative, interval, higher_is_better=False) is opposite.get(conclusion, conclusion)


def test_the_margin_can_be_chosen():
    assert conclude(0.9, 0.03, (-0.02, 0.03), margin=0.02) is Conclusion.INCONCLUSIVE
    assert conclude(0.01, 0.03, (0.021, 0.04), margin=0.02) is Conclusion.BETTER
    assert conclude(0.9, 0.03, (-0.02, 0.09), margin=0.10) is Conclusion.EQUAL


def test_shares_by_hand():
    shares = Shares.of(np.array([1.0, -2.0, 1e-15, 3.0, 0.5]), np.ones(5))
    assert (shares.better, shares.tied, shares.worse) == (0.6, 0.2, 0.2)
    assert Shares.of(np.array([1.0, -2.0, -1.0]), np.ones(3), higher_is_better=False) == Shares(2 / 3, 0, 1 / 3)
    # rounding error is 1e-12 per query: 3e-12 is a tie over four queries, not over two
    assert Shares.of(np.array([3e-12, 3e-12, -3e-12]), np.array([4, 2, 2])) == Shares(1 / 3, 1 / 3, 1 / 3)


def test_relative_differences():
    assert relative_difference(0.12, 0.10) == pytest.approx(0.2)
    assert relative_difference(0.08, 0.10) == pytest.approx(-0.2)
    assert relative_difference(0.1, 0.0) == math.inf
    assert relative_difference(-0.1, 0.0) == -math.inf
    assert relative_difference(0.0, 0.0) == 0.0


def test_the_standardised_effect_is_cohens_d_of_the_pairs():
    differences = np.random.default_rng(0).normal(0.3, 2.0, 25)
    error = differences.std(ddof=1) / np.sqrt(25)
    found = standardised_effect(differences.mean(), error, 25)
    assert found == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert found == pytest.approx(stats.ttest_1samp(differences, 0).statistic / 5)
    assert standardised_effect(0.3, 0.0, 25) == 0.0


def test_the_smallest_detectable_difference_has_a_power_of_80_percent():
    for error in (1.0, 0.02):
        power = stats.norm.sf(1.959964 - smallest_detectable_difference(error) / error)
        assert power == pytest.approx(0.8, abs=1e-4)


def test_the_smallest_detectable_difference_of_few_degrees_of_freedom_has_the_quantiles_of_t():
    for df in (2, 5, 40):
        expected = 0.01 * (stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df))
        assert smallest_detectable_difference(0.01, df) == pytest.approx(expected)
    assert smallest_detectable_difference(0.01, 1e9) == pytest.approx(smallest_detectable_difference(0.01))


@pytest.mark.parametrize(
    ("interval", "estimate", "significant", "expected"),
    [
        ((0.1, 0.3), 0.2, True, (0.1, 0.3)),
        ((-0.1, 0.3), 0.1, False, (-0.1, 0.3)),
        ((-0.01, 0.3), 0.15, True, (0.0, 0.3)),  # the test rejects 0, the interval holds it
        ((-0.3, 0.01), -0.15, True, (-0.3, 0.0)),
        ((0.01, 0.3), 0.15, False, (0.0, 0.3)),  # the test does not reject 0, the interval leaves it out
        ((-0.3, -0.01), -0.15, False, (-0.3, 0.0)),
        ((0.0, 0.0), 0.0, False, (0.0, 0.0)),
    ],
)
def test_an_interval_is_made_to_agree_with_its_test(interval, estimate, significant, expected):
    assert agreeing(interval, estimate, significant) == expected
