"""Sums under random signs and under resampled clusters, for all models at once and in bounded memory.

Sums are float64 in a fixed order, so the bits depend neither on the number of threads nor on the BLAS library.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit

CHUNK_FLIPS = 4096  # flips or resamples per block
CHUNK_CELLS = 1 << 24  # drawn cluster numbers in memory at once


def flipped_sums(columns: np.ndarray, flips: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield Σ_u ε_u · columns[u] for ``flips`` draws of fair signs ε, in blocks (at most CHUNK_FLIPS, K).

    columns (G, K) float64. One sign per cluster and flip serves all columns. The signs of eight clusters are one byte;
    its 256 sums are tabulated once and looked up for every flip.
    """
    num_clusters, width = columns.shape
    padded = np.zeros((-(-num_clusters // 8) * 8, width))
    padded[:num_clusters] = columns
    for start in range(0, flips, CHUNK_FLIPS):
        size = min(CHUNK_FLIPS, flips - start)
        signs = generator.integers(0, 256, size=(len(padded) // 8, size), dtype=np.uint8)
        sums = np.zeros((size, width))
        _add_signed(padded, signs, sums)
        yield sums


@njit(cache=True, nogil=True)
def _add_signed(columns: np.ndarray, signs: np.ndarray, sums: np.ndarray) -> None:
    width = columns.shape[1]
    table = np.empty((256, width))
    for p in range(signs.shape[0]):
        for c in range(width):
            total = 0.0
            for bit in range(8):
                total -= columns[8 * p + bit, c]
            table[0, c] = total
        for value in range(1, 256):
            bit = 0
            while not (value >> bit) & 1:
                bit += 1
            rest = value & (value - 1)
            for c in range(width):
                table[value, c] = table[rest, c] + 2.0 * columns[8 * p + bit, c]
        for f in range(signs.shape[1]):
            row = signs[p, f]
            for c in range(width):
                sums[f, c] += table[row, c]


def resampled_sums(columns: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return Σ_u c_u · columns[u] for ``resamples`` draws of G clusters with replacement, (resamples, K)."""
    num_clusters, width = columns.shape
    rows = np.ascontiguousarray(columns, dtype=np.float64)
    sums = np.zeros((resamples, width))
    chunk = max(1, CHUNK_CELLS // num_clusters)
    for start in range(0, resamples, chunk):
        part = sums[start : start + chunk]
        drawn = generator.integers(0, num_clusters, size=(len(part), num_clusters), dtype=np.uint32)
        _add_drawn(rows, drawn, part)
    return sums


@njit(cache=True, nogil=True)
def _add_drawn(columns: np.ndarray, drawn: np.ndarray, sums: np.ndarray) -> None:
    width = columns.shape[1]
    for b in range(drawn.shape[0]):
        for i in range(drawn.shape[1]):
            u = drawn[b, i]
            for c in range(width):
                sums[b, c] += columns[u, c]
