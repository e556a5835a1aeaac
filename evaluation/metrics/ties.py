"""Expected values under ties: a target with g better and m equal candidates has a rank uniform on g + 1 … g + m + 1.

Three readings of ties exist: ``expected`` (the mean over random orders of the tied candidates, the default),
``optimistic`` (the target comes first among its ties) and ``pessimistic`` (it comes last). A miss, a target that could
not be recommended at all, is marked by greater = candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TIES = ("expected", "optimistic", "pessimistic")


@dataclass(frozen=True, eq=False)
class Places:
    """Where each of R targets stands: greater, tied (R,) int64, and missed (R,) bool; misses are worth nothing."""

    greater: np.ndarray
    tied: np.ndarray
    missed: np.ndarray

    @classmethod
    def of(cls, greater: np.ndarray, tied: np.ndarray, candidates: np.ndarray, ties: str) -> Places:
        """Places under one reading of ties; the optimistic and pessimistic ones have no ties left."""
        above, equal = greater.astype(np.int64), tied.astype(np.int64)
        missed = above >= candidates
        if ties == "expected":
            return cls(above, equal, missed)
        return cls(above if ties == "optimistic" else above + equal, np.zeros_like(equal), missed)

    def hits(self, k: int) -> np.ndarray:
        """P(rank ≤ k) = min(1, max(0, (k − g) / (m + 1)))."""
        return self._found(np.clip((k - self.greater) / (self.tied + 1), 0.0, 1.0))

    def reciprocal(self, k: int | None = None) -> np.ndarray:
        """E[1 / rank · 1(rank ≤ k)] = (1 / (m + 1)) Σ 1 / r over r = g + 1 … min(k, g + m + 1)."""
        return self._mean_of("reciprocal", k)

    def gain(self, k: int | None = None) -> np.ndarray:
        """E[1 / log2(rank + 1) · 1(rank ≤ k)], the discounted gain of one target."""
        return self._mean_of("log", k)

    def rank(self) -> np.ndarray:
        """E[rank] = g + 1 + m / 2; a miss stands just behind the last candidate."""
        return self.greater + 1.0 + self.tied / 2.0

    def _mean_of(self, kind: str, k: int | None) -> np.ndarray:
        """The mean worth over the places of a tie group, those beyond k worth nothing."""
        values = worth(self.greater + 1.0, kind)  # exact where there is no tie
        tied = np.flatnonzero(self.tied)
        if len(tied):
            first, last = self.greater[tied], self.greater[tied] + self.tied[tied] + 1
            limit = int(last.max()) if k is None else min(int(last.max()), k)
            sums = np.concatenate([[0.0], np.cumsum(worth(np.arange(1.0, limit + 1), kind))])
            inside = sums[np.minimum(last, limit)] - sums[np.minimum(first, limit)]
            values[tied] = inside / (self.tied[tied] + 1)
        if k is not None:
            values[self.greater >= k] = 0.0
        return self._found(values)

    def _found(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.missed, 0.0, values)


def worth(ranks: np.ndarray, kind: str) -> np.ndarray:
    """What each rank is worth: 1 / r for ``kind`` "reciprocal", 1 / log2(r + 1) for "log"."""
    return 1.0 / np.log2(ranks + 1.0) if kind == "log" else 1.0 / ranks


def first_of(together: int, size: int) -> np.ndarray:
    """P(the first of ``together`` targets stands at place j of their tie group of ``size``), j = 1 … size.

    P(j) = C(size − j, together − 1) / C(size, together), by the ratio P(j + 1) / P(j) = (size − j − together + 1) /
    (size − j), which stays exact where the binomials overflow.
    """
    places = np.arange(1, size, dtype=np.float64)
    ratios = np.maximum(size - places - together + 1, 0.0) / (size - places)
    return (together / size) * np.concatenate([[1.0], np.cumprod(ratios)])
