"""Mutation tests over a seeded sample, `make mutants`: how many planted faults the tests of five packages notice.

mutmut plants one fault at a time (an operator, number, argument or text) in a copy of the checkout and runs the tests
that reach the changed function. The sample is drawn in equal shares from the packages; a package with fewer mutants
gives all of them. A mutant that no test reaches is a survivor. Prints the score by package and each survivor with its
change. A second run goes on where the first was stopped, and tries survivors again with the tests as they are now; to
start anew, remove the folder mutants/. Settings: [tool.mutmut] in pyproject.toml.

    python -m tests.mutants [--mutants 400] [--seed 0] [--jobs 2]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "evaluation/statistics",
    "evaluation/verdicts",
    "evaluation/ranking",
    "evaluation/metrics",
    "recsys_data/protocols",
)
COPY = Path("mutants")
NOTICED = (1, 3, 24, -24, 36, 152, 255)  # mutmut's exit codes: a test failed, pytest failed, time ran out


def mutmut(*words: str) -> None:
    """Run mutmut with this interpreter; its own exit code says nothing of survivors."""
    subprocess.run([sys.executable, "-m", "mutmut", *words], check=False)


def exit_codes() -> dict[str, int | None]:
    """Exit code of each mutant by its name; None for one that did not run."""
    found: dict[str, int | None] = {}
    for package in PACKAGES:
        for meta in sorted((COPY / package).glob("*.py.meta")):
            found |= json.loads(meta.read_text())["exit_code_by_key"]
    return found


def package_of(mutant: str) -> str:
    """The package that a mutant's dotted name lies in."""
    return next(package for package in PACKAGES if mutant.startswith(package.replace("/", ".") + "."))


def sample(mutants: list[str], size: int, seed: int) -> list[str]:
    """Draw ``size`` mutants, in equal shares from the packages as far as these have so many."""
    draw, chosen = random.Random(seed), []
    pools = {package: [m for m in mutants if package_of(m) == package] for package in PACKAGES}
    for left, (_, pool) in zip(range(len(pools), 0, -1), sorted(pools.items(), key=lambda p: len(p[1])), strict=True):
        chosen += draw.sample(pool, min(len(pool), -(-(size - len(chosen)) // left)))
    return sorted(chosen)


def main() -> None:
    """Make the mutants, run the sample, print the score."""
    parser = argparse.ArgumentParser(description="Mutation tests over a seeded sample.")
    parser.add_argument("--mutants", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    mutmut("run", "--max-children", str(options.jobs), "none of this name")  # makes the mutants, runs none
    codes = exit_codes()
    chosen = sample(sorted(codes), options.mutants, options.seed)
    left = [m for m in chosen if codes[m] not in NOTICED]
    if left:
        mutmut("run", "--max-children", str(options.jobs), *left)
    codes = exit_codes()
    survivors = [m for m in chosen if codes[m] not in NOTICED]
    print(f"\n{'package':28} {'mutants':>8} {'killed':>8} {'score':>7}")
    for package in (*PACKAGES, "all"):
        here = [m for m in chosen if package in ("all", package_of(m))]
        killed = sum(m not in survivors for m in here)
        print(f"{package:28} {len(here):8} {killed:8} {killed / max(len(here), 1):7.1%}")
    for mutant in survivors:
        print(f"\n## {mutant}: exit code {codes[mutant]}", flush=True)
        mutmut("show", mutant)


if __name__ == "__main__":
    main()
