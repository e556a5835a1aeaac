"""Tests that other tools print, each with the reason why it does not decide here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")


@dataclass(frozen=True)
class Alternative:
    """A named test: its two-sided p and the warning to print beside it."""

    name: str
    p: float
    warning: str


@dataclass(frozen=True)
class NaiveTest:
    """The paired t-test that assumes independent events: error, p, and the design effect; shown for contrast."""

    error: float
    p: float
    design_effect: float
    warning: str = "assumes that the events of a user are independent, so it rejects far too often"


def event_level_test(differences: np.ndarray, cluster_error: float) -> NaiveTest:
    """Test event differences (N,); the design effect is the clustered variance over the naive one."""
    num = len(differences)
    error = float(differences.std(ddof=1) / np.sqrt(num)) if num > 1 else 0.0
    if error == 0:
        return NaiveTest(0.0, 1.0 if not differences.any() else float(np.finfo(float).tiny), 1.0)
    p = float(2 * special.stdtr(num - 1, -abs(float(differences.mean())) / error))
    return NaiveTest(error, p, (cluster_error / error) ** 2)


def wilcoxon(means_a: np.ndarray, means_b: np.ndarray) -> Alternative:
    """Wilcoxon's signed-rank test on user means (G,)."""
    from scipy import stats  # here, since it takes a second to import

    differences = means_a - means_b
    p = float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
    warning = "does not test the mean, and is unreliable with many users and many ties; do not decide by it"
    return Alternative("Wilcoxon signed-rank over users", p, warning)


def paired_t(means_a: np.ndarray, means_b: np.ndarray) -> Alternative:
    """The paired t-test on user means (G,): the macro estimand."""
    from scipy import stats

    differences = means_a - means_b
    p = float(stats.ttest_1samp(differences, 0.0).pvalue) if np.ptp(differences) > 0 else float(not differences.any())
    warning = "weighs users equally (macro), so it can disagree with the reported mean over events"
    return Alternative("paired t-test over users", p, warning)
