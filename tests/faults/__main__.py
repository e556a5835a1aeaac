"""Trials of the store under faults, `make faults`: every kind, tried / held / failed, into docs/reliability.md.

    python -m tests.faults [--only NAME] [--scale 1.0] [--seed 0]

Each file beside this one that has a function ``trials(folder, scale, seed)`` holds one kind of fault. Scale 1 is the
documented number of tries; a smaller one is for a quick look and writes nothing. The exit code is 1 where a try failed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import tempfile
from pathlib import Path

from evaluation.results.process_pool import cores
from tests.faults.trial import Trial, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- printed by make faults -->\n", "<!-- end -->\n"
NAMES = ("damage", "kills", "misbehaviour", "tracking", "texts", "fuzz")


def run(name: str, scale: float, seed: int) -> list[Trial]:
    """Run one kind's trials in a folder of its own."""
    module = importlib.import_module(f"tests.faults.{name}")
    found = []
    with tempfile.TemporaryDirectory(prefix="encore-faults-") as folder:
        for trial in module.trials(Path(folder), scale, seed):
            found.append(trial)
            print(f"{trial.what}: tried {trial.tried}, held {trial.held}, failed {len(trial.failures)}", flush=True)
            for failure in trial.failures[:20]:
                print(f"    {failure}", flush=True)
    return found


def write(trials: list[Trial], page: Path = PAGE) -> None:
    """Replace the page's table by these trials."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    machine = f"Python {platform.python_version()}, {cores()} cores, {platform.machine()}."
    page.write_text(f"{before}{BEGIN}{table(trials)}\n\n{machine}\n{END}{after}")


def main() -> int:
    """Run the trials, print and write what they found; 1 where a try failed."""
    parser = argparse.ArgumentParser(description="Trials of the store under faults.")
    parser.add_argument("--only", choices=NAMES, action="append", help="one kind of fault; may be repeated")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the documented number of tries")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    trials = [trial for name in options.only or NAMES for trial in run(name, options.scale, options.seed)]
    if options.only is None and options.scale == 1:
        write(trials)
        print(f"written to {PAGE}")
    return int(any(trial.failures for trial in trials))


if __name__ == "__main__":
    raise SystemExit(main())
