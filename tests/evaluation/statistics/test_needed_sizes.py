"""How many users or seeds a test needs: by hand, and by the share of simulated tests that find the difference."""

import numpy as np
import pytest
from scipy import stats

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.crossed import MethodTest, crossed_test
from evaluation.statistics.needed_sizes import needed_sizes
from evaluation.verdicts.direction import what_would_decide

DIFFERENCE = 0.02


def method_test(of_users, of_seeds, num_users, num_seeds):
    """The test whose two parts of the variance, and degrees of freedom, are as if each were known."""
    variance = of_users + of_seeds
    spread = of_users**2 / (num_users - 1) + (of_seeds**2 / (2 * (num_seeds - 1)) if of_seeds else 0.0)
    error, df = variance**0.5, variance**2 / spread
    return MethodTest(DIFFERENCE, error, df, 0.2, (-1.0, 1.0), error, df, 0.2, (-1.0, 1.0), of_seeds / variance)


def power(num_users):
    """The power of a one-sample t-test where 100 users have an error of .01, by the noncentral t."""
    error = (1e-4 * 100 / num_users) ** 0.5
    return stats.nct.sf(stats.t.ppf(0.975, num_users - 1), num_users - 1, DIFFERENCE / error)


def test_users_alone_as_by_the_noncentral_t():
    found = needed_sizes(method_test(1e-4, 0.0, 100, 0), 100, 0)
    assert found.seeds is None and found.times == 2
    assert abs(power(found.users) - 0.8) < 0.005 and power(0.9 * found.users) < 0.77


def drawn(rng, num_users, num_seeds, of_users, of_seeds):
    """Two methods' seeds, with the variances of one user's difference and of one seed's mean."""
    users = rng.normal(0.1, (of_users / 2) ** 0.5, (2, num_users)) + np.array([[DIFFERENCE], [0.0]])
    seeds = rng.normal(0.0, of_seeds**0.5, (2, num_seeds))
    ones = np.ones(num_users, dtype=np.int64)
    return [
        [ClusterSums(np.arange(num_users), each + s, ones) for s in own] for each, own in zip(users, seeds, strict=True)
    ]


@pytest.mark.parametrize("kind", ["users", "seeds", "times"])
def test_as_many_tests_find_the_difference_as_they_should(kind):
    num_users, num_seeds = 60, 4
    user, seed = {"users": (0.04, 2e-5), "seeds": (0.001, 4e-4), "times": (0.04, 8e-4)}[kind]  # variances of one
    found = needed_sizes(
        method_test(user / num_users, 2 * seed / num_seeds, num_users, num_seeds), num_users, num_seeds
    )
    if kind == "times":
        assert found.users is None and found.seeds is None
        num_users, num_seeds = found.times * num_users, found.times * num_seeds
    elif kind == "users":
        num_users = found.users
    else:
        num_seeds = found.seeds
    rng = np.random.default_rng(7)
    tests = [crossed_test(*drawn(rng, num_users, num_seeds, user, seed)) for _ in range(600)]
    share = np.mean([test.p < 0.05 and test.estimate > 0 for test in tests])
    assert 0.75 < share < 0.9  # the number is rounded up: at few seeds or times by much


def test_a_stricter_level_takes_more():
    test = method_test(1e-4, 0.0, 100, 0)
    assert needed_sizes(test, 100, 0, level=0.99).users > 1.4 * needed_sizes(test, 100, 0).users


@pytest.mark.parametrize(
    ("of_users", "of_seeds", "ways"),
    [
        (1e-4, 0.0, "about 200 test users (here 100)"),
        (4e-5, 2e-5, "about 150 test users (here 100) or about 7 seeds (here 3)"),
        (1e-6, 1e-4, "about 8 seeds (here 3)"),
        (4e-4, 4e-4, "about 16 times as many test users and seeds"),
    ],
)
def test_the_sentence_names_every_way(of_users, of_seeds, ways):
    seeds = 3 if of_seeds else 0
    found = what_would_decide(method_test(of_users, of_seeds, 100, seeds), 100, seeds, 0.95)
    assert found == f" To show it with probability 80 % takes {ways}."


def test_no_difference_needs_no_number():
    test = MethodTest(0.0, 0.1, 9.0, 1.0, (-1.0, 1.0), 0.1, 9.0, 1.0, (-1.0, 1.0), 0.0)
    assert needed_sizes(test, 10, 0) is None and what_would_decide(test, 10, 0, 0.95) == ""
