"""What a command line's words mean: an order to run, the name that results are stored under."""

from pathlib import Path
from typing import Any

ALL = "all"


def make_order(suite: str, results: Path, data: Path | None, threads: int = 1, **words: Any) -> Any:
    """The order that the words of a command line mean; threads are set before the heavy libraries load."""
    from harness.system.determinism import set_environment

    set_environment(threads)
    from harness.suites.request import Order

    return Order.of_words(suite, results, data, threads=threads, **words)


def named_suites(suite: str) -> list[str]:
    """The suites that a word means: all of the checkout, or the one."""
    if suite != ALL:
        return [suite]
    from harness.suites.load import suite_names

    return suite_names()


def stored_name(suite: str) -> str:
    """The name that a suite's results are stored under: a user's file is loaded to learn it."""
    if "/" not in suite and not suite.endswith(".py"):
        return suite
    from harness.suites.load import load_suite

    return load_suite(suite).name
