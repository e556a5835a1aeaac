"""Worker processes of their own for each test."""

import pytest


@pytest.fixture(autouse=True)
def fresh_workers():
    """End the idle workers of an earlier test: a worker keeps the environment that it was started with."""
    from joblib.externals.loky import reusable_executor

    if reusable_executor._executor is not None:
        reusable_executor._executor.shutdown(wait=True, kill_workers=True)
