"""The tests of other tools against scipy, and the design effect by hand."""

import numpy as np
import pytest
from scipy import stats

from evaluation.statistics.naive import event_level_test, paired_t, wilcoxon


def test_the_event_level_test_is_the_paired_t_test():
    differences = np.random.default_rng(0).normal(0.1, 1.0, 40)
    found, theirs = event_level_test(differences, 0.5), stats.ttest_1samp(differences, 0.0)
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.error == pytest.approx(theirs.statistic**-1 * differences.mean())
    assert found.design_effect == pytest.approx(0.25 / found.error**2)
    assert event_level_test(-differences, 0.5).p == found.p
    assert "independent" in found.warning


def test_the_design_effect_by_hand():
    # two users of two equal events each, ±1: the event variance is 4/3 / 4 = 1/3, the clustered one 1
    found = event_level_test(np.array([1.0, 1.0, -1.0, -1.0]), 1.0)
    assert found.error == pytest.approx(np.sqrt(1 / 3))
    assert found.design_effect == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([0.0, 0.0], 1.0), ([0.0], 1.0), ([0.5, 0.5], np.finfo(float).tiny), ([0.5], np.finfo(float).tiny)],
)
def test_where_events_do_not_vary(differences, p):
    found = event_level_test(np.array(differences), 0.1)
    assert (found.error, found.p, found.design_effect) == (0.0, p, 1.0)


def test_alternatives_are_those_of_scipy():
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 30))
    signed, paired = wilcoxon(a, b), paired_t(a, b)
    assert signed.p == stats.wilcoxon(a, b).pvalue
    assert paired.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert "do not decide" in signed.warning
    assert "macro" in paired.warning
    assert (wilcoxon(a, a).p, paired_t(a, a).p) == (1.0, 1.0)


def test_two_events_can_be_tested():
    # differences 1 and 3: mean 2, SE = √2 / √2 = 1, t = 2 with one degree of freedom
    found = event_level_test(np.array([1.0, 3.0]), 2.0)
    assert (found.error, found.design_effect) == pytest.approx((1.0, 4.0))
    assert found.p == pytest.approx(2 * stats.t.sf(2, 1))


def test_names_and_warnings_in_full():
    signed, paired = wilcoxon(np.array([1.0, 2.0]), np.zeros(2)), paired_t(np.array([1.0, 2.0]), np.zeros(2))
    assert (signed.name, signed.warning) == (
        "Wilcoxon signed-rank over users",
        "does not test the mean, and is unreliable with many users and many ties; do not decide by it",
    )
    assert (paired.name, paired.warning) == (
        "paired t-test over users",
        "weighs users equally (macro), so it can disagree with the reported mean over events",
    )
    assert event_level_test(np.array([1.0, 2.0]), 1.0).warning == (
        "assumes that the events of a user are independent, so it rejects far too often"
    )
