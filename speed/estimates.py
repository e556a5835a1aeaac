"""Estimates against actual times: three suites, each in an empty folder, with nothing compiled in the first.

    OMP_NUM_THREADS=1 python -m speed.estimates [--jobs 2]     ENCORE_DATA as for a run

Each is planned, which prepares its data, and run with report and MLflow. Prints the table of docs/scale.md. The machine
should do nothing else; it takes up to 8 minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.running.plan import make_plan
from harness.store import Store
from harness.suites.request import RunRequest
from speed.timing import machine, require_one_thread

ROOT = Path(__file__).resolve().parent.parent
FACTOR = 1.5  # bound
RUNS = {
    "quickstart": {},
    "session_baselines": {"limit_users": 300},
    "zoo": {"limit_users": 100, "only": "*/*LSTM"},
}


def estimated(suite: str, options: Mapping[str, Any], results: Path, jobs: int) -> tuple[int, float]:
    """The cells to compute and the estimated seconds of the run; the data are prepared."""
    plan = make_plan(RunRequest.from_cli(suite, results, None, **options).load(), Store.view(results))
    return len(plan.to_do), plan.cost(jobs).seconds


def run(suite: str, options: Mapping[str, Any], results: Path, jobs: int) -> float:
    """The wall seconds of the run."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = ["benchmark.py", "run", suite, *words, "--jobs", str(jobs), "--results", str(results)]
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print one row per suite."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2)
    jobs = parser.parse_args().jobs
    require_one_thread()
    print(f"{machine()}, {jobs} jobs; no kernel is compiled before the first\n")
    print("| suite | cells | estimate | actual | factor |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as kernels:
        os.environ["NUMBA_CACHE_DIR"] = kernels
        for suite, options in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                cells, estimate = estimated(suite, options, Path(folder), jobs)
                actual = run(suite, options, Path(folder), jobs)
            factor = max(estimate / actual, actual / estimate)
            name = " ".join([suite, *(f"{option}={value}" for option, value in options.items())])
            print(f"| {name} | {cells} | {estimate:.0f} s | {actual:.0f} s | {factor:.2f}, "
                  f"{'met' if factor <= FACTOR else 'MISSED'} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
