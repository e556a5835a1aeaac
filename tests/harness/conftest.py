"""No worker of an earlier test is left: it may have imported a suite file that a test wrote anew."""

import pytest


@pytest.fixture(autouse=True)
def _end_workers_of_other_suites():
    """End the idle workers that imported a suite file."""
    from harness.backends.processes import end_idle_workers

    end_idle_workers(of_suites=True)
