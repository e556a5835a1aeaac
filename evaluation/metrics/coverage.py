"""Whole-table metrics: how far correct recommendations spread over users and items, without a mean over queries.

Ties count by expectation, independently for each query: an event with chance p in each query happens in at least one
with 1 − Π (1 − p). An item that repeats among a query's targets counts once. Definitions follow Devooght and Bersini
(2017) at their cut-off k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluation.metrics.accuracy import HitRate, check_cut_off
from evaluation.metrics.ties import TargetRanks
from evaluation.ranking.rank_table import RankTable


@dataclass(frozen=True)
class WholeTableMetric:
    """A metric of the whole rank table at cut-off ``k``."""

    k: int

    symbol: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True
    needs_lists: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    @property
    def name(self) -> str:
        """The displayed name, such as ItemCoverage@10."""
        return f"{self.symbol}@{self.k}"

    @property
    def mlflow_name(self) -> str:
        """The name in MLflow, such as itemcoverage_at_10."""
        return f"{self.symbol.lower()}_at_{self.k}"

    def measure(self, ranks: RankTable) -> float:
        """Return the value for all queries of ``ranks`` together."""
        raise NotImplementedError(f"{type(self).__name__} does not implement measure")

    def _chances(self, ranks: RankTable) -> np.ndarray:
        """Return P(rank ≤ k) of every target of ``ranks``, (R,)."""
        if ranks.repeat.any():
            raise ValueError(f"{self.name} is not defined for sampled candidates; rank all items")
        return TargetRanks.of(ranks.greater, ranks.tied, ranks.candidates, "expected").hits(self.k)


class UserCoverage(WholeTableMetric):
    """The share of users with at least one hit in any of their queries."""

    symbol = "UserCoverage"

    def measure(self, ranks: RankTable) -> float:
        """Return the mean over users."""
        chances, clusters = HitRate(self.k).per_query(ranks)
        return float(np.mean(_at_least_one(clusters, chances)))


class ItemCoverage(WholeTableMetric):
    """The number of distinct items recommended correctly at least once; it grows with the test set."""

    symbol = "ItemCoverage"

    def measure(self, ranks: RankTable) -> float:
        """Return the expected number of items."""
        ranks = ranks.distinct
        found = ranks.target >= 0
        return float(np.sum(_at_least_one(ranks.target[found], self._chances(ranks)[found])))


class ItemCoverageShare(ItemCoverage):
    """ItemCoverage over the number of items."""

    symbol = "ItemCoverageShare"

    def measure(self, ranks: RankTable) -> float:
        """Return the share of all items."""
        return super().measure(ranks) / ranks.num_items


class BlockbusterShare(WholeTableMetric):
    """The share of correct recommendations among the ⌊items / 100⌋ most popular items of training; 0 without hits."""

    symbol = "BlockbusterShare"
    higher_is_better = False

    def measure(self, ranks: RankTable) -> float:
        """Return the share; ValueError below 100 items, where no item is a blockbuster."""
        top = ranks.num_items // 100
        if top == 0:
            raise ValueError(f"{self.name} needs at least 100 items, got {ranks.num_items}")
        popular = np.zeros(ranks.num_items, dtype=bool)
        popular[np.argsort(-ranks.item_counts, kind="stable")[:top]] = True
        ranks = ranks.distinct
        found = ranks.target >= 0
        chances = self._chances(ranks)[found]
        total = chances.sum()
        return float(chances[popular[ranks.target[found]]].sum() / total) if total > 0 else 0.0


def _at_least_one(owners: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return 1 − Π (1 − p) over the chances of each owner."""
    _, where = np.unique(owners, return_inverse=True)
    none = np.ones(where.max(initial=-1) + 1)
    np.multiply.at(none, where, 1.0 - chances)
    return 1.0 - none
