"""Per-cluster sums of several models on one test set: the input of user-level inference."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums


class UnequalTestSets(ValueError):
    """Two results have different queries or clusters, so they cannot be paired."""


@dataclass(frozen=True, eq=False)
class PairedSums:
    """The sums of M models on G clusters.

    models: the labels; clusters (G,); counts (G,) int64 n_u: the queries of each cluster; sums (G, M) float64: the
    metric summed over the cluster's queries, averaged over the model's seeds.
    """

    models: tuple[str, ...]
    clusters: np.ndarray
    counts: np.ndarray
    sums: np.ndarray

    @classmethod
    def of(cls, results: Mapping[str, Sequence[ClusterSums]]) -> PairedSums:
        """Average each model's seeds. Raises UnequalTestSets, and ValueError for fewer than two clusters."""
        first_name, first = next((name, seeds[0]) for name, seeds in results.items())
        columns = []
        for name, seeds in results.items():
            for found in seeds:
                check_same_test_set(first, found, first_name, name)
            columns.append(np.mean([found.sums for found in seeds], axis=0))
        if len(first.clusters) < 2:
            raise ValueError("got one user (cluster); a comparison needs at least two to estimate how users vary")
        return cls(tuple(results), first.clusters, first.counts, np.stack(columns, axis=1))

    @property
    def num_clusters(self) -> int:
        """G."""
        return len(self.counts)

    @property
    def num_events(self) -> int:
        """N = Σ n_u."""
        return int(self.counts.sum())

    @cached_property
    def means(self) -> np.ndarray:
        """The micro mean of each model (over events), (M,)."""
        return self.sums.sum(axis=0) / self.num_events

    @cached_property
    def macro(self) -> np.ndarray:
        """The macro mean of each model (over clusters), (M,)."""
        return (self.sums / self.counts[:, None]).mean(axis=0)

    def index(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Return the columns of each pair of labels, (P, 2) int64."""
        columns = {name: m for m, name in enumerate(self.models)}
        return np.array([(columns[a], columns[b]) for a, b in pairs], dtype=np.int64).reshape(-1, 2)

    def differences(self, pairs: np.ndarray) -> np.ndarray:
        """Return D_u = sums of a − sums of b for each pair (P, 2), (G, P)."""
        return self.sums[:, pairs[:, 0]] - self.sums[:, pairs[:, 1]]

    def generator(self, purpose: str) -> np.random.Generator:
        """Return a generator seeded by the test set (its counts) and the purpose, not by any model.

        So equal results give equal bytes, and adding a model changes no other pair's numbers.
        """
        counts = np.ascontiguousarray(self.counts, dtype="<i8").tobytes()
        digest = hashlib.sha256(purpose.encode() + b"|" + counts).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def check_same_test_set(first: ClusterSums, other: ClusterSums, first_name: str, other_name: str) -> None:
    """Raise UnequalTestSets unless both have the same clusters with equally many queries."""
    if first.numbering != other.numbering:
        raise UnequalTestSets(
            f"the clusters of {first_name} and {other_name} are numbered differently: only one is of a bundle made for "
            f"sharing, or the two bundles have different orders; make a new one of both (bundle --share)"
        )
    if len(first.clusters) != len(other.clusters):
        raise UnequalTestSets(
            f"{first_name} was tested on {len(first.clusters)} clusters but {other_name} on {len(other.clusters)}; "
            f"a comparison needs the same test set"
        )
    for what, ours, theirs in (("clusters", first.clusters, other.clusters), ("queries", first.counts, other.counts)):
        unequal = np.flatnonzero(ours != theirs)
        if len(unequal):
            u = int(unequal[0])
            raise UnequalTestSets(
                f"{first_name} and {other_name} differ in their {what}, first at cluster {first.clusters[u]}: "
                f"{ours[u]} against {theirs[u]}; a comparison needs the same test set"
            )
