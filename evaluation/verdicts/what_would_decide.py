"""The sentence that says how many test users or seeds would decide an open test of two methods."""

from __future__ import annotations

from evaluation.printed_numbers import format_number
from evaluation.statistics.crossed import MethodTest
from evaluation.statistics.needed_sizes import POWER, needed_sizes


def what_would_decide(test: MethodTest, num_users: int, num_seeds: int, level: float) -> str:
    """Say what would show a difference of the size that was found, after a space; empty where nothing does.

    For the arguments see needed_sizes.
    """
    sizes = needed_sizes(test, num_users, num_seeds, level)
    if sizes is None:
        return ""
    ways = []
    if sizes.users is not None:
        ways.append(f"about {_rounded(sizes.users)} test users (here {num_users:,})")
    if sizes.seeds is not None:
        ways.append(f"about {_rounded(sizes.seeds)} seeds (here {num_seeds})")
    if not ways and sizes.times is not None:
        ways.append(f"about {_rounded(sizes.times)} times as many test users and seeds")
    return f" To show it with probability {100 * POWER:.0f} % takes {' or '.join(ways)}." if ways else ""


def _rounded(number: int) -> str:
    """A whole number with two digits that count."""
    return str(number) if number < 100 else format_number(number, 2)
