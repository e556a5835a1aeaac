"""Sum of a metric and number of queries for each cluster: all that inference needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ClusterSums:
    """A metric summed over the queries of each cluster (user or session).

    clusters (G,) int: ascending, without repetition; sums (G,) float64: the metric summed over the cluster's queries;
    counts (G,) int64: the number of those queries. numbering: which order a bundle made for sharing drew for its
    clusters; empty for the clusters of the data.
    """

    clusters: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    numbering: str = ""

    @classmethod
    def of(cls, clusters: np.ndarray, values: np.ndarray) -> ClusterSums:
        """Sum ``values`` (Q,), one per query, over the cluster of each query (Q,)."""
        found, where = _grouped(clusters)
        sums = np.bincount(where, weights=values, minlength=len(found))
        return cls(found, sums, np.bincount(where, minlength=len(found)).astype(np.int64))

    @property
    def micro(self) -> float:
        """The mean over queries (events): users with more queries weigh more."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def macro(self) -> float:
        """The mean over clusters of each cluster's own mean: users weigh the same."""
        return float(np.mean(self.sums / self.counts))


def _grouped(clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return np.unique(clusters, return_inverse=True) without a sort where clusters are sorted, as in stored ranks."""
    if len(clusters) == 0 or (clusters[1:] < clusters[:-1]).any():
        return np.unique(clusters, return_inverse=True)
    is_first = np.empty(len(clusters), dtype=bool)
    is_first[0] = True
    np.not_equal(clusters[1:], clusters[:-1], out=is_first[1:])
    return clusters[is_first], np.cumsum(is_first) - 1
