"""Seeded 32-bit hashes of raw ids, the same on every machine: splits by hash are reproducible."""

from __future__ import annotations

import numpy as np

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def hash_ids(ids: np.ndarray, seed: int = 0) -> np.ndarray:
    """MurmurHash3 (x86, 32 bit; Appleby 2011) of each id, (n,) uint32.

    A whole number that fits in 32 bits is hashed as its four little-endian bytes (as in Spotlight's split by user
    hash), everything else as the UTF-8 bytes of its text.
    """
    import mmh3  # imported here: few protocols hash, and machines that only train may lack it

    if ids.dtype.kind in "iu" and (ids.size == 0 or (ids.min() >= _SMALLEST and ids.max() <= _LARGEST)):
        data = ids.astype("<i4").tobytes()
        keys = (data[start : start + 4] for start in range(0, len(data), 4))
    else:
        keys = (str(value).encode() for value in ids.tolist())
    hashes = (mmh3.hash(key, seed & 0xFFFFFFFF, signed=False) for key in keys)
    return np.fromiter(hashes, dtype=np.uint32, count=len(ids))
