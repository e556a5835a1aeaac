"""Metrics: every printed accuracy is a reduction of a RankTable; each metric is a frozen value with its formula.

A metric gives one value a query; its ``measure`` is the mean over queries (micro), its ``per_cluster`` the sums that
inference needs. Ties count by expectation unless ``ties`` says otherwise. With one target a query, Recall@k and
HitRate@k are the same number, and MAP@k equals MRR@k.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.queries import Queries
from evaluation.metrics.ties import TIES, worth
from evaluation.ranking.rank_table import RankTable

TIE_TOLERANCE = 0.001  # the optimistic and pessimistic readings of a sound model differ by less, relatively


@dataclass(frozen=True)
class Metric:
    """A mean over queries; ``k``: the cut-off, or None; ``ties``: how equal scores are read (see expectation)."""

    k: int | None = None
    ties: str = "expected"

    symbol: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True
    cut_off: ClassVar[str] = "required"  # "required", "optional" or "none"

    def __post_init__(self) -> None:
        if self.ties not in TIES:
            raise ValueError(f"ties must be one of {', '.join(TIES)}, got {self.ties!r}")
        if self.k is None and self.cut_off == "required":
            raise ValueError(f"{self.symbol} needs a cut-off k, such as {self.symbol}@20")
        if self.k is not None and self.cut_off == "none":
            raise ValueError(f"{self.symbol} has no cut-off, got k = {self.k}")
        if self.k is not None and (not isinstance(self.k, int) or isinstance(self.k, bool) or self.k < 1):
            raise ValueError(f"k must be a whole number of at least 1, got {self.k!r}")

    @property
    def name(self) -> str:
        """How it is shown, such as MRR@20."""
        shown = self.symbol if self.k is None else f"{self.symbol}@{self.k}"
        return shown if self.ties == "expected" else f"{shown} ({self.ties})"

    @property
    def mlflow_name(self) -> str:
        """How MLflow gets it, such as mrr_at_20."""
        shown = self.symbol.lower() if self.k is None else f"{self.symbol.lower()}_at_{self.k}"
        return shown if self.ties == "expected" else f"{shown}_{self.ties}"

    def per_query(self, ranks: RankTable) -> tuple[np.ndarray, np.ndarray]:
        """The value of each query (Q,) float64, averaged over its repeats, and its cluster (Q,)."""
        queries = Queries.of(ranks, self.ties)
        values = self._values(queries)
        first = np.flatnonzero(np.concatenate([[True], queries.query[1:] != queries.query[:-1]]))
        if len(first) < len(values):
            values = np.add.reduceat(values, first) / np.diff(np.append(first, len(values)))
        return values, queries.cluster[first]

    def per_cluster(self, ranks: RankTable) -> ClusterSums:
        """The metric's sum over the queries of each cluster, and their number."""
        values, clusters = self.per_query(ranks)
        return ClusterSums.of(clusters, values)

    def measure(self, ranks: RankTable) -> float:
        """The mean over all queries (micro); ``per_cluster(ranks).macro`` is the mean over users."""
        return self.per_cluster(ranks).micro

    def _values(self, queries: Queries) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} does not say how a query is valued")


class MRR(Metric):
    """Mean reciprocal rank of the best placed target; 0 beyond the cut-off, if there is one."""

    symbol = "MRR"
    cut_off = "optional"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.first_hit("reciprocal", self.k)


class Recall(Metric):
    """The share of a query's targets among the first k (dropped targets count as missed)."""

    symbol = "Recall"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.mean(queries.places.hits(self.k))


class HitRate(Metric):
    """The share of queries with at least one target among the first k."""

    symbol = "HitRate"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.first_hit("any", self.k)


class SPS(Metric):
    """Short-term prediction success: the share of queries whose first target is among the first k (Devooght 2017)."""

    symbol = "SPS"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.first(queries.places.hits(self.k))


class Precision(Metric):
    """The share of the first k places that hold a target."""

    symbol = "Precision"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.total(queries.places.hits(self.k)) / self.k


class MAP(Metric):
    """Mean average precision at k, normalised by the smaller of k and the number of targets."""

    symbol = "MAP"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.average_precision(self.k)


class NDCG(Metric):
    """Discounted gain Σ 1 / log2(rank + 1) over targets within k, relative to the best order of as many targets."""

    symbol = "NDCG"
    cut_off = "optional"

    def _values(self, queries: Queries) -> np.ndarray:
        most = int(queries.sizes.max())
        ideal = np.cumsum(worth(np.arange(1.0, (most if self.k is None else min(most, self.k)) + 1), "log"))
        return queries.total(queries.places.gain(self.k)) / ideal[np.minimum(queries.sizes, len(ideal)) - 1]


class MeanRank(Metric):
    """The mean rank over a query's targets, 1 the best; a miss stands just behind the last candidate."""

    symbol = "MeanRank"
    higher_is_better = False
    cut_off = "none"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.mean(queries.places.rank())


METRICS: dict[str, Callable[..., Metric]] = {
    kind.symbol.lower(): kind for kind in (MRR, Recall, HitRate, SPS, Precision, MAP, NDCG, MeanRank)
}

WHOLE_TABLE = ("usercoverage", "itemcoverage", "itemcoverageshare", "blockbustershare", "cataloguecoverage", "gini",
               "novelty", "popularitylift", "intralistsimilarity")  # fmt: skip


def metric_named(name: str) -> Metric:
    """The metric of a shown or MLflow name in any case: "mrr@20", "Recall@20", "ndcg_at_10", "MRR (optimistic)".

    Raises ValueError with the known names.
    """
    found = re.fullmatch(r"\s*([a-z]+)(?:(?:@|_at_)(\d+))?(?:[ _]\(?(optimistic|pessimistic)\)?)?\s*", name.lower())
    if found is not None and found[1] in WHOLE_TABLE:
        raise ValueError(
            f"{name!r} is measured on all queries together, or on the kept lists, and is no mean over queries; it has "
            f"no test by user (see evaluation.metrics.coverage and evaluation.metrics.lists)"
        )
    if found is None or found[1] not in METRICS:
        known = ", ".join(f"{kind.symbol}" for kind in METRICS.values())
        raise ValueError(f"unknown metric {name!r}: known are {known}, with a cut-off such as MRR@20")
    return METRICS[found[1]](int(found[2]) if found[2] else None, found[3] or "expected")


@dataclass(frozen=True)
class TieSpread:
    """A metric under the best and the worst luck among equal scores; flagged when the two are not the same number."""

    optimistic: float
    pessimistic: float

    @property
    def flagged(self) -> bool:
        """Whether the two differ by more than 0.1 %, relative to the larger."""
        return abs(self.optimistic - self.pessimistic) > TIE_TOLERANCE * max(self.optimistic, self.pessimistic)


def tie_spread(metric: Metric, ranks: RankTable) -> TieSpread:
    """The optimistic and the pessimistic value of ``metric``."""
    return TieSpread(*(replace(metric, ties=ties).measure(ranks) for ties in ("optimistic", "pessimistic")))
