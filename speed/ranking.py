"""Counting of greater and tied scores in one fused pass, compared with the product that computes the scores.

    OMP_NUM_THREADS=1 python -m speed.ranking

Both run in turn on the same block of scores (paired), by the CPU clock on one thread. Prints the median over the pairs
of counting / product with its quartiles; the bound is 0.3.
"""

import numpy as np

from evaluation.ranking.counts import count_block
from speed.timing import require_one_thread, seconds

PAIRS = 15
BOUND = 0.3


def measure(num_items: int, dim: int, num_queries: int) -> None:
    """Print one line: the time of the product and the ratio counting / product."""
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((num_queries, dim), dtype=np.float32)
    items = rng.standard_normal((num_items, dim), dtype=np.float32)
    targets = rng.integers(0, num_items, (num_queries, 1))
    excluded = np.full((num_queries, 0), -1)
    scores = queries @ items.T
    found = count_block(scores, targets, excluded)
    marks = np.take_along_axis(scores, targets, 1)
    assert (found.greater == (scores > marks).sum(axis=1, keepdims=True)).all()
    products, ratios, numpy_ratios = [], [], []
    for _ in range(PAIRS):
        product = seconds(lambda: queries @ items.T)
        counting = seconds(lambda: count_block(scores, targets, excluded))
        two_passes = seconds(lambda: ((scores > marks).sum(axis=1), (scores == marks).sum(axis=1)))
        products.append(product)
        ratios.append(counting / product)
        numpy_ratios.append(two_passes / product)
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    print(
        f"V {num_items:>7,}  D {dim:>3}  N {num_queries:>5,}  product {1000 * np.median(products):7.1f} ms   "
        f"fused / product {middle:.3f} ({low:.3f}-{high:.3f})   numpy, two passes {np.median(numpy_ratios):.2f}   "
        f"bound {BOUND}: {'met' if middle <= BOUND else 'MISSED'}"
    )


if __name__ == "__main__":
    require_one_thread()
    for num_items, num_queries in ((3706, 2048), (100_000, 256)):
        for dim in (64, 128):
            measure(num_items, dim, num_queries)
