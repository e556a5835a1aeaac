"""Seeded 32-bit hashes of raw ids: the same on every machine, so that splits by hash are."""

from __future__ import annotations

import numpy as np

_C1, _C2 = 0xCC9E2D51, 0x1B873593
_MASK = 0xFFFFFFFF


def hash_ids(ids: np.ndarray, seed: int = 0) -> np.ndarray:
    """MurmurHash3 (x86, 32 bit; Appleby 2011) of each id, (n,) uint32.

    A whole number that fits in 32 bits is hashed as its four little-endian bytes (as Spotlight's split by user hash
    does), everything else as the UTF-8 bytes of its text.
    """
    if ids.dtype.kind in "iu" and (ids.size == 0 or (ids.min() >= -(2**31) and ids.max() < 2**31)):
        return _hash_words(ids.astype(np.int64) & _MASK, seed)
    return np.array([_hash_bytes(str(value).encode(), seed) for value in ids.tolist()], dtype=np.uint32)


def _rotate(value: np.ndarray | int, by: int) -> np.ndarray | int:
    """A 32-bit rotation to the left."""
    return ((value << by) | (value >> (32 - by))) & _MASK


def _mix(value: np.ndarray | int) -> np.ndarray | int:
    """What is done to each block of four bytes."""
    return (_rotate((value * _C1) & _MASK, 15) * _C2) & _MASK


def _finish(state: np.ndarray | int, length: int) -> np.ndarray | int:
    """The last avalanche."""
    state = state ^ length
    state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _MASK
    state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _MASK
    return state ^ (state >> 16)


def _hash_words(words: np.ndarray, seed: int) -> np.ndarray:
    """The hash of one 4-byte block each, vectorised."""
    state = (np.uint64(seed & _MASK) ^ _mix(words.astype(np.uint64))) & np.uint64(_MASK)
    state = (_rotate(state, 13) * 5 + 0xE6546B64) & _MASK
    return _finish(state, 4).astype(np.uint32)


def _hash_bytes(data: bytes, seed: int) -> int:
    """The hash of a byte string."""
    state, whole = seed & _MASK, len(data) // 4 * 4
    for start in range(0, whole, 4):
        state ^= _mix(int.from_bytes(data[start : start + 4], "little"))
        state = (_rotate(state, 13) * 5 + 0xE6546B64) & _MASK
    state ^= _mix(int.from_bytes(data[whole:], "little"))
    return _finish(state, len(data))
