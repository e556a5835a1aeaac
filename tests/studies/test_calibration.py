"""The calibration at small size: the rates that docs/statistics.md promises, within simulation error."""

import numpy as np
import pytest

from studies import calibration
from studies.simulation import event_counts, hit_differences, seed_runs


def shares(row, labels):
    return [float(cell.rstrip(" %")) for cell in row[labels:]]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(calibration, "CLUSTERS", (100,))
    monkeypatch.setattr(calibration, "SEEDS", (3,))


def test_user_level_rates(small):
    equal, skewed, better = [shares(row, 2) for row in list(calibration.users_table(1000))[1:]]
    assert 3.0 < equal[0] < 7.2  # 5 % ± 3 standard errors of 1,000 simulations
    assert equal[2] > 9.0  # the event-level test
    assert equal[3] > 92.5
    assert skewed[2] > 15.0
    assert better[0] > equal[0]


def test_method_level_rates(monkeypatch):
    monkeypatch.setattr(calibration, "CLUSTERS", (100, 10_000))
    monkeypatch.setattr(calibration, "SEEDS", (3,))
    rows = list(calibration.methods_table(200))[1:]
    assert [row[:4] for row in rows[:4]] == [
        ("100", "3", "0%", "equal"), ("10,000", "3", "0%", "equal"), ("100", "3", "1%", "equal"),
        ("10,000", "3", "1%", "equal")]  # fmt: skip
    for row in rows[:4]:  # equal methods: 5 % or less, and not far less; 200 simulations have a standard error of 1.5 %
        once, twice, users, covered = shares(row, 4)
        assert 0.5 <= once <= 9.0
        assert twice <= once + 1.0
        assert covered == pytest.approx(100 - once)
    assert all(shares(row, 4)[1] <= shares(row, 4)[0] for row in (rows[0], rows[2]))
    assert shares(rows[0], 4)[2] < 9.0  # without seed noise, a user-only test is right
    assert shares(rows[3], 4)[2] > 35.0  # with many users and seed noise, it rejects equal methods half of the time
    for row in rows[4:]:  # A is 5 % better
        once, twice, users, covered = shares(row, 4)
        assert 70.0 < once <= users
        assert abs(once - twice) < 4.0
        assert 88.0 <= covered <= 99.0


def test_equivalence_rates(small):
    for row in list(calibration.levels_table(1000))[1:]:
        strict, lenient, right, right_lenient = shares(row, 2)
        assert strict < 7.2
        assert lenient < 7.2
        assert right <= right_lenient


def test_family_wise_rates():
    row = shares(list(calibration.family_table(300))[1], 1)
    assert row[0] > 15.0
    assert row[1] < 9.0
    assert row[2] < 9.0


def test_the_simulated_truth_is_what_it_says():
    rng = np.random.default_rng(0)
    counts = event_counts(4000, rng)
    assert counts.min() >= 1
    assert counts.mean() == pytest.approx(9.0, abs=0.5)
    for gain, skewed in ((0.0, False), (0.0, True), (0.05, False)):
        differences, squares, truth = hit_differences(counts, 20, gain, skewed, rng)
        mean = differences.sum(axis=0) / counts.sum()
        assert mean.mean() == pytest.approx(truth, abs=0.003)
        assert (squares >= np.abs(differences.sum(axis=0))).all()
    a, b = seed_runs(counts, 5, 0.01, (0.05, 0.0), rng)
    assert np.mean([r.micro for r in a]) - np.mean([r.micro for r in b]) == pytest.approx(0.015, abs=0.006)
