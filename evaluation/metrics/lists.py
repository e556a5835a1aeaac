"""Lists: what is recommended, right or not; measures of the kept top-k lists, one list a query."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from evaluation.metrics.coverage import BlockbusterShare, ItemCoverage, ItemCoverageShare, Reach, UserCoverage
from evaluation.ranking.rank_table import RankTable


class _OfLists(Reach):
    """A measure of the first k places of the kept lists; a suite that names one keeps lists of that length."""

    needs_lists: ClassVar[bool] = True

    def _lists(self, ranks: RankTable) -> np.ndarray:
        """The lists (Q, k), −1 where a list has fewer; ValueError if they were not kept, or not so far."""
        if ranks.top_items is None:
            raise ValueError(f"{self.name} needs the recommended lists, which were not kept; rank with top_k={self.k}")
        kept = ranks.top_items.shape[1]
        if kept < self.k:
            raise ValueError(f"{self.name} needs lists of {self.k} items, but {kept} were kept")
        return ranks.top_items[:, : self.k]

    def _recommended(self, ranks: RankTable) -> np.ndarray:
        """How often each item was recommended, (num_items,)."""
        items = self._lists(ranks)
        return np.bincount(items[items >= 0], minlength=ranks.num_items)


class CatalogueCoverage(_OfLists):
    """The share of items that stand in at least one list."""

    symbol = "CatalogueCoverage"

    def measure(self, ranks: RankTable) -> float:
        """See Reach.measure."""
        return float(np.mean(self._recommended(ranks) > 0))


class Gini(_OfLists):
    """How unevenly items are recommended: 0 if all alike, towards 1 if always the same few.

    Σ (2 i − n − 1) x_i / (n Σ x) over the ascending frequencies x_i of all n items.
    """

    symbol = "Gini"
    higher_is_better = False

    def measure(self, ranks: RankTable) -> float:
        """See Reach.measure."""
        x = np.sort(self._recommended(ranks)).astype(np.float64)
        n = len(x)
        return float(((2 * np.arange(1, n + 1) - n - 1) @ x) / (n * x.sum()))


class Novelty(_OfLists):
    """The mean self-information −log2 p of recommended items, p = (count + 1) / (events + items) in training."""

    symbol = "Novelty"

    def measure(self, ranks: RankTable) -> float:
        """See Reach.measure."""
        p = (ranks.item_counts + 1.0) / (ranks.item_counts.sum() + ranks.num_items)
        often = self._recommended(ranks)
        return float(often @ -np.log2(p) / often.sum())


class PopularityLift(_OfLists):
    """The mean training count of recommended items over that of the true targets, minus 1: 0 is no popularity bias."""

    symbol = "PopularityLift"
    higher_is_better = False

    def measure(self, ranks: RankTable) -> float:
        """See Reach.measure; ValueError if no target occurs in training."""
        often = self._recommended(ranks)
        true = ranks.item_counts[ranks.target[ranks.target >= 0]].mean() if (ranks.target >= 0).any() else 0.0
        if true == 0:
            raise ValueError(f"{self.name} needs targets that occur in training, of which there are none")
        return float(often @ ranks.item_counts / often.sum() / true - 1.0)


class IntraListSimilarity(_OfLists):
    """The mean cosine between the items of a list, over all pairs and lists: 1 is a list of alike items."""

    symbol = "IntraListSimilarity"
    higher_is_better = False

    def measure(self, ranks: RankTable, vectors: np.ndarray | None = None) -> float:
        """The value for item ``vectors`` (num_items, D), such as genres; a zero vector is like no other."""
        if vectors is None or len(vectors) != ranks.num_items:
            raise ValueError(f"{self.name} needs a vector for each of the {ranks.num_items} items")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = np.divide(vectors, norms, out=np.zeros_like(vectors, dtype=np.float64), where=norms > 0)
        values = []
        for row in self._lists(ranks):
            items = row[row >= 0]
            if len(items) > 1:
                part = unit[items]
                total = part.sum(axis=0)  # Σ_{i≠j} u_i·u_j = |Σ u|² − Σ |u|²
                values.append((total @ total - (part * part).sum()) / (len(items) * (len(items) - 1)))
        return float(np.mean(values)) if values else 0.0


OF_RANKS = (UserCoverage, ItemCoverage, ItemCoverageShare, BlockbusterShare)
OF_LISTS = (CatalogueCoverage, Gini, Novelty, PopularityLift)


def reach_named(name: str) -> Reach | None:
    """The measure shown as ``name``, such as Gini@20; None if it is none of OF_RANKS and OF_LISTS."""
    symbol, at, k = name.partition("@")
    kind = next((kind for kind in (*OF_RANKS, *OF_LISTS) if kind.symbol == symbol), None)
    return kind(int(k)) if kind is not None and at and k.isdigit() else None
