"""The full softmax loss, forward and backward, compared with its three matrix products and with torch's cross-entropy.

    OMP_NUM_THREADS=1 python -m speed.softmax     V 3,706, 20,000 and 100,000

The three products (scores, gradient of queries, gradient of items) hold an N × V buffer; the loss must not, and should
take at most 1.2 times as long. Both also in bfloat16, which is no faster on a CPU without such instructions.
"""

import functools
import os

import torch

from speed.timing import in_turn, machine, ratios, require_one_thread, spread
from training.losses.loss import CrossEntropy
from training.precision import PRECISIONS, TF32, mm, products_by, products_in


def variants(items, rows, size, device="cpu"):
    """The products and the losses of one shape by name, each a function; the last two in every precision."""
    queries = torch.randn(rows, size, device=device, requires_grad=True)
    factors = (torch.randn(items, size, device=device) * 0.1).requires_grad_()
    bias = torch.zeros(items, device=device, requires_grad=True)
    targets = torch.randint(items, (rows,), device=device)
    precisions = [name for name in PRECISIONS if name != TF32 or device.startswith("cuda")]

    def products(precision):
        with torch.no_grad(), products_in(precision, device):
            scores = mm(queries, factors.T)
            mm(scores, factors)
            mm(scores.T, queries)

    def loss(precision):
        with products_in(precision, device):
            CrossEntropy()(queries, factors, bias, targets).backward()

    def plain():
        torch.nn.functional.cross_entropy(torch.addmm(bias, queries, factors.T), targets).backward()

    found = {f"products, {name}": functools.partial(products, name) for name in precisions}
    found |= {f"CrossEntropy, {name}": functools.partial(loss, name) for name in precisions}
    return found | {"torch cross_entropy": plain}


def compare(items, rows, size):
    """Print the table of one shape."""
    functions = variants(items, rows, size)
    times = in_turn(list(functions.values()), rounds=7)
    print(f"\nV {items} N {rows} D {size}, CPU clock, load {os.getloadavg()[0]:.1f}: median (least to most)")
    for name, taken in zip(functions, times, strict=True):
        milliseconds = spread([1e3 * second for second in taken])
        print(f"{name:24}{milliseconds:>28} ms   x products {ratios(taken, times[0])}")


if __name__ == "__main__":
    require_one_thread()
    torch.set_num_threads(1)
    print(f"{machine()}; bfloat16 products by {products_by('bfloat16', 'cpu')}")
    compare(3706, 3200, 64)
    compare(20_000, 1024, 128)
    compare(100_000, 1024, 128)
