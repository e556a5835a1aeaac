"""Slices: the rows of a RankTable in bins, so that any metric can be measured in each of them.

A way of slicing is a value; ``of`` applies it to a table. A bin belongs to a row, that is to a target: where a query
has several targets, slices by target measure it in each bin on those of its targets that lie there.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np

from evaluation.metrics.accuracy import Metric
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.ranking.rank_table import RankTable

OUTSIDE = -1  # the bin of a row that is in none
_EDGES = (0, 1, 2, 3, 6, 11, 21, 51, 101, 201, 501)  # a bin begins at each, counts of events read or queries asked
_COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied")


class Measure(Protocol):
    """What gives one number for a rank table: a Metric, or a Reach."""

    def measure(self, ranks: RankTable) -> float:
        """The value for all rows of ``ranks``."""


@dataclass(frozen=True, eq=False)
class Bins:
    """One table's rows in named bins. axis: what they are cut by; bin (R,) int64: each row's place in names."""

    axis: str
    names: tuple[str, ...]
    bin: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """The number of rows of each bin, (len(names),) int64."""
        return np.bincount(self.bin[self.bin != OUTSIDE], minlength=len(self.names))

    def part(self, ranks: RankTable, n: int) -> RankTable:
        """The rows of ``ranks`` in bin ``n``; ``ranks`` may be another model's on the same test set."""
        self._fits(ranks)
        return part(ranks, self.bin == n)

    @cached_property
    def rows(self) -> list[np.ndarray]:
        """The numbers of the rows in each bin, ascending."""
        return [np.flatnonzero(self.bin == n) for n in range(len(self.names))]

    def measure(self, metric: Measure, ranks: RankTable) -> list[float]:
        """The metric in every bin, in the order of names.

        Where every query is one row, its value is the same in its bin as in the whole table, and is found once.
        """
        if not isinstance(metric, Metric) or not (ranks.query[1:] > ranks.query[:-1]).all():
            return [metric.measure(self.part(ranks, n)) for n in range(len(self.names))]
        self._fits(ranks)
        values, clusters = metric.per_query(ranks)
        return [ClusterSums.of(clusters[rows], values[rows]).micro for rows in self.rows]

    def _fits(self, ranks: RankTable) -> None:
        if len(ranks) != len(self.bin):
            raise ValueError(f"these bins are of {len(self.bin)} rows, but the rank table has {len(ranks)}")


def part(ranks: RankTable, mask: np.ndarray) -> RankTable:
    """The rows of a rank table where ``mask`` (R,) is true.

    Where lists were kept, queries are numbered anew, so that list q is still that of query q.
    """
    columns = {name: getattr(ranks, name)[mask] for name in _COLUMNS}
    if ranks.top_items is None:
        return dataclasses.replace(ranks, **columns)
    kept, columns["query"] = np.unique(columns["query"], return_inverse=True)
    return dataclasses.replace(ranks, **columns, top_items=ranks.top_items[kept])


@dataclass(frozen=True)
class Slicing:
    """A way of slicing; ``fewest``: the rows that a bin needs to stand on its own."""

    fewest: int = 20

    axis: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.fewest < 1:
            raise ValueError(f"fewest must be at least 1, got {self.fewest}")

    def of(self, ranks: RankTable) -> Bins:
        """The bins of a rank table's rows; ValueError if it has none."""
        if len(ranks) == 0:
            raise ValueError("this rank table has no rows, so nothing can be sliced")
        return self._bins(ranks)

    def _bins(self, ranks: RankTable) -> Bins:
        raise NotImplementedError(f"{type(self).__name__} does not say how rows are binned")

    def _ranges(self, values: np.ndarray, first: int) -> Bins:
        """Bins of whole numbers from ``first``; one of few rows is joined to the next, the last to the one before."""
        longest = int(values.max())
        edges = [first]
        for cut in (edge for edge in _EDGES if first < edge <= longest):
            if np.count_nonzero((values >= edges[-1]) & (values < cut)) >= self.fewest:
                edges.append(cut)
        if len(edges) > 1 and np.count_nonzero(values >= edges[-1]) < self.fewest:
            edges.pop()
        pairs = itertools.pairwise([*edges, longest + 1])
        names = tuple(str(left) if right == left + 1 else f"{left}–{right - 1}" for left, right in pairs)
        return Bins(self.axis, names, np.searchsorted(edges, values, side="right") - 1)

    def _classes(self, names: tuple[str, ...], of_row: np.ndarray) -> Bins:
        """Bins of named kinds of rows; one of few rows is left out, since it has no neighbour to join."""
        kept = np.bincount(of_row, minlength=len(names)) >= self.fewest
        place = np.where(kept, np.cumsum(kept) - 1, OUTSIDE)
        return Bins(self.axis, tuple(itertools.compress(names, kept)), place[of_row])


class ByHistory(Slicing):
    """By the number of events read before the query."""

    axis = "events read"

    def _bins(self, ranks: RankTable) -> Bins:
        return self._ranges(ranks.history, 0)


class ByPosition(Slicing):
    """By whether a query is its user's or session's first, second, … of the test set, in the order of their numbers."""

    axis = "position among the user's queries"

    def _bins(self, ranks: RankTable) -> Bins:
        return self._ranges(positions(ranks), 1)


class ByPopularity(Slicing):
    """By the target's place in the training counts: thirds of all training events, and what training has not seen.

    An item belongs to the third in which its first event falls when items are laid out by falling count.
    """

    axis = "popularity of the target"

    def _bins(self, ranks: RankTable) -> Bins:
        counts = ranks.item_counts
        order = np.argsort(-counts, kind="stable")
        before = np.cumsum(counts[order]) - counts[order]
        third = np.empty(len(counts), dtype=np.int64)
        third[order] = np.minimum(2, 3 * before // max(1, counts.sum()))
        third[counts == 0] = 3
        of_row = np.where(ranks.target >= 0, third[np.maximum(ranks.target, 0)], 3)
        return self._classes(("head third", "middle third", "tail third", "unseen"), of_row)


class BySeen(Slicing):
    """By whether training has seen the target: seen, or unseen, where it may be a candidate or is a miss for all."""

    axis = "whether training has seen the target"

    def _bins(self, ranks: RankTable) -> Bins:
        cold = (ranks.item_counts == 0)[np.maximum(ranks.target, 0)].astype(np.int64)
        return self._classes(("seen", "unseen, a candidate", "unseen, a miss"), np.where(ranks.target >= 0, cold, 2))


SLICINGS: tuple[Slicing, ...] = (ByHistory(), ByPopularity(), ByPosition(), BySeen())


def positions(ranks: RankTable) -> np.ndarray:
    """The place of each row's query among the queries of its cluster, from 1 on, (R,) int64."""
    _, first, query = np.unique(ranks.query, return_index=True, return_inverse=True)
    cluster = ranks.cluster[first]
    order = np.argsort(cluster, kind="stable")
    fresh = np.concatenate([[True], cluster[order][1:] != cluster[order][:-1]])
    starts = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - starts + 1
    return place[query]
