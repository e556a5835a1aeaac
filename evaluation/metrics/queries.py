"""Rows of a RankTable grouped by query, since a query may have several targets and repeats.

A target item that repeats in a query counts once, at its first place (RankTable.distinct).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.metrics.ties import TargetRanks, first_of_tied_pmf, rank_weight
from evaluation.ranking.rank_table import RankTable


@dataclass(frozen=True, eq=False)
class Queries:
    """Groups of rows with the same (query, repeat), reduced to one value per query.

    target_ranks: of R targets, in group order; starts (S,) int64: the first row of each group; sizes (S,) int64: its
    number of targets; query, cluster (S,) of each group; one_list: whether the targets of a group are ranked in one
    list, or each in its own. All reductions return (S,) float64.
    """

    target_ranks: TargetRanks
    starts: np.ndarray
    sizes: np.ndarray
    query: np.ndarray
    cluster: np.ndarray
    one_list: bool

    @property
    def single(self) -> bool:
        """Whether every group is one row."""
        return len(self.starts) == len(self.target_ranks.greater)

    @classmethod
    def of(cls, ranks: RankTable, ties: str) -> Queries:
        """Group the rows of a RankTable under a tie rule, ordered by query, then repeat."""
        if len(ranks) == 0:
            raise ValueError("this rank table has no rows, so nothing can be measured")
        one_list, ranks = ranks.one_list, ranks.distinct
        rows = slice(None)
        if ranks.repeat.any():
            rows = np.lexsort((ranks.repeat, ranks.query))  # stable: targets keep their order
        query, repeat = ranks.query[rows], ranks.repeat[rows]
        is_first = np.concatenate([[True], (query[1:] != query[:-1]) | (repeat[1:] != repeat[:-1])])
        starts = np.flatnonzero(is_first)
        target_ranks = TargetRanks.of(ranks.greater[rows], ranks.tied[rows], ranks.candidates[rows], ties)
        sizes = np.diff(np.append(starts, len(query)))
        found = cls(target_ranks, starts, sizes, query[starts], ranks.cluster[rows][starts], one_list)
        return found if ties == "expected" or found.single or not one_list else found._apart(ties)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of ``values`` (R,) over each query's targets."""
        return np.add.reduceat(values, self.starts)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of ``values`` (R,) over each query's targets, misses included."""
        return self.total(values) / self.sizes

    def first(self, values: np.ndarray) -> np.ndarray:
        """Return the value of each query's first target, the next item."""
        return values[self.starts]

    def first_hit(self, kind: str, k: int | None) -> np.ndarray:
        """Return the expected value of the best ranked target: 1 if within k ("any"), or 1 / rank ("reciprocal")."""
        single = self.target_ranks.hits(k) if kind == "any" else self.target_ranks.reciprocal(k)
        if self.single:
            return single
        best = self._best_rows()
        if not self.one_list:
            return self._best_of_own_lists(kind, k, single[best])
        values = single[best]
        num_tied = self._tied_with(best)
        for s in np.flatnonzero((num_tied > 1) & (self.target_ranks.tied[best] > 0)):
            g, size = int(self.target_ranks.greater[best[s]]), int(self.target_ranks.tied[best[s]]) + 1
            ranks = g + np.arange(1, size + 1)
            weights = 1.0 / ranks if kind == "reciprocal" else np.ones(size)
            inside = ranks <= k if k is not None else np.ones(size, dtype=bool)
            values[s] = first_of_tied_pmf(int(num_tied[s]), size)[inside] @ weights[inside]
        return values

    def _best_of_own_lists(self, kind: str, k: int | None, values: np.ndarray) -> np.ndarray:
        """Return first_hit where each target has its own list, so that ties are independent; ``values``: without ties.

        P(best rank > r) is the product of the targets' P(rank > r).
        """
        p, values = self.target_ranks, values.copy()
        for s in np.flatnonzero(self.total(np.where(p.missed, 0, p.tied)) > 0):
            rows = self.starts[s] + np.flatnonzero(~p.missed[self.starts[s] : self.starts[s] + self.sizes[s]])
            greater, size = p.greater[rows, None], p.tied[rows, None] + 1
            first, last = int(greater.min()), int((greater + size).min())
            ranks = np.arange(first, last + 1)
            beyond = np.minimum((greater + size - ranks) / size, 1.0).prod(axis=0)
            weights = rank_weight(ranks[1:].astype(np.float64), "reciprocal") if kind == "reciprocal" else 1.0
            inside = ranks[1:] <= k if k is not None else True
            values[s] = (-np.diff(beyond) * weights * inside).sum()
        return values

    def average_precision(self, k: int) -> np.ndarray:
        """Return E[AP@k] = Σ over targets of P(rank ≤ k) · (targets up to it) / rank, over min(number of targets, k).

        Targets with a better score always come before; of the c − 1 others in the same tie group of n, (c − 1)
        (j − 1) / (n − 1) are expected before position j.
        """
        p = self.target_ranks
        if not self.one_list:
            return self.mean(p.reciprocal(k))
        better, tied_targets = self._better_and_tied()
        size = p.tied + 1
        greater = np.minimum(p.greater, k)
        inside = np.clip(k - greater, 0, size)  # positions of the tie group within k
        harmonic = np.concatenate([[0.0], np.cumsum(rank_weight(np.arange(1.0, k + 1), "reciprocal"))])
        inverse = harmonic[greater + inside] - harmonic[greater]
        slope = np.where(size > 1, (tied_targets - 1) / np.maximum(size - 1, 1), 0.0)
        terms = ((1.0 + better) * inverse + slope * (inside - (greater + 1) * inverse)) / size
        return self.total(np.where(p.missed, 0.0, terms)) / np.minimum(self.sizes, k)

    def _apart(self, ties: str) -> Queries:
        """Return the queries with tied targets, now all at the first or last place of their ties, at different places.

        The query's first target keeps its place, the others are next to it.
        """
        found, (order, places) = self.target_ranks, self._places()
        shift = np.empty(len(order), dtype=np.int64)
        shift[order] = places if ties == "optimistic" else -places
        return replace(self, target_ranks=replace(found, greater=found.greater + np.where(found.missed, 0, shift)))

    def _owner(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def _keys(self) -> np.ndarray:
        """Return sort keys that order targets within their query, misses last."""
        return np.where(self.target_ranks.missed, np.iinfo(np.int64).max, self.target_ranks.greater)

    def _best_rows(self) -> np.ndarray:
        """Return the row of each query's best ranked target, the first of ties."""
        order = np.lexsort((self._keys(), self._owner()))
        return order[self.starts]

    def _tied_with(self, best: np.ndarray) -> np.ndarray:
        """Return how many targets of each query tie with its best one."""
        keys = self._keys()
        return self.total((keys == np.repeat(keys[best], self.sizes)).astype(np.float64)).astype(np.int64)

    def _better_and_tied(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each target, how many targets of its query rank better, and how many tie, itself included."""
        owner = self._owner()
        order, places = self._places()
        firsts = np.flatnonzero(places == 0)
        sizes = np.diff(np.append(firsts, len(order)))
        better, tied = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
        better[order] = np.repeat(firsts - self.starts[owner[order][firsts]], sizes)
        tied[order] = np.repeat(sizes, sizes)
        return better, tied

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return an order of all rows by query and rank, and the place (from 0) of each among its tied targets."""
        keys, owner = self._keys(), self._owner()
        order = np.lexsort((keys, owner))
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = (keys[order][1:] != keys[order][:-1]) | (owner[order][1:] != owner[order][:-1])
        numbers = np.arange(len(order))
        return order, numbers - np.maximum.accumulate(np.where(is_first, numbers, 0))
