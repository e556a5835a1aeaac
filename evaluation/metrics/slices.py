"""Slices: the rows of a RankTable in bins, so that any metric can be measured in each bin.

A Slicing is a value; ``of`` applies it to a table. Each row, that is each target, has one bin: where a query has
several targets, a slicing by target measures the query in each bin on its targets in that bin.
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
from recsys_data.checks import check_range

OUTSIDE = -1  # the bin of a row that belongs to no bin
_EDGES = (0, 1, 2, 3, 6, 11, 21, 51, 101, 201, 501)  # first values of the bins of a count
_COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied")


class Measure(Protocol):
    """Anything that measures a rank table as one number: a Metric or a WholeTableMetric."""

    def measure(self, ranks: RankTable) -> float:
        """Return the value for all rows of ``ranks``."""


@dataclass(frozen=True, eq=False)
class Bins:
    """The rows of a table in named bins. axis: the criterion; bin (R,) int64: the index in names of each row's bin."""

    axis: str
    names: tuple[str, ...]
    bin: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """The number of rows of each bin, (len(names),) int64."""
        return np.bincount(self.bin[self.bin != OUTSIDE], minlength=len(self.names))

    def subset(self, ranks: RankTable, n: int) -> RankTable:
        """Return the rows of ``ranks`` in bin ``n``; ``ranks`` may be another model's on the same test set."""
        self._check_rows(ranks)
        return select_rows(ranks, self.bin == n)

    @cached_property
    def rows(self) -> list[np.ndarray]:
        """The row numbers of each bin, ascending."""
        return [np.flatnonzero(self.bin == n) for n in range(len(self.names))]

    def measure(self, metric: Measure, ranks: RankTable) -> list[float]:
        """Return the metric in each bin, in the order of names.

        Where every query is one row, its value is the same in its bin as in the whole table and is computed once.
        """
        if not isinstance(metric, Metric) or not (ranks.query[1:] > ranks.query[:-1]).all():
            return [metric.measure(self.subset(ranks, n)) for n in range(len(self.names))]
        self._check_rows(ranks)
        values, clusters = metric.per_query(ranks)
        return [ClusterSums.of(clusters[rows], values[rows]).micro for rows in self.rows]

    def _check_rows(self, ranks: RankTable) -> None:
        if len(ranks) != len(self.bin):
            raise ValueError(f"these bins have {len(self.bin)} rows, but the rank table has {len(ranks)}")


def select_rows(ranks: RankTable, mask: np.ndarray) -> RankTable:
    """Return the rows of a rank table where ``mask`` (R,) is true.

    Where lists are stored, queries are renumbered, so that list q belongs to query q.
    """
    columns = {name: getattr(ranks, name)[mask] for name in _COLUMNS}
    if ranks.top_items is None:
        return dataclasses.replace(ranks, **columns)
    queries, columns["query"] = np.unique(columns["query"], return_inverse=True)
    return dataclasses.replace(ranks, **columns, top_items=ranks.top_items[queries])


@dataclass(frozen=True)
class Slicing:
    """A criterion that assigns rows to bins; ``min_rows``: the smallest size of a bin."""

    min_rows: int = 20

    axis: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_range(self, "min_rows", at_least=1)

    def of(self, ranks: RankTable) -> Bins:
        """Assign the rows of a rank table to bins; ValueError if it has no rows."""
        if len(ranks) == 0:
            raise ValueError("this rank table has no rows, so nothing can be sliced")
        return self._bins(ranks)

    def _bins(self, ranks: RankTable) -> Bins:
        raise NotImplementedError(f"{type(self).__name__} does not implement _bins")

    def _range_bins(self, values: np.ndarray, first: int) -> Bins:
        """Bins of whole numbers from ``first``; a small bin joins the next one, the last one the previous."""
        longest = int(values.max())
        edges = [first]
        for cut in (edge for edge in _EDGES if first < edge <= longest):
            if np.count_nonzero((values >= edges[-1]) & (values < cut)) >= self.min_rows:
                edges.append(cut)
        if len(edges) > 1 and np.count_nonzero(values >= edges[-1]) < self.min_rows:
            edges.pop()
        pairs = itertools.pairwise([*edges, longest + 1])
        names = tuple(str(left) if right == left + 1 else f"{left}–{right - 1}" for left, right in pairs)
        return Bins(self.axis, names, np.searchsorted(edges, values, side="right") - 1)

    def _class_bins(self, names: tuple[str, ...], of_row: np.ndarray) -> Bins:
        """Bins of named classes of rows; a small bin is dropped, since it has no neighbour to join."""
        large = np.bincount(of_row, minlength=len(names)) >= self.min_rows
        index = np.where(large, np.cumsum(large) - 1, OUTSIDE)
        return Bins(self.axis, tuple(itertools.compress(names, large)), index[of_row])


class ByHistory(Slicing):
    """By the number of events read before the query."""

    axis = "history length"

    def _bins(self, ranks: RankTable) -> Bins:
        return self._range_bins(ranks.history, 0)


class ByPosition(Slicing):
    """By whether a query is the first, second, … of its user or session in the test set."""

    axis = "position among the user's queries"

    def _bins(self, ranks: RankTable) -> Bins:
        return self._range_bins(positions(ranks), 1)


class ByPopularity(Slicing):
    """By the training count of the target: thirds of all training events, and items unseen in training.

    With items sorted by descending count, an item belongs to the third that its first event falls into.
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
        return self._class_bins(("head third", "middle third", "tail third", "unseen"), of_row)


class BySeen(Slicing):
    """By whether the target occurs in training: seen; unseen but a candidate; unseen and a miss for every model."""

    axis = "whether training has seen the target"

    def _bins(self, ranks: RankTable) -> Bins:
        cold = (ranks.item_counts == 0)[np.maximum(ranks.target, 0)].astype(np.int64)
        return self._class_bins(("seen", "unseen, a candidate", "unseen, a miss"), np.where(ranks.target >= 0, cold, 2))


SLICINGS: tuple[Slicing, ...] = (ByHistory(), ByPopularity(), ByPosition(), BySeen())


def positions(ranks: RankTable) -> np.ndarray:
    """Return the position of each row's query among the queries of its cluster, from 1, (R,) int64."""
    _, first, query = np.unique(ranks.query, return_index=True, return_inverse=True)
    cluster = ranks.cluster[first]
    order = np.argsort(cluster, kind="stable")
    is_first = np.concatenate([[True], cluster[order][1:] != cluster[order][:-1]])
    starts = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order)) - starts + 1
    return position[query]
