"""TOST by hand and against statsmodels, and the number of seeds that decides."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

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


@pytest.mark.parametrize(
    ("low", "high", "zone"),
    [
        (-0.049, 0.048, EquivalenceZone.LENIENT),  # ±5 % is ± log 1.05 = ±.0488: the lower end is just outside
        (-0.048, 0.049, EquivalenceZone.LENIENT),
        (-0.048, 0.048, EquivalenceZone.STRICT),
        (-0.096, 0.095, EquivalenceZone.OPEN),  # ± log 1.1 = ±.0953
        (-0.095, 0.096, EquivalenceZone.OPEN),
        (0.095, 0.2, EquivalenceZone.OPEN),
        (0.096, 0.2, EquivalenceZone.ABOVE),
        (-0.2, -0.095, EquivalenceZone.OPEN),
        (-0.2, -0.096, EquivalenceZone.BELOW),
    ],
)
def test_each_end_of_an_interval_counts(low, high, zone):
    # an interval from rounding alone: the published value u ± h has log ends −log(u + h) and −log(u − h)
    above, below = math.exp(-low), math.exp(-high)
    found = tost(1.0, (above + below) / 2, (above - below) / 2, [])
    assert found.interval == pytest.approx((math.exp(low), math.exp(high)))
    assert found.rounding == pytest.approx((high - low) / 2)
    assert found.ratio == pytest.approx(2 / (above + below))
    assert found.zone is zone


def test_seed_noise_by_hand():
    # s = 2 %: the paper's P runs and the rerun's S seeds have variances s² / P and s² / S
    (few,) = seed_noise(0.02, 3, 4)
    assert (few.name, few.df) == ("the few seeds of the rerun", 2)
    assert few.variance == pytest.approx(0.0004 * (1 / 4 + 1 / 3))
    assert seed_noise(0.02, 4, 4)[0].name == "the few seeds of the rerun"
    assert seed_noise(0.02, 5, 4)[0].name == "the paper's 4 runs"
    assert seed_noise(0.02, 2, 1)[0].name == "the paper's single run"
    assert seed_noise(0.0, 3, 1) == []


def test_the_largest_source_dominates():
    # sources count by their SD; the half-width of the rounding counts as a 90 % interval, 1.645 SD
    noise = [Noise("seeds", 0.01**2, 4), Noise("the test sample", 0.02**2, 99)]
    assert tost(1.0, 1.0, 0.0, noise).dominant == "the test sample"
    assert tost(1.0, 1.0, 0.0, noise[:1]).dominant == "seeds"
    assert tost(1.0, 1.0, 0.032, noise).dominant == "the test sample"  # .032 / 1.645 = .0195
    assert tost(1.0, 1.0, 0.034, noise).dominant == "the rounding of the published value"  # .0207


@pytest.mark.parametrize("values", [(0.0, 0.1, 0.0), (-0.1, 0.1, 0.0), (0.1, 0.05, 0.05), (0.1, 0.1, -0.01)])
def test_a_ratio_needs_values_above_their_rounding(values):
    with pytest.raises(ValueError, match="above 0"):
        tost(*values, [])


def test_other_noise_counts_for_the_number_of_seeds():
    margins = {"strict": 0.05, "lenient": 0.05}
    other = [Noise("the test sample", 0.02**2, 10**6)]
    alone = seeds_to_decide(1.0, 1.0, 0.0, 0.025, 2, **margins)
    both = seeds_to_decide(1.0, 1.0, 0.0, 0.025, 2, other, **margins)
    zones = [tost(1.0, 1.0, 0.0, [*seed_noise(0.025, n, 2), *other], **margins).zone for n in (both - 1, both)]
    assert (alone, both) == (5, 7)
    assert zones == [EquivalenceZone.OPEN, EquivalenceZone.STRICT]
    assert seeds_to_decide(1.0, 1.0, 0.0, 0.0001, 1) == 2  # two seeds are the fewest
