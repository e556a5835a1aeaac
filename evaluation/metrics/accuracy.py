"""Accuracy metrics: reductions of a RankTable to one value per query.

``measure`` is the mean over queries (micro), ``per_cluster`` the sums that inference needs. Ties count by expectation
unless ``ties`` says otherwise. With one target per query, Recall@k equals HitRate@k and MAP@k equals MRR@k.

The targets of a query are a set: an item that repeats among them counts once. Where each target is ranked among
candidates of its own (sampled ranking), Precision, MAP and NDCG are means over the lists of a query's targets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.queries import Queries
from evaluation.metrics.ties import TIES, rank_weight
from evaluation.ranking.rank_table import RankTable
from recsys_data.checks import check_choice

TIE_TOLERANCE = 0.001  # relative difference of the optimistic and the pessimistic value; a sound model is below


def check_cut_off(k: Any) -> None:
    """Raise ValueError unless ``k`` is a whole number of at least 1."""
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be a whole number of at least 1, got {k!r}")


@dataclass(frozen=True)
class Metric:
    """A mean over queries; ``k``: the cut-off, or None; ``ties``: the tie rule (see evaluation.metrics.ties)."""

    k: int | None = None
    ties: str = "expected"

    symbol: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True
    upper_bound: ClassVar[float] = 1.0  # no value is above it, and none is below 0
    cut_off: ClassVar[str] = "required"  # "required", "optional" or "none"

    def __post_init__(self) -> None:
        check_choice(self, "ties", TIES)
        if self.k is None and self.cut_off == "required":
            raise ValueError(f"{self.symbol} needs a cut-off k, such as {self.symbol}@20")
        if self.k is not None and self.cut_off == "none":
            raise ValueError(f"{self.symbol} has no cut-off, got k = {self.k}")
        if self.k is not None:
            check_cut_off(self.k)

    @property
    def name(self) -> str:
        """The displayed name, such as MRR@20."""
        shown = self.symbol if self.k is None else f"{self.symbol}@{self.k}"
        return shown if self.ties == "expected" else f"{shown} ({self.ties})"

    @property
    def mlflow_name(self) -> str:
        """The name in MLflow, such as mrr_at_20."""
        shown = self.symbol.lower() if self.k is None else f"{self.symbol.lower()}_at_{self.k}"
        return shown if self.ties == "expected" else f"{shown}_{self.ties}"

    def per_query(self, ranks: RankTable) -> tuple[np.ndarray, np.ndarray]:
        """Return the value of each query (Q,) float64, averaged over repeats, and its cluster (Q,)."""
        queries = Queries.of(ranks, self.ties)
        values = self._values(queries)
        first = np.flatnonzero(np.concatenate([[True], queries.query[1:] != queries.query[:-1]]))
        if len(first) < len(values):
            values = np.add.reduceat(values, first) / np.diff(np.append(first, len(values)))
        return values, queries.cluster[first]

    def per_cluster(self, ranks: RankTable) -> ClusterSums:
        """Return the metric's sum over the queries of each cluster, and their number."""
        values, clusters = self.per_query(ranks)
        return ClusterSums.of(clusters, values)

    def measure(self, ranks: RankTable) -> float:
        """Return the mean over all queries (micro); ``per_cluster(ranks).macro`` is the mean over users."""
        return self.per_cluster(ranks).micro

    def _values(self, queries: Queries) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} does not implement _values")


class MRR(Metric):
    """Mean reciprocal rank of the best ranked target; 0 beyond the cut-off, if there is one.

    A target that repeats changes nothing.
    """

    symbol = "MRR"
    cut_off = "optional"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.first_hit("reciprocal", self.k)


class Recall(Metric):
    """The share of a query's targets among the first k (dropped targets are misses).

    A target that repeats counts once, in numerator and denominator; Devooght's program counts it once in the numerator
    and each time in the denominator.
    """

    symbol = "Recall"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.mean(queries.target_ranks.hits(self.k))


class HitRate(Metric):
    """The share of queries with at least one target among the first k; a target that repeats changes nothing."""

    symbol = "HitRate"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.first_hit("any", self.k)


class SPS(Metric):
    """Short-term prediction success: the share of queries whose first target is among the first k (Devooght 2017).

    Later occurrences of the first target change nothing.
    """

    symbol = "SPS"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.first(queries.target_ranks.hits(self.k))


class Precision(Metric):
    """The share of the first k ranks that hold a target; one that repeats holds one rank."""

    symbol = "Precision"

    def _values(self, queries: Queries) -> np.ndarray:
        hits = queries.target_ranks.hits(self.k)
        return (queries.total(hits) if queries.one_list else queries.mean(hits)) / self.k


class MAP(Metric):
    """Mean average precision at k, normalised by the smaller of k and the number of different targets."""

    symbol = "MAP"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.average_precision(self.k)


class NDCG(Metric):
    """Discounted gain Σ 1 / log2(rank + 1) over targets within k, relative to the best order of as many targets.

    Gains are binary: a target that repeats gains once, and counts once in the best order.
    """

    symbol = "NDCG"
    cut_off = "optional"

    def _values(self, queries: Queries) -> np.ndarray:
        if not queries.one_list:
            return queries.mean(queries.target_ranks.gain(self.k))  # one target's best gain is 1
        most = int(queries.sizes.max())
        ideal = np.cumsum(rank_weight(np.arange(1.0, (most if self.k is None else min(most, self.k)) + 1), "log"))
        return queries.total(queries.target_ranks.gain(self.k)) / ideal[np.minimum(queries.sizes, len(ideal)) - 1]


class MeanRank(Metric):
    """The mean rank over a query's different targets, 1 is best; a miss ranks one below the last candidate."""

    symbol = "MeanRank"
    higher_is_better = False
    upper_bound = math.inf
    cut_off = "none"

    def _values(self, queries: Queries) -> np.ndarray:
        return queries.mean(queries.target_ranks.rank())


METRICS: dict[str, Callable[..., Metric]] = {
    kind.symbol.lower(): kind for kind in (MRR, Recall, HitRate, SPS, Precision, MAP, NDCG, MeanRank)
}

WHOLE_TABLE = ("usercoverage", "itemcoverage", "itemcoverageshare", "blockbustershare", "cataloguecoverage", "gini",
               "novelty", "popularitylift")  # fmt: skip


def metric_named(name: str) -> Metric:
    """Return the metric with a displayed or MLflow name in any case: "mrr@20", "ndcg_at_10", "MRR (optimistic)".

    Raises ValueError that lists the known names.
    """
    found = re.fullmatch(r"\s*([a-z]+)(?:(?:@|_at_)(\d+))?(?:[ _]\(?(optimistic|pessimistic)\)?)?\s*", name.lower())
    if found is not None and found[1] in WHOLE_TABLE:
        raise ValueError(
            f"{name!r} is measured on all queries together and is no mean over queries, so it has no test by user; "
            f"choose one of {_known_names()}"
        )
    if found is None or found[1] not in METRICS:
        raise ValueError(f"unknown metric {name!r}: known are {_known_names()}, with a cut-off such as MRR@20")
    return METRICS[found[1]](int(found[2]) if found[2] else None, found[3] or "expected")


def _known_names() -> str:
    return ", ".join(kind.symbol for kind in METRICS.values())


@dataclass(frozen=True)
class TieSpread:
    """A metric with targets first and last among their ties."""

    optimistic: float
    pessimistic: float

    @property
    def flagged(self) -> bool:
        """Whether tie-breaking changes the value by more than 0.1 % of the larger one."""
        return abs(self.optimistic - self.pessimistic) > TIE_TOLERANCE * max(self.optimistic, self.pessimistic)
