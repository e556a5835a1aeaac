"""Compiled hashes of histories and of histories with items."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def mix(histories, keys):  # noqa: ANN001, ANN201
    """Mix into (M, N) float32 in [0, 1): the top 24 bits of MurmurHash3's finaliser of history hash ^ item key."""
    out = np.empty((len(histories), len(keys)), dtype=np.float32)
    for m in range(len(histories)):
        for j in range(len(keys)):
            mixed = histories[m] ^ keys[j]
            mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
            mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
            out[m, j] = np.float32((mixed ^ (mixed >> np.uint64(33))) >> np.uint64(40)) / np.float32(1 << 24)
    return out


@njit(cache=True)
def hash_histories(items, users, query_positions, salt):  # noqa: ANN001, ANN201
    """Hash the user and the items read of each query to (M,) uint64 (FNV-1a over whole numbers)."""
    out = np.empty(len(query_positions), dtype=np.uint64)
    for m in range(len(query_positions)):
        hashed = (salt ^ np.uint64(users[query_positions[m, 0]])) * np.uint64(1099511628211)
        for t in range(query_positions[m, 1]):
            hashed = (hashed ^ np.uint64(items[query_positions[m, 0], t])) * np.uint64(1099511628211)
        out[m] = hashed ^ (hashed >> np.uint64(32))
    return out
