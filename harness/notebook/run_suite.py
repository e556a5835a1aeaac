"""Running a suite from Python: run_suite(SUITE, results=…) gives its stored results."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

from evaluation.results.suite_results import SuiteResults, read_suite
from harness.running.listener import RunListener
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.spec import Suite
from harness.store import Store
from harness.suites.load import SuiteNotLoadable, may_be_suite
from harness.suites.request import RunRequest


def run_suite(
    suite: Suite | str | Path,
    *,
    results: str | Path = "results",
    data: str | Path | None = None,
    jobs: int = 1,
    fresh: bool = False,
    mlflow: bool = True,
    **options: Any,
) -> SuiteResults:
    """Compute the missing cells of a suite, as the command ``run`` does, and return its stored results.

    suite: its name, the path of its file, or the value SUITE that was imported from its file. options: those of
    ``RunRequest.from_cli``, such as only, seeds, sets, limit_users, device or precision. A cell that fails does not
    stop the others: each is a warning and an entry of ``failures``. Raises ValueError for a suite or an option that
    cannot be used.
    """
    folder = None if data is None else Path(data)
    request = RunRequest.from_cli(_source(suite), Path(results), folder, **options)
    store = Store.open(Path(results))
    plan = make_plan(request.load(), store, fresh=fresh)
    listeners: list[RunListener] = []
    if mlflow:
        from harness.tracking.run_tracking import MlflowListener

        listeners.append(MlflowListener(plan, store, warnings.warn))
    outcome = run_session(plan, store, listeners, jobs=jobs, fresh=fresh)
    for planned, reason in [*outcome.failed, *outcome.skipped]:
        warnings.warn(f"{planned.cell.label}: {reason}", stacklevel=2)
    return read_suite(store.root, plan.loaded.suite.name)


def _source(suite: Suite | str | Path) -> str:
    """The name or path by which worker processes can load a suite, too."""
    if not isinstance(suite, Suite):
        return str(suite)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        defined = getattr(module, "SUITE", None) is suite and file and Path(file).is_file()
        if defined and may_be_suite(Path(file)):  # not a module that imported it
            return str(Path(file))
    raise SuiteNotLoadable(
        f"the suite {suite.name!r} is in no file, and its cells are computed in processes that load one: write it to a "
        f"file that defines SUITE, such as {suite.name}.py, and give run_suite its path"
    )
