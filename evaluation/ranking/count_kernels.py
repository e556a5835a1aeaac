"""Compiled counts of one block of scores; −1 is padding."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count(
    scores: np.ndarray,
    targets: np.ndarray,
    excluded: np.ndarray,
    greater: np.ndarray,
    tied: np.ndarray,
    largest: float,
) -> int:
    """Fill ``greater`` and ``tied``; return the first row with a non-finite score, or −1."""
    num_rows, num_items = scores.shape
    for r in range(num_rows):
        row = scores[r]
        for w in range(max(targets.shape[1], 1)):
            target = targets[r, w] if w < targets.shape[1] else -1
            score = row[max(target, 0)]
            above, equal, finite = 0, 0, 0
            if w == 0:  # the first pass also detects NaN and infinity
                for j in range(num_items):
                    above += row[j] > score
                    equal += row[j] == score
                    finite += abs(row[j]) <= largest
                if finite != num_items:
                    return r
            elif target >= 0:
                for j in range(num_items):
                    above += row[j] > score
                    equal += row[j] == score
            if target < 0:
                continue
            for h in range(excluded.shape[1]):
                item = excluded[r, h]
                if item >= 0:
                    above -= row[item] > score
                    equal -= row[item] == score
            greater[r, w] = above
            tied[r, w] = equal - 1
    return -1


@njit(cache=True, nogil=True)
def fill_top(scores: np.ndarray, excluded: np.ndarray, top: np.ndarray, excluded_in: np.ndarray) -> None:
    """Fill ``top`` by insertion in ascending item order; only a strictly better score moves up."""
    num_rows, num_items = scores.shape
    k = top.shape[1]
    best = np.empty(k, dtype=scores.dtype)
    for r in range(num_rows):
        for h in range(excluded.shape[1]):
            if excluded[r, h] >= 0:
                excluded_in[excluded[r, h]] = r
        size = 0
        for j in range(num_items):
            score = scores[r, j]
            if (size == k and score <= best[k - 1]) or excluded_in[j] == r:
                continue
            slot = min(size, k - 1)
            while slot > 0 and best[slot - 1] < score:
                best[slot] = best[slot - 1]
                top[r, slot] = top[r, slot - 1]
                slot -= 1
            best[slot] = score
            top[r, slot] = j
            size = min(size + 1, k)
