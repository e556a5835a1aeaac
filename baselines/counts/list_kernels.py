"""Compiled sums over the lists of the items read."""

from __future__ import annotations

import numpy as np
from numba import njit

NEGLIGIBLE = np.float32(1e-30)  # a decaying sum of at most this is set to 0


@njit(cache=True)
def sum_lists(offsets, list_items, list_weights, items, query_positions, factors, decays, once, start):  # noqa: ANN001, ANN201
    """Sums (M, N) float32 over the lists of the events read, added in the order of reading in any block."""
    num_items = len(offsets) - 1
    out = np.empty((len(query_positions), num_items), dtype=np.float32)
    total = start.copy()
    added = np.full(num_items if once else 1, -1, dtype=np.int64)  # the pass in which an item was last added
    row, read, turn = -1, 0, 0
    for m in range(len(query_positions)):
        if query_positions[m, 0] != row or query_positions[m, 1] < read:
            row, read, turn = query_positions[m, 0], 0, turn + 1
            total[:] = start
        while read < query_positions[m, 1]:
            item = items[row, read]
            if decays:
                factor = factors[row, read]
                for j in range(num_items):  # denormal numbers are slow
                    total[j] = total[j] * factor if total[j] > NEGLIGIBLE else np.float32(0)
            if item >= 0 and not (once and added[item] == turn):
                for p in range(offsets[item], offsets[item + 1]):
                    total[np.uint32(list_items[p])] += list_weights[p]  # unsigned: no check for negative indices
                if once:
                    added[item] = turn
            read += 1
        out[m] = total
    return out


@njit(cache=True)
def sum_by_share(offsets, list_items, list_weights, items, timestamps, query_positions, rate):  # noqa: ANN001, ANN201
    """Sum the lists to (M, N) float32; all ages are 0 where the events of a history share one time."""
    out = np.zeros((len(query_positions), len(offsets) - 1), dtype=np.float32)
    for m in range(len(query_positions)):
        row, read = query_positions[m]
        if read == 0:
            continue
        newest = timestamps[row, read - 1]
        span = newest - timestamps[row, 0]
        for t in range(read):
            item = items[row, t]
            if item < 0:
                continue
            age = (newest - timestamps[row, t]) / span if span > 0 else 0.0
            weight = np.exp(-rate * age)
            for p in range(offsets[item], offsets[item + 1]):
                out[m, list_items[p]] += np.float32(weight * list_weights[p])
    return out
