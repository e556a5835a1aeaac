"""Start-up: CPU and wall seconds of commands that compute nothing, each in fresh processes.

    OMP_NUM_THREADS=1 python -m speed.startup [--results DIR]     ENCORE_DATA as for a run

Each command runs once to fill the caches (bytecode, hashes of sources, prepared data), then ROUNDS times. Bytecode is
written even where PYTHONDONTWRITEBYTECODE is set: without it each process compiles every file again.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed.timing import machine, require_one_thread

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
BOUNDS = {"plan all": 4.0, "plan quickstart": 1.5, "list models": 1.0, "list suites": 1.0}  # CPU seconds


def seconds(command: str, results: str) -> tuple[float, float]:
    """CPU (user and system) and wall seconds of one command in a fresh process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "ENCORE_RESULTS": results}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run = [sys.executable, "benchmark.py", *command.split()]
    subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main() -> None:
    """Print one line per command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", help="a folder of results [default: an empty one]")
    require_one_thread()
    with tempfile.TemporaryDirectory() as empty:
        results = parser.parse_args().results or empty
        print(f"{machine()}; median of {ROUNDS} processes")
        for command, bound in BOUNDS.items():
            seconds(command, results)
            cpu, wall = zip(*(seconds(command, results) for _ in range(ROUNDS)), strict=True)
            median = statistics.median(cpu)
            print(f"{command:16} CPU {median:5.2f} s ({min(cpu):.2f} to {max(cpu):.2f})   wall "
                  f"{statistics.median(wall):5.2f} s   bound {bound}: {'met' if median <= bound else 'MISSED'}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
