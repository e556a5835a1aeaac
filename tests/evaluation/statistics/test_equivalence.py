"""TOST by hand, the words for a difference, and what more seeds could decide."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from evaluation.statistics.effects import (
    Conclusion,
    Shares,
    conclude,
    relative_difference,
    smallest_detectable_difference,
)
from evaluation.statistics.equivalence import EquivalenceZone, Noise, seed_noise, seeds_to_decide, tost


def test_interval_by_hand():
    # s = 1 %, S = 5, the paper's single run: SE = .01 · √1.2, t₄ = 2.132: half-width 2.34 %
    found = tost(0.05, 0.05, 0.0, seed_noise(0.01, 5, 1))
    half = stats.t.ppf(0.95, 4) * 0.01 * math.sqrt(1.2)
    assert half == pytest.approx(0.0234, abs=1e-4)
    assert found.interval == pytest.approx((math.exp(-half), math.exp(half)))
    assert found.zone is EquivalenceZone.STRICT


@pytest.mark.parametrize(
    ("ratio", "half", "level"),
    [
        (1.00, 0.04, EquivalenceZone.STRICT),
        (1.00, 0.06, EquivalenceZone.LENIENT),
        (1.07, 0.01, EquivalenceZone.LENIENT),  # wholly outside strict, inside lenient
        (1.09, 0.03, EquivalenceZone.OPEN),  # outside strict and straddling lenient
        (1.00, 0.15, EquivalenceZone.OPEN),
        (1.20, 0.05, EquivalenceZone.ABOVE),
        (0.80, 0.05, EquivalenceZone.BELOW),
    ],
)
def test_where_an_interval_lies(ratio, half, level):
    noise = [Noise("all", (half / stats.norm.ppf(0.95)) ** 2, 10**9)]
    assert tost(ratio, 1.0, 0.0, noise).zone is level


def test_the_margin_is_symmetric_in_logs():
    noise = [Noise("all", 1e-12, 9)]
    assert tost(1.0499, 1.0, 0.0, noise).zone is EquivalenceZone.STRICT
    assert tost(1 / 1.0499, 1.0, 0.0, noise).zone is EquivalenceZone.STRICT
    assert tost(1 / 1.0501, 1.0, 0.0, noise).zone is EquivalenceZone.LENIENT


def test_rounding_widens_and_a_deterministic_rerun_has_nothing_else():
    # 0.1 printed to one decimal may be 0.05 … 0.15: the ratio 1 may be 2/3 … 2
    found = tost(0.1, 0.1, 0.05, [])
    assert found.interval == pytest.approx((0.1 / 0.15, 0.1 / 0.05))
    assert found.zone is EquivalenceZone.OPEN
    assert found.dominant == "the rounding of the published value"
    assert tost(0.0626, 0.06255, 0.000005, []).zone is EquivalenceZone.STRICT


def test_two_sources_join_by_welch_and_satterthwaite():
    noise = [*seed_noise(0.02, 3, 1), Noise("the test sample", 0.0004, 100)]
    seeds = 0.0004 * (1 + 1 / 3)
    df = (seeds + 0.0004) ** 2 / (seeds**2 / 2 + 0.0004**2 / 100)
    half = stats.t.ppf(0.95, df) * math.sqrt(seeds + 0.0004)
    assert tost(1.0, 1.0, 0.0, noise).interval == pytest.approx((math.exp(-half), math.exp(half)))


def test_statsmodels_tost_draws_the_same_line():
    # without the paper's noise the decision on logs is the one-sample TOST; statsmodels says p at the margin
    rng = np.random.default_rng(0)
    for scale in (0.005, 0.02, 0.04, 0.08):
        logs = rng.normal(0.01, scale, 6)
        p, _, _ = ttost_paired(logs, np.zeros(6), -math.log(1.05), math.log(1.05))
        noise = [Noise("seeds", float(logs.var(ddof=1)) / 6, 5)]
        level = tost(math.exp(logs.mean()), 1.0, 0.0, noise, lenient=0.05).zone
        assert (level is EquivalenceZone.STRICT) == (p < 0.05)


def test_seeds_that_would_decide():
    only_strict = {"strict": 0.05, "lenient": 0.05}
    needed = seeds_to_decide(1.0, 1.0, 0.0, 0.02, 1, **only_strict)
    assert tost(1.0, 1.0, 0.0, seed_noise(0.02, needed, 1), **only_strict).zone is EquivalenceZone.STRICT
    assert tost(1.0, 1.0, 0.0, seed_noise(0.02, needed - 1, 1), **only_strict).zone is EquivalenceZone.OPEN
    # the paper's single run: undecidable once the SD passes log(1.05) / 1.645 = 2.97 %
    assert math.log(1.05) / stats.norm.ppf(0.95) == pytest.approx(0.0297, abs=5e-5)
    assert seeds_to_decide(1.0, 1.0, 0.0, 0.0294, 1, **only_strict) is not None
    assert seeds_to_decide(1.0, 1.0, 0.0, 0.0298, 1, **only_strict) is None
    assert seeds_to_decide(1.0, 1.0, 0.0, 0.0298, 10, **only_strict) is not None  # had the paper run ten


def test_ratios_need_positive_values():
    with pytest.raises(ValueError, match="above 0"):
        tost(0.0, 0.1, 0.0, [])


def test_each_word_needs_the_test_and_the_margin():
    assert conclude(0.01, 0.12, (0.05, 0.2)) is Conclusion.BETTER
    assert conclude(0.01, -0.12, (-0.2, -0.05)) is Conclusion.WORSE
    assert conclude(0.2, 0.12, (-0.05, 0.3)) is Conclusion.INCONCLUSIVE  # large, not significant
    assert conclude(0.001, 0.045, (0.01, 0.08)) is Conclusion.INCONCLUSIVE  # significant, of unclear relevance
    assert conclude(0.001, 0.02, (0.01, 0.03)) is Conclusion.EQUAL  # significant and irrelevant
    assert conclude(0.9, 0.0, (-0.02, 0.02)) is Conclusion.EQUAL
    assert conclude(0.9, 0.03, (-0.02, 0.03), margin=0.02) is Conclusion.INCONCLUSIVE
    assert conclude(None, 0.5, (0.3, 0.7)) is Conclusion.INCONCLUSIVE
    assert conclude(0.01, 0.12, (0.05, 0.2), higher_is_better=False) is Conclusion.WORSE
    assert conclude(0.01, math.inf, (math.nan, math.nan)) is Conclusion.BETTER


def test_effect_sizes_by_hand():
    shares = Shares.of(np.array([1.0, -2.0, 1e-15, 3.0]), np.ones(4))
    assert (shares.better, shares.tied, shares.worse) == (0.5, 0.25, 0.25)
    assert Shares.of(np.array([1.0, -2.0]), np.ones(2), higher_is_better=False).better == 0.5
    assert relative_difference(0.12, 0.10) == pytest.approx(0.2)
    assert relative_difference(0.1, 0.0) == math.inf
    assert relative_difference(0.0, 0.0) == 0.0
    # power of the two-sided test at 2.8 SE is 80 %
    assert stats.norm.sf(1.959964 - smallest_detectable_difference(1.0)) == pytest.approx(0.8, abs=1e-4)
