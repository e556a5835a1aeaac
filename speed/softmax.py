"""The full softmax loss, forward and backward, compared with its three matrix products and with torch's cross-entropy.

    OMP_NUM_THREADS=1 python -m speed.softmax     V 3,706, 20,000 and 100,000

The three products (scores, gradient of queries, gradient of items) hold an N × V buffer; the loss must not, and should
take at most 1.2 times as long.
"""

import os

import torch

from speed.timing import in_turn, machine, ratios, require_one_thread, spread
from training.losses.loss import CrossEntropy


def compare(items, rows, size):
    """Print the table of one shape."""
    queries = torch.randn(rows, size, requires_grad=True)
    factors = (torch.randn(items, size) * 0.1).requires_grad_()
    bias = torch.zeros(items, requires_grad=True)
    targets = torch.randint(items, (rows,))

    def products():
        with torch.no_grad():
            scores = queries @ factors.T
            scores @ factors
            scores.T @ queries

    def plain():
        torch.nn.functional.cross_entropy(torch.addmm(bias, queries, factors.T), targets).backward()

    variants = {
        "three products": products,
        "torch cross_entropy": plain,
        "CrossEntropy": lambda: CrossEntropy()(queries, factors, bias, targets).backward(),
    }
    times = in_turn(list(variants.values()), rounds=7)
    print(f"\nV {items} N {rows} D {size}, CPU clock, load {os.getloadavg()[0]:.1f}: median (least to most)")
    for name, taken in zip(variants, times, strict=True):
        milliseconds = spread([1e3 * second for second in taken])
        print(f"{name:24}{milliseconds:>28} ms   x products {ratios(taken, times[0])}")


if __name__ == "__main__":
    require_one_thread()
    torch.set_num_threads(1)
    print(machine())
    compare(3706, 3200, 64)
    compare(20_000, 1024, 128)
    compare(100_000, 1024, 128)
