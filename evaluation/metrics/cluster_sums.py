"""ClusterSums: what inference needs of a metric: a sum and a number of queries for each cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ClusterSums:
    """A metric collapsed to its clusters (users or sessions).

    clusters (G,) int: ascending, without repetition; sums (G,) float64: the metric summed over the cluster's queries;
    counts (G,) int64: the number of those queries.
    """

    clusters: np.ndarray
    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, clusters: np.ndarray, values: np.ndarray) -> ClusterSums:
        """The sums of ``values`` (Q,), one a query, over the cluster of each query (Q,)."""
        found, where = _grouped(clusters)
        sums = np.bincount(where, weights=values, minlength=len(found))
        return cls(found, sums, np.bincount(where, minlength=len(found)).astype(np.int64))

    @property
    def micro(self) -> float:
        """The mean over queries (events): heavy users count for more."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def macro(self) -> float:
        """The mean over clusters of each cluster's own mean: every user counts the same."""
        return float(np.mean(self.sums / self.counts))


def _grouped(clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What np.unique(clusters, return_inverse=True) returns, without sorting what is in order, as stored ranks are."""
    if len(clusters) == 0 or (clusters[1:] < clusters[:-1]).any():
        return np.unique(clusters, return_inverse=True)
    fresh = np.empty(len(clusters), dtype=bool)
    fresh[0] = True
    np.not_equal(clusters[1:], clusters[:-1], out=fresh[1:])
    return clusters[fresh], np.cumsum(fresh) - 1
