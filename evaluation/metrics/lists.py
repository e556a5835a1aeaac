"""List metrics: properties of the stored top-k lists, one per query, whether or not they contain the target."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from evaluation.metrics.coverage import (
    BlockbusterShare,
    ItemCoverage,
    ItemCoverageShare,
    UserCoverage,
    WholeTableMetric,
)
from evaluation.ranking.rank_table import RankTable


class TopKListMetric(WholeTableMetric):
    """A metric of the first k items of the stored lists; a suite that names one stores lists of that length."""

    needs_lists: ClassVar[bool] = True

    def _lists(self, ranks: RankTable) -> np.ndarray:
        """Return the lists (Q, k), padded with −1; ValueError if they were not stored or are shorter than k."""
        if ranks.top_items is None:
            raise ValueError(
                f"{self.name} needs the recommended lists, which were not stored; rank with top_k={self.k}"
            )
        length = ranks.top_items.shape[1]
        if length < self.k:
            raise ValueError(f"{self.name} needs lists of {self.k} items, but the stored ones have {length}")
        return ranks.top_items[:, : self.k]

    def _recommended(self, ranks: RankTable) -> np.ndarray:
        """Return how often each item is recommended, (num_items,)."""
        items = self._lists(ranks)
        return np.bincount(items[items >= 0], minlength=ranks.num_items)


class CatalogueCoverage(TopKListMetric):
    """The share of items that are in at least one list."""

    symbol = "CatalogueCoverage"

    def measure(self, ranks: RankTable) -> float:
        """Return the share of the catalogue."""
        return float(np.mean(self._recommended(ranks) > 0))


class Gini(TopKListMetric):
    """The inequality of recommendation frequencies: 0 if all are equal, near 1 if few items get all.

    Σ (2 i − n − 1) x_i / (n Σ x) over the ascending frequencies x_i of all n items.
    """

    symbol = "Gini"
    higher_is_better = False

    def measure(self, ranks: RankTable) -> float:
        """Return the Gini coefficient."""
        x = np.sort(self._recommended(ranks)).astype(np.float64)
        n = len(x)
        return float(((2 * np.arange(1, n + 1) - n - 1) @ x) / (n * x.sum()))


class Novelty(TopKListMetric):
    """The mean self-information −log2 p of recommended items, p = (count + 1) / (events + items) in training."""

    symbol = "Novelty"

    def measure(self, ranks: RankTable) -> float:
        """Return the mean in bits."""
        p = (ranks.item_counts + 1.0) / (ranks.item_counts.sum() + ranks.num_items)
        frequencies = self._recommended(ranks)
        return float(frequencies @ -np.log2(p) / frequencies.sum())


class PopularityLift(TopKListMetric):
    """The mean training count of recommended items over that of the true targets, minus 1: 0 is no popularity bias.

    A target that repeats in a query counts once.
    """

    symbol = "PopularityLift"
    higher_is_better = False

    def measure(self, ranks: RankTable) -> float:
        """Return the lift; ValueError if no target occurs in training."""
        frequencies = self._recommended(ranks)
        targets = ranks.distinct.target
        true = ranks.item_counts[targets[targets >= 0]].mean() if (targets >= 0).any() else 0.0
        if true == 0:
            raise ValueError(f"{self.name} needs at least one target that occurs in training, got none")
        return float(frequencies @ ranks.item_counts / frequencies.sum() / true - 1.0)


COVERAGE_METRICS = (UserCoverage, ItemCoverage, ItemCoverageShare, BlockbusterShare)
LIST_METRICS = (CatalogueCoverage, Gini, Novelty, PopularityLift)


def whole_table_metric_named(name: str) -> WholeTableMetric | None:
    """Return the metric displayed as ``name``, such as Gini@20; None if COVERAGE_METRICS and LIST_METRICS lack it."""
    symbol, at, k = name.partition("@")
    kind = next((kind for kind in (*COVERAGE_METRICS, *LIST_METRICS) if kind.symbol == symbol), None)
    return kind(int(k)) if kind is not None and at and k.isdigit() else None
