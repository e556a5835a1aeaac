"""Adjusted p-values against statsmodels and by hand."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from evaluation.statistics.multiplicity import MaxT, benjamini_hochberg, holm, holm_divisors


@pytest.fixture(autouse=True)
def no_collection(monkeypatch):
    """Skip the collection of garbage with which statsmodels begins each call."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_adjustments_are_those_of_statsmodels(size):
    rng = np.random.default_rng(size)
    for p in rng.beta(0.5, 2, (3, size)):
        p = np.round(p, 2)  # equal values among them
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-12)
        np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)


def test_step_down_and_step_up_where_a_peer_errs():
    # Holm: 0.030 · 2 = 0.06 and max(0.06, 0.04): neither is rejected. BH: all four of 0.020 … 0.023 are
    assert holm([0.030, 0.040]).tolist() == pytest.approx([0.06, 0.06])
    assert (benjamini_hochberg([0.020, 0.021, 0.022, 0.023]) < 0.05).all()
    np.testing.assert_array_equal(holm([0.03, np.nan, 0.01]), [0.03, np.nan, 0.02])


def test_the_divisors_of_holm_by_hand():
    # .010 < .05 / 4, .016 < .05 / 3, .030 ≥ .05 / 2: two are rejected, and .030 and .040 stop at a divisor of 2
    assert holm_divisors([0.040, 0.010, np.nan, 0.030, 0.016], 0.05).tolist() == [2, 4, 1, 2, 3]
    assert holm_divisors([0.2, 0.9], 0.05).tolist() == [2, 2]
    assert holm_divisors([0.01, 0.01], 0.05).tolist() == [2, 1]
    assert holm_divisors([], 0.05).tolist() == []


def test_a_p_below_its_share_of_alpha_is_one_whose_adjusted_p_is_below_alpha():
    rng = np.random.default_rng(3)
    for p in rng.beta(0.3, 3, (300, 7)):
        np.testing.assert_array_equal(p < 0.05 / holm_divisors(p, 0.05), multipletests(p, 0.05, method="holm")[0])


def test_max_t_by_hand():
    # |t| 3, 1, 2; ordered 3, 2, 1. The largest null |t| among the hypotheses from each place on: flips (1, 2, 0) →
    # 2, 2, 2; (4, 0, 1) → 4, 1, 0; (0, 1, 2) → 2, 2, 1; exceeded 1, 2, 2 of 3, so p = 2/4, 3/4, 3/4
    found = MaxT(np.array([3.0, 1.0, 2.0]), 1e-9)
    found.add(np.array([[1.0, 2.0, 0.0], [4.0, 0.0, 1.0]]))
    found.add(np.array([[0.0, 1.0, 2.0]]))
    assert found.adjusted().tolist() == [2 / 4, 3 / 4, 3 / 4]
    assert found.critical(0.95) == 4.0
    assert found.critical(0.5) == 2.0  # the largest of each flip: 2, 4, 2


def test_max_t_is_monotone_and_counts_ties():
    # |t| 2 and 1: no flip reaches 2, so p = 1/3; of the second alone, both flips tie with 1, so p = 3/3
    found = MaxT(np.array([2.0, 1.0]), 1e-9)
    found.add(np.array([[0.0, 1.0], [0.5, 1.0 - 1e-10]]))
    assert found.adjusted().tolist() == [1 / 3, 1.0]
    # the smaller |t| is never exceeded, but its p is not below that of the larger one
    found = MaxT(np.array([2.0, 1.0]), 1e-9)
    found.add(np.array([[3.0, 0.5], [0.0, 0.5]]))
    assert found.adjusted().tolist() == [2 / 3, 2 / 3]


def test_max_t_of_an_empty_family():
    found = MaxT(np.empty(0), 1e-9)
    found.add(np.empty((5, 0)))
    assert (found.adjusted().tolist(), found.critical()) == ([], 0.0)


def test_adjusted_p_values_are_at_most_one():
    assert holm([0.6, 0.9, 0.9]).tolist() == [1.0, 1.0, 1.0]
    assert benjamini_hochberg([1.0, 0.9]).tolist() == [1.0, 1.0]
    assert holm([np.nan, np.nan]).tolist() == pytest.approx([np.nan, np.nan], nan_ok=True)
    assert holm([]).tolist() == []
