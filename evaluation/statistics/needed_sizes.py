"""How many test users or seeds a test of two methods needs to find a difference of the size that was found.

The variance of a difference is the part of G users, which falls as 1 / G, and the part of S seeds, which falls as 1 / S
(``crossed``); both are taken from the test at hand. A two-sided test at a level finds a difference d with probability
80 % where its error is at most |d| / (t_level + t_.80), with the degrees of freedom that it would have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evaluation.statistics.crossed import MethodTest
from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")

POWER = 0.8
MOST = 2**30  # of users, of seeds, and of times as many of both


@dataclass(frozen=True)
class NeededSizes:
    """users: with the seeds at hand; seeds: of each learner, with the users at hand; None where no number suffices.

    times: how many times as many of both.
    """

    users: int | None
    seeds: int | None
    times: int | None


def needed_sizes(test: MethodTest, num_users: int, num_seeds: int, level: float = 0.95) -> NeededSizes | None:
    """Return the least numbers with which a test at ``level`` would find the difference of ``test``, probably.

    num_users: at least 2; num_seeds: of each learner, 0 where both models are deterministic. None for a difference of 0
    or one without variance.
    """
    if test.estimate == 0 or test.error == 0:
        return None
    share, of_users, of_seeds = test.seed_share, (1 - test.seed_share) * test.error**2, test.seed_share * test.error**2
    rest = 1 / test.df - (1 - share) ** 2 / (num_users - 1)  # what Satterthwaite's sum has of the seeds
    df_of_seeds = share**2 / rest if share > 0 and rest > 0 else 1.0

    def finds(users: float, seeds: float) -> bool:
        users_part = of_users * num_users / users
        seeds_part, df = 0.0, users - 1
        if of_seeds > 0:
            seeds_part = of_seeds * num_seeds / seeds
            own = users_part**2 / df + seeds_part**2 / (df_of_seeds * (seeds - 1) / (num_seeds - 1))
            df = (users_part + seeds_part) ** 2 / own
        quantiles = float(special.stdtrit(df, 0.5 + level / 2) + special.stdtrit(df, POWER))
        return abs(test.estimate) >= quantiles * (users_part + seeds_part) ** 0.5

    return NeededSizes(
        users=_least(lambda users: finds(users, num_seeds), at_least=2),
        seeds=_least(lambda seeds: finds(num_users, seeds), at_least=2) if of_seeds > 0 else None,
        times=_least(lambda times: finds(times * num_users, times * num_seeds), at_least=1),
    )


def _least(suffices: Callable[[int], bool], at_least: int) -> int | None:
    """The least number from ``at_least`` to MOST that suffices, as every larger one then does; None if none does."""
    if not suffices(MOST):
        return None
    low, high = at_least, MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low
