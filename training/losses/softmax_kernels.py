"""The exponentials of a block of scores in one pass over memory, compiled; for products in bfloat16 on a CPU.

torch takes four passes (largest score, difference, exponential, sum), which float32 keeps for its bits. Beside products
in bfloat16 they are half of the time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 64  # largest scores kept side by side, so that the comparisons do not wait for each other
LOG2_E = np.float32(1.4426950408889634)
SMALLEST = np.float32(-126.0)  # the smallest power of two of a normal float32
HALF_STEPS = np.float32(3 << 22)  # beside it float32 has steps of 1: adding it rounds to an integer
ONE_BITS = np.int32(0x3F800000)  # of the float32 1.0
EXPONENT = np.int32(23)  # the place of the exponent's bits
# 2^f = Σ_k (f ln 2)^k / k!, within 2e-7 for −½ … ½
_C1, _C2, _C3 = (np.float32(value) for value in (0.6931471805599453, 0.2402265069591007, 0.05550410866482158))
_C4, _C5, _C6 = (np.float32(value) for value in (0.009618129107628477, 0.0013333558146428443, 0.0001540353039338161))
_ONE = np.float32(1.0)


@njit(fastmath={"contract"}, error_model="numpy")
def power_of_two(exponent: np.float32) -> np.float32:
    """2^exponent for exponents up to 127; those below −126 count as −126, and NaN stays NaN."""
    bounded = SMALLEST if exponent < SMALLEST else exponent
    shifted = bounded + HALF_STEPS
    f = bounded - (shifted - HALF_STEPS)
    power = _ONE + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * (_C5 + f * _C6)))))
    whole = np.float32(shifted).view(np.int32) << EXPONENT  # the bits above the integer fall off
    return power * np.int32(whole + ONE_BITS).view(np.float32)


@njit(fastmath={"contract"}, error_model="numpy")
def largest(row: np.ndarray) -> np.float32:
    """The largest number of a row; NaN after the first is passed over."""
    lanes = np.full(LANES, row[0], np.float32)
    whole = len(row) // LANES * LANES
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = row[start + lane]
            lanes[lane] = value if value > lanes[lane] else lanes[lane]
    found = row[0]
    for lane in range(LANES):
        found = max(found, lanes[lane])
    for j in range(whole, len(row)):
        found = max(found, row[j])
    return found


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def exponentials(scores: np.ndarray, targets: np.ndarray, losses: np.ndarray, totals: np.ndarray) -> None:
    """Replace scores s (N, V) by e_j = exp(s_j − max s), and e_y of each row's target y by e_y − Σ e.

    Fills ``totals`` (N,) with Σ e and ``losses`` (N,) with log Σ e − (s_y − max s); scores that are not finite make
    them NaN.
    """
    for r in range(len(scores)):
        row, y = scores[r], targets[r]
        top = largest(row)
        hit, total = row[y] - top, np.float32(0.0)
        for j in range(len(row)):
            power = power_of_two((row[j] - top) * LOG2_E)
            row[j] = power
            total += power
        row[y] -= total
        totals[r] = total
        losses[r] = np.log(total) - hit
