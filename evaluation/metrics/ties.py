"""Expected values under ties: a target with g better and m equal candidates has a rank uniform on g + 1 … g + m + 1.

Three tie rules exist: ``expected`` (the mean over random orders of the tied candidates, the default), ``optimistic``
(the target is first among its ties) and ``pessimistic`` (it is last; several tied targets of one list are next to each
other). A miss, a target that cannot be recommended, is
marked by greater = candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TIES = ("expected", "optimistic", "pessimistic")


@dataclass(frozen=True, eq=False)
class TargetRanks:
    """Ranks of R targets under ties: greater, tied (R,) int64, and missed (R,) bool; a miss has value 0."""

    greater: np.ndarray
    tied: np.ndarray
    missed: np.ndarray

    @classmethod
    def of(cls, greater: np.ndarray, tied: np.ndarray, candidates: np.ndarray, ties: str) -> TargetRanks:
        """Return the ranks under a tie rule; the optimistic and pessimistic ones have no ties left."""
        above, equal = greater.astype(np.int64), tied.astype(np.int64)
        missed = above >= candidates
        if ties == "expected":
            return cls(above, equal, missed)
        return cls(above if ties == "optimistic" else above + equal, np.zeros_like(equal), missed)

    def hits(self, k: int) -> np.ndarray:
        """P(rank ≤ k) = min(1, max(0, (k − g) / (m + 1)))."""
        return self._zero_if_missed(np.clip((k - self.greater) / (self.tied + 1), 0.0, 1.0))

    def reciprocal(self, k: int | None = None) -> np.ndarray:
        """E[1 / rank · 1(rank ≤ k)] = (1 / (m + 1)) Σ 1 / r over r = g + 1 … min(k, g + m + 1)."""
        return self._mean_weight("reciprocal", k)

    def gain(self, k: int | None = None) -> np.ndarray:
        """E[1 / log2(rank + 1) · 1(rank ≤ k)], the discounted gain of one target."""
        return self._mean_weight("log", k)

    def rank(self) -> np.ndarray:
        """E[rank] = g + 1 + m / 2; a miss ranks one below the last candidate."""
        return self.greater + 1.0 + self.tied / 2.0

    def _mean_weight(self, kind: str, k: int | None) -> np.ndarray:
        """Return the mean weight over the ranks of a tie group; ranks beyond k weigh 0."""
        values = rank_weight(self.greater + 1.0, kind)  # exact where there is no tie
        tied = np.flatnonzero(self.tied)
        if len(tied):
            first, last = self.greater[tied], self.greater[tied] + self.tied[tied] + 1
            limit = int(last.max()) if k is None else min(int(last.max()), k)
            sums = np.concatenate([[0.0], np.cumsum(rank_weight(np.arange(1.0, limit + 1), kind))])
            inside = sums[np.minimum(last, limit)] - sums[np.minimum(first, limit)]
            values[tied] = inside / (self.tied[tied] + 1)
        if k is not None:
            values[self.greater >= k] = 0.0
        return self._zero_if_missed(values)

    def _zero_if_missed(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.missed, 0.0, values)


def rank_weight(ranks: np.ndarray, kind: str) -> np.ndarray:
    """Return the weight of each rank r: 1 / r for ``kind`` "reciprocal", 1 / log2(r + 1) for "log"."""
    return 1.0 / np.log2(ranks + 1.0) if kind == "log" else 1.0 / ranks


def first_of_tied_pmf(num_tied: int, size: int) -> np.ndarray:
    """Return P(the first of ``num_tied`` targets is at position j of their tie group of ``size``), j = 1 … size.

    P(j) = C(size − j, num_tied − 1) / C(size, num_tied), from the ratio P(j + 1) / P(j) = (size − j − num_tied + 1) /
    (size − j), which is exact where the binomials overflow.
    """
    positions = np.arange(1, size, dtype=np.float64)
    ratios = np.maximum(size - positions - num_tied + 1, 0.0) / (size - positions)
    return (num_tied / size) * np.concatenate([[1.0], np.cumprod(ratios)])
