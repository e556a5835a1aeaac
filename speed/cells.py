"""Forward and backward pass of every cell, compared with torch.nn.LSTM of the same shape.

    OMP_NUM_THREADS=1 python -m speed.cells [--engines] [B T H] ...

Prints for each cell the ratio of its matrix-product FLOP to the LSTM's, the ratio of times (median, quartiles), and the
second divided by the first, which should be at most 1.6; default: 256 50 128 and 512 20 256. --engines: the times of
both engines and their ratio instead, of minima and of medians; default: 5 30 100, 16 30 100 and 256 30 100.
"""

import os
import statistics
import sys

import torch

from recsys_models.engine.cells.elman import ElmanCell
from recsys_models.engine.cells.gru import AttentionalGRUCell, GRUResetBeforeCell, RectifiedGRUCell
from recsys_models.engine.cells.gru_reset_after import GRUResetAfterCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.engine.cells.phased_lstm import PhasedLSTMCell
from recsys_models.engine.cells.time_lstm import TimeLSTM1Cell, TimeLSTM2Cell, TimeLSTM3Cell
from recsys_models.engine.compiled.engine import COMPILED
from recsys_models.engine.engine import TORCH
from recsys_models.engine.unroll import unroll
from speed.timing import in_turn, machine, require_one_thread

# name: cell; widths, in H: inputs, gates that the input fills, all gates; the weights' shapes, in H (0: a 1);
# extra_inputs; the share of the products: input side and state side in H², where the LSTM has 4 + 4
CELLS = {
    "LSTM, own engine": (LSTMCell(peepholes=False), 1, 4, 4, [(1, 4)], "", 8),
    "LSTM, peepholes": (LSTMCell(), 1, 4, 4, [(1, 4), (-3, 1)], "", 8),
    "Time-LSTM 1": (TimeLSTM1Cell("tanh"), 1, 5, 5, [(1, 4), (-3, 1), (1,), (1,)], "t", 9),
    "Time-LSTM 2": (TimeLSTM2Cell("tanh"), 1, 6, 6, [(1, 4), (-3, 1), (1,), (1,), (1,)], "t", 10),
    "Time-LSTM 3": (TimeLSTM3Cell("tanh"), 1, 5, 5, [(1, 3), (-2, 1), (1,), (1,), (1,)], "t", 8),
    "Phased LSTM": (PhasedLSTMCell(0.05, 0.001), 1, 4, 4, [(1, 4), (-3, 1), (1,), (1,)], "d", 8),
    "mLSTM": (MLSTMCell(), 1, 5, 5, [(1, 4), (1, 1), (1,)], "", 10),
    "vanilla": (ElmanCell(), 1, 1, 1, [(1, 1)], "", 2),
    "GRU, reset after": (GRUResetAfterCell(), 1, 3, 3, [(1, 3), (1,)], "", 6),
    "GRU, reset before": (GRUResetBeforeCell(), 1, 3, 3, [(1, 2), (1, 1)], "", 6),
    "user GRU, linear": (GRUResetBeforeCell(), 2, 3, 3, [(1, 2), (1, 1)], "", 9),
    "user GRU, rectified": (RectifiedGRUCell(0.2), 1, 5, 5, [(1, 2), (1, 1), (1, 3), (1, 2)], "x", 13),
    "user GRU, attentional": (AttentionalGRUCell(), 2, 1, 4, [(1, 2), (1, 1), (2, 3), (1, 1)], "xx", 12),
}


def runner(cell, inputs, filled, gates, shapes, extra_inputs, rows, steps, size, *, device="cpu", unrolled=unroll):
    """Return a function that runs the cell forward and backward on random inputs of these shapes."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return ((torch.rand(*shape, generator=generator) * 2 - 1) * size**-0.5).to(device).requires_grad_()

    x, weight = draw(steps, rows, inputs * size), draw(inputs * size, filled * size)
    bias, zero = draw(gates * size), torch.zeros(rows, size, device=device)
    weights = [draw(*(-width if width < 0 else width * size for width in shape)) for shape in shapes]
    if isinstance(cell, PhasedLSTMCell):
        weights[2:] = [torch.rand(size, generator=generator).add_(1.0).to(device).requires_grad_(), draw(size)]
    make = {
        "t": lambda: torch.rand(steps, rows, 1, generator=generator).to(device),
        "d": lambda: torch.rand(steps, rows, 1, generator=generator, dtype=torch.float64).to(device),
        "x": lambda: draw(steps, rows, size),
    }
    given = [make[kind]() for kind in extra_inputs]
    return lambda: unrolled(cell, x, weight, bias, [zero] * cell.states, weights, given)[0].sum().backward()


def compare(rows, steps, size):
    """Print the table of one shape."""
    layer, x = torch.nn.LSTM(size, size), torch.randn(steps, rows, size, requires_grad=True)
    variants = {"torch.nn.LSTM": lambda: layer(x)[0].sum().backward()}
    for name, (cell, inputs, filled, gates, shapes, extra_inputs, _) in CELLS.items():
        variants[name] = runner(cell, inputs, filled, gates, shapes, extra_inputs, rows, steps, size)
    times = in_turn(list(variants.values()), rounds=9)
    print(f"\nB {rows} T {steps} H {size}, forward + backward, CPU clock, load {os.getloadavg()[0]:.1f}")
    print(f"{'cell':24}{'ms':>8}{'FLOP ratio':>12}{'time ratio':>12}  quartiles    time / FLOP")
    for name, taken in zip(variants, times, strict=True):
        flop = CELLS[name][-1] / 8 if name in CELLS else 1.0
        ratios = [one / lstm for one, lstm in zip(taken, times[0], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"{name:24}{1e3 * statistics.median(taken):8.0f}{flop:12.2f}{middle:12.2f}  {low:.2f}-{high:.2f}"
            f"{middle / flop:12.2f}",
            flush=True,
        )


def compare_engines(rows, steps, size):
    """Print the times of the cells that the compiled engine runs, on both engines in turn."""
    names = [name for name, (cell, *_) in CELLS.items() if COMPILED.supports(cell, "cpu", torch.float32)]
    engines = (TORCH, COMPILED)
    functions = [
        runner(*CELLS[name][:-1], rows, steps, size, unrolled=engine.unroll) for name in names for engine in engines
    ]
    times = in_turn(functions, rounds=15)
    print(f"\nB {rows} T {steps} H {size}, forward + backward, CPU clock, load {os.getloadavg()[0]:.1f}")
    print(f"{'cell':24}{'torch ms':>10}{'compiled ms':>13}{'of minima':>11}{'of medians':>12}  quartiles")
    for name, plain, compiled in zip(names, times[::2], times[1::2], strict=True):
        low, middle, high = statistics.quantiles([a / b for a, b in zip(compiled, plain, strict=True)], n=4)
        smallest, spread = min(compiled) / min(plain), f"{low:.2f}-{high:.2f}"
        print(f"{name:24}{1e3 * min(plain):10.2f}{1e3 * min(compiled):13.2f}{smallest:11.2f}{middle:12.2f}  {spread}")


if __name__ == "__main__":
    require_one_thread()
    torch.set_num_threads(1)
    print(machine())
    words = sys.argv[1:]
    table, shapes = compare, [256, 50, 128, 512, 20, 256]
    if "--engines" in words:
        table, shapes = compare_engines, [5, 30, 100, 16, 30, 100, 256, 30, 100]
        words.remove("--engines")
    numbers = [int(word) for word in words] or shapes
    for start in range(0, len(numbers), 3):
        table(*numbers[start : start + 3])
