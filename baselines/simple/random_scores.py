"""Random: a random ranking for every history, the lower bound for all baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit

from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class Random:
    """Scores an item by a hash in [0, 1) of the seed, the user and the items read.

    The same history gets the same ranking in any batch; different histories get independent ones, empty histories and
    unknown users included. Scores have 24 bits: ties are rare.
    """

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"chance"})

    def fit(self, train: TrainingSet, run: Run) -> Random:
        """Draw a key for each item."""
        self.keys_ = run.generator("item keys").integers(0, 2**64, size=train.num_items, dtype=np.uint64)
        self.salt_ = np.uint64(run.derived_seed("history salt"))
        return self

    def score(self, batch: SequenceBatch) -> RandomScores:
        """Hashed scores, (M, N)."""
        return RandomScores(self.keys_, _hash_histories(batch.items, batch.users, batch.query_positions, self.salt_))


@dataclass(frozen=True, eq=False)
class RandomScores:
    """Scores hashed from item keys (N,) and history hashes (M,), both uint64, block by block."""

    keys: np.ndarray
    histories: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.histories), len(self.keys)

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the queries ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""
        if items is None or items.ndim == 1:
            return _mix(self.histories[rows], self.keys if items is None else self.keys[items])
        return np.vstack([_mix(self.histories[rows][r : r + 1], self.keys[own]) for r, own in enumerate(items)])


@njit(cache=True)
def _mix(histories, keys):  # noqa: ANN001, ANN202
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
def _hash_histories(items, users, query_positions, salt):  # noqa: ANN001, ANN202
    """Hash the user and the items read of each query to (M,) uint64 (FNV-1a over whole numbers)."""
    out = np.empty(len(query_positions), dtype=np.uint64)
    for m in range(len(query_positions)):
        hashed = (salt ^ np.uint64(users[query_positions[m, 0]])) * np.uint64(1099511628211)
        for t in range(query_positions[m, 1]):
            hashed = (hashed ^ np.uint64(items[query_positions[m, 0], t])) * np.uint64(1099511628211)
        out[m] = hashed ^ (hashed >> np.uint64(32))
    return out
