"""Calibration: error rates of each test on simulated data. Run it with ``python -m studies.calibration``.

The numbers come from the functions that reports use, on simulated test sets with fixed seeds, so the same program
prints the same table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.crossed import crossed_test
from evaluation.statistics.equivalence import EquivalenceZone, seed_noise, tost
from evaluation.statistics.multiplicity import holm
from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import cluster_bootstrap, cluster_errors, sign_flip_test
from studies.simulation import event_counts, hit_differences, seed_runs

SIMULATIONS = 10_000
BATCH = 250  # simulated pairs that share one test set and one sign matrix
CLUSTERS = (30, 100, 300, 1000, 10_000)
SEEDS = (3, 5, 10)
FLIPS = 999
RESAMPLES = 999
GAIN = 0.05

Row = tuple[str, ...]


def users_table(simulations: int) -> Iterator[Row]:
    """Rejections at 5 % and coverage of 95 % intervals of the user-level tests, with two models on one test set."""
    yield ("clusters", "models", "sign flips", "t, clustered", "t, events", "covered: bootstrap", "covered: ± 1.96 SE")
    for kind, label in (("null", "equal"), ("skewed", "equal, skewed"), ("gain", "A 5 % better")):
        for num in CLUSTERS:
            rng = np.random.default_rng([1, num, len(kind)])
            seen = np.zeros(5)
            for start in range(0, simulations, BATCH):
                seen += _users_batch(num, min(BATCH, simulations - start), kind, rng)
            yield (f"{num:,}", label, *(f"{100 * share:.1f} %" for share in seen / simulations))


def _users_batch(num: int, size: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Count in one batch: rejections by flips, clustered t, event t; coverage by bootstrap, by normal."""
    counts = event_counts(num, rng)
    gain = GAIN if kind == "gain" else 0.0
    differences, squares, truth = hit_differences(counts, size, gain, kind == "skewed", rng)
    sums = np.hstack([np.zeros((num, 1)), differences])
    paired = PairedSums(tuple(map(str, range(size + 1))), np.arange(num), counts, sums)
    pairs = np.stack([np.arange(1, size + 1), np.zeros(size, dtype=np.int64)], axis=1)
    theta, errors = paired.means[1:], cluster_errors(differences, counts)
    total = counts.sum()
    naive = np.sqrt((squares / total - theta**2) / (total - 1))
    flips = sign_flip_test(paired, pairs, flips=FLIPS)
    ends = cluster_bootstrap(paired, pairs, resamples=RESAMPLES).pair_intervals()
    critical = stats.t.ppf(0.975, [num - 1, total - 1])
    return np.array(
        [
            (flips.p <= 0.05).sum(),
            (np.abs(theta) > critical[0] * errors).sum(),
            (np.abs(theta) > critical[1] * naive).sum(),
            ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).sum(),
            (np.abs(theta - truth) <= 1.959964 * errors).sum(),
        ]
    )


def methods_table(simulations: int) -> Iterator[Row]:
    """Rejections at 5 % and coverage of the users × seeds test, and of the user-only test on the same runs."""
    yield ("clusters", "seeds", "seed SD", "methods", "users × seeds", "interaction twice", "users only", "covered")
    cells = [(num, 3, 0.0, 0.0) for num in CLUSTERS if num != 300]
    cells += [(num, seeds, 0.01, 0.0) for num in CLUSTERS if num != 300 for seeds in SEEDS]
    cells += [(num, seeds, 0.01, GAIN) for num in (1000, 10_000) for seeds in SEEDS]
    for num, seeds, deviation, gain in cells:
        rng = np.random.default_rng([2, num, seeds, int(1000 * deviation), int(100 * gain)])
        seen = np.zeros(4)
        for _ in range(simulations):
            runs = seed_runs(event_counts(num, rng), seeds, deviation, (gain, 0.0), rng)
            found = crossed_test(*runs)
            fixed = [[_averaged(method)] for method in runs]
            users = crossed_test(*fixed, deterministic=(True, True))
            truth = gain * 0.3
            covered = found.interval[0] <= truth <= found.interval[1]
            seen += [found.p < 0.05, found.p_conservative < 0.05, users.p < 0.05, covered]
        label = "A 5 % better" if gain else "equal"
        shares = (f"{100 * share:.1f} %" for share in seen / simulations)
        yield (f"{num:,}", str(seeds), f"{deviation:.0%}", label, *shares)


def _averaged(runs: list[ClusterSums]) -> ClusterSums:
    return ClusterSums(runs[0].clusters, np.mean([run.sums for run in runs], axis=0), runs[0].counts)


def family_table(simulations: int) -> Iterator[Row]:
    """How often a family of ten comparisons of five equal models has any rejection at 5 %."""
    yield ("clusters", "raw p", "Holm", "max-T")
    pairs = np.array([(a, b) for a in range(5) for b in range(a + 1, 5)])
    for num in (30, 100, 1000):
        rng = np.random.default_rng([3, num])
        seen = np.zeros(3)
        for _ in range(simulations):
            counts = event_counts(num, rng)
            users = rng.normal(0, 1, (num, 1))
            rates = 1 / (1 + np.exp(1.0 - users - rng.normal(0, 0.5, (num, 5))))
            sums = rng.binomial(counts[:, None], rates).astype(np.float64)
            found = sign_flip_test(PairedSums(tuple("ABCDE"), np.arange(num), counts, sums), pairs, flips=FLIPS)
            smallest = found.p.min(), holm(found.p).min(), found.p_max_t.min()
            seen += [p <= 0.05 for p in smallest]
        yield (f"{num:,}", *(f"{100 * share:.1f} %" for share in seen / simulations))


def levels_table(simulations: int) -> Iterator[Row]:
    """How often TOST concludes REPRODUCED where the true ratio is at a margin, and where it is 1."""
    yield ("seeds", "seed SD", "at +5 %: strict", "at +10 %: lenient", "right: strict", "right: lenient")
    for seeds in SEEDS:
        for deviation in (0.005, 0.01, 0.03):
            rng = np.random.default_rng([4, seeds, int(1000 * deviation)])
            shares = []
            for ratio, levels in (
                (1.05, (EquivalenceZone.STRICT,)),
                (1.10, (EquivalenceZone.STRICT, EquivalenceZone.LENIENT)),
                (1.0, (EquivalenceZone.STRICT,)),
                (1.0, (EquivalenceZone.STRICT, EquivalenceZone.LENIENT)),
            ):
                logs = rng.normal(np.log(0.2 * ratio), deviation, (simulations, seeds))
                paper = np.exp(rng.normal(np.log(0.2), deviation, simulations))
                count = 0
                for run, published in zip(np.exp(logs), paper, strict=True):
                    noise = seed_noise(float(run.std(ddof=1) / run.mean()), seeds, 1)
                    count += tost(float(run.mean()), float(published), 0.0, noise).zone in levels
                shares.append(f"{100 * count / simulations:.1f} %")
            yield (str(seeds), f"{deviation:.1%}", *shares)


TABLES: dict[str, tuple[str, Callable[[int], Iterator[Row]]]] = {
    "users": ("User-level tests of two models", users_table),
    "methods": ("Users × seeds", methods_table),
    "family": ("Family-wise error of ten comparisons", family_table),
    "levels": ("Equivalence: how often the verdict is REPRODUCED", levels_table),
}


def main() -> None:
    """Print the chosen tables in Markdown, each with its run time."""
    parser = argparse.ArgumentParser(prog="python -m studies.calibration", description=main.__doc__)
    parser.add_argument(
        "--simulations", type=int, default=SIMULATIONS, help="simulations per row (default %(default)s)"
    )
    parser.add_argument("--table", choices=list(TABLES), action="append", help="one table only; may be repeated")
    chosen = parser.parse_args()
    for name in chosen.table or list(TABLES):
        title, table = TABLES[name]
        started = time.process_time()
        print(f"\n### {title}\n\n{(table.__doc__ or '').strip()} {chosen.simulations:,} simulations per row.\n")
        for number, row in enumerate(table(chosen.simulations)):
            print("| " + " | ".join(row) + " |", flush=True)
            if number == 0:
                print("|" + " ---: |" * len(row))
        print(f"\n({time.process_time() - started:.0f} s on one thread.)", flush=True)


if __name__ == "__main__":
    main()
