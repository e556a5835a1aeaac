"""Sign-flip tests and the cluster bootstrap, compared with ranx.

    OMP_NUM_THREADS=1 python -m speed.significance [--large]

18 pairs on 6,040 events, one event per user: ranx's Fisher randomisation with 1,000 permutations against 10,000 sign
flips here (studentised, all pairs, max-T with them), run in turn in one process by the CPU clock on one thread. The
bound is 0.33. --large: 70,000 users × 30 models, 100,000 flips and 10,000 resamples in under 2 minutes and 2 GB.
"""

import sys
import time

import numpy as np

from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import cluster_bootstrap, sign_flip_test
from speed.timing import peak_memory, require_one_thread

BOUND = 0.33


def generate_sums(clusters: int, models: int) -> PairedSums:
    """Generate hits of models that differ a little, for users that differ much."""
    rng = np.random.default_rng(0)
    counts = np.ones(clusters, dtype=np.int64)
    rates = 1 / (1 + np.exp(1 - rng.normal(0, 1, (clusters, 1)) - rng.normal(0, 0.02, models)))
    hits = (rng.random((clusters, models)) < rates).astype(np.float64)
    return PairedSums(tuple(f"m{i}" for i in range(models)), np.arange(clusters), counts, hits)


def against_ranx() -> None:
    """Print the times of both libraries, three times in turn."""
    from ranx.statistical_tests import fisher_randomization_test

    sums = generate_sums(6040, 19)
    pairs = np.array([(i, 18) for i in range(18)])
    sign_flip_test(sums, pairs, flips=100)  # compile
    ratios = []
    for _ in range(3):
        started = time.process_time()
        theirs = [fisher_randomization_test(sums.sums[:, a], sums.sums[:, b], 1000) for a, b in pairs]
        middle = time.process_time()
        ours = sign_flip_test(sums, pairs, flips=10_000)
        ended = time.process_time()
        ratios.append((ended - middle) / (middle - started))
        print(
            f"ranx, 1,000 permutations: {middle - started:6.2f} s   here, 10,000 flips: {ended - middle:6.3f} s   "
            f"ratio {ratios[-1]:.4f}"
        )
    apart = max(abs(found[0] - p) for found, p in zip(theirs, ours.p, strict=True))
    print(f"largest difference of p: {apart:.3f} (1,000 permutations leave about ± 0.03)")
    print(f"bound {BOUND}: {'met' if np.median(ratios) <= BOUND else 'MISSED'}")


def large() -> None:
    """Print time and peak memory of all tests that a table of 30 models needs."""
    sums = generate_sums(70_000, 30)
    pairs = np.array([(a, b) for a in range(30) for b in range(a + 1, 30)])
    started = time.process_time()
    sign_flip_test(sums, pairs)
    middle = time.process_time()
    cluster_bootstrap(sums, pairs).pair_intervals()
    ended = time.process_time()
    print(f"70,000 users × 30 models, 435 pairs: flips {middle - started:.1f} s, bootstrap {ended - middle:.1f} s, "
          f"peak {peak_memory():,.0f} MB")  # fmt: skip


if __name__ == "__main__":
    require_one_thread()
    large() if "--large" in sys.argv[1:] else against_ranx()
