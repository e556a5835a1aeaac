"""Queries: the rows of a RankTable grouped by what was asked, since a query may have several targets and repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.metrics.ties import Places, first_of, worth
from evaluation.ranking.rank_table import RankTable


@dataclass(frozen=True, eq=False)
class Queries:
    """Groups of rows with the same (query, repeat), ready to be reduced to one value a query.

    places: where each of R targets stands, in group order; starts (S,) int64: the first row of each group; sizes (S,)
    int64: its number of targets; query, cluster (S,): whose it is. All reductions return (S,) float64.
    """

    places: Places
    starts: np.ndarray
    sizes: np.ndarray
    query: np.ndarray
    cluster: np.ndarray

    @property
    def single(self) -> bool:
        """Whether every group is one row."""
        return len(self.starts) == len(self.places.greater)

    @classmethod
    def of(cls, ranks: RankTable, ties: str) -> Queries:
        """The groups of a RankTable under one reading of ties, in the order of the queries, then repeats."""
        if len(ranks) == 0:
            raise ValueError("this rank table has no rows, so nothing can be measured")
        rows = slice(None)
        if ranks.repeat.any():
            rows = np.lexsort((ranks.repeat, ranks.query))  # stable: targets keep their order
        query, repeat = ranks.query[rows], ranks.repeat[rows]
        fresh = np.concatenate([[True], (query[1:] != query[:-1]) | (repeat[1:] != repeat[:-1])])
        starts = np.flatnonzero(fresh)
        places = Places.of(ranks.greater[rows], ranks.tied[rows], ranks.candidates[rows], ties)
        sizes = np.diff(np.append(starts, len(query)))
        return cls(places, starts, sizes, query[starts], ranks.cluster[rows][starts])

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum over each query's targets of ``values`` (R,)."""
        return np.add.reduceat(values, self.starts)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean over each query's targets, misses included."""
        return self.total(values) / self.sizes

    def first(self, values: np.ndarray) -> np.ndarray:
        """The value of each query's first target: the item that came next."""
        return values[self.starts]

    def first_hit(self, kind: str, k: int | None) -> np.ndarray:
        """The expected worth of the best placed target: 1 if within k ("any"), or 1 / its rank ("reciprocal")."""
        single = self.places.hits(k) if kind == "any" else self.places.reciprocal(k)
        if self.single:
            return single
        best = self._best_rows()
        values = single[best]
        together = self._together(best)
        for s in np.flatnonzero((together > 1) & (self.places.tied[best] > 0)):
            g, size = int(self.places.greater[best[s]]), int(self.places.tied[best[s]]) + 1
            ranks = g + np.arange(1, size + 1)
            gains = 1.0 / ranks if kind == "reciprocal" else np.ones(size)
            inside = ranks <= k if k is not None else np.ones(size, dtype=bool)
            values[s] = first_of(min(int(together[s]), size), size)[inside] @ gains[inside]
        return values

    def average_precision(self, k: int) -> np.ndarray:
        """E[AP@k]: Σ over targets of P(rank ≤ k) · (targets up to it) / rank, over min(number of targets, k).

        Targets that score better come before for certain; of the c − 1 others in the same tie group of n, (c − 1)
        (j − 1) / (n − 1) are expected before place j.
        """
        p = self.places
        better, together = self._standing()
        size = p.tied + 1
        greater = np.minimum(p.greater, k)
        inside = np.clip(k - greater, 0, size)  # places of the tie group within k
        harmonic = np.concatenate([[0.0], np.cumsum(worth(np.arange(1.0, k + 1), "reciprocal"))])
        inverse = harmonic[greater + inside] - harmonic[greater]
        beside = np.where(size > 1, (together - 1) / np.maximum(size - 1, 1), 0.0)
        terms = ((1.0 + better) * inverse + beside * (inside - (greater + 1) * inverse)) / size
        return self.total(np.where(p.missed, 0.0, terms)) / np.minimum(self.sizes, k)

    def _owner(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def _keys(self) -> np.ndarray:
        """A place to sort targets by inside their query: misses last."""
        return np.where(self.places.missed, np.iinfo(np.int64).max, self.places.greater)

    def _best_rows(self) -> np.ndarray:
        """The row of the best placed target of each query, the first of equals."""
        order = np.lexsort((self._keys(), self._owner()))
        return order[self.starts]

    def _together(self, best: np.ndarray) -> np.ndarray:
        """How many targets of a query share the place of its best one."""
        keys = self._keys()
        return self.total((keys == np.repeat(keys[best], self.sizes)).astype(np.float64)).astype(np.int64)

    def _standing(self) -> tuple[np.ndarray, np.ndarray]:
        """For each target, how many targets of its query stand in better places, and how many share its own."""
        keys, owner = self._keys(), self._owner()
        order = np.lexsort((keys, owner))
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (keys[order][1:] != keys[order][:-1]) | (owner[order][1:] != owner[order][:-1])
        heads = np.flatnonzero(fresh)
        sizes = np.diff(np.append(heads, len(order)))
        better, together = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
        better[order] = np.repeat(heads - self.starts[owner[order][heads]], sizes)
        together[order] = np.repeat(sizes, sizes)
        return better, together
