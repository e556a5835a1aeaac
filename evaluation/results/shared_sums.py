"""Sums by user that may be published: in a drawn order, and pooled where the number of queries singles a user out.

Who has the data knows how many test queries each user has, and the rank of an item by popularity is the item. A user
whose number of queries few others share could therefore be found again, and from the sums of a popularity model what
that user chose. So users whose number fewer than LEAST users share are pooled, at least LEAST in a pool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.ranking.rank_table import RankTable

_COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied", "item_counts")
LEAST = 10  # users that share a published number of queries, or a pool


@dataclass(frozen=True, eq=False)
class DrawnClusters:
    """New numbers of G clusters.

    owner (G,): the new number of each. numbering: names the order. pooled: how many clusters share theirs.
    """

    owner: np.ndarray
    numbering: str
    pooled: int

    @classmethod
    def of(cls, counts: np.ndarray, rng: np.random.Generator) -> DrawnClusters:
        """Draw the numbers of clusters with ``counts`` (G,) queries."""
        group = _pools(counts, rng)
        numbers, sizes = np.unique(group, return_counts=True)
        drawn = rng.permutation(len(numbers))
        owner = drawn[np.searchsorted(numbers, group)]
        return cls(owner, _digest({"owner": owner})[:16], int(sizes[sizes > 1].sum()))

    @property
    def total(self) -> int:
        """The number of new clusters."""
        return int(self.owner.max()) + 1

    def apply(self, sums: ClusterSums) -> ClusterSums:
        """Return the sums under the new numbers."""
        added = np.bincount(self.owner, weights=sums.sums, minlength=self.total)
        counts = np.bincount(self.owner, weights=sums.counts, minlength=self.total).astype(np.int64)
        return ClusterSums(np.arange(self.total), added, counts, self.numbering)


def _pools(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the number of the pool of each cluster, (G,); most clusters have one of their own."""
    values, sizes = np.unique(counts, return_counts=True)
    rare = np.isin(counts, values[sizes < LEAST])
    while 0 < rare.sum() < LEAST and not rare.all():  # too few for a pool: those with the next rarest number join
        common = values[np.isin(values, counts[~rare])]
        rarest = min(common, key=lambda value: (int((counts == value).sum()), int(value)))
        rare |= counts == rarest
    pool = np.arange(len(counts))
    chosen = np.flatnonzero(rare)
    order = chosen[np.lexsort((rng.random(len(chosen)), counts[chosen]))]  # similar numbers together
    for part in np.array_split(order, len(order) // LEAST) if len(order) >= LEAST else [order]:
        pool[part] = part[0] if len(part) else 0
    return pool


def drawing(ranks: RankTable) -> np.random.Generator:
    """The generator that draws the order of a test part's users: equal ones give one order, on any machine.

    Only who has every target of the test part, and so all that the order hides, can draw it again.
    """
    columns = {name: getattr(ranks, name).astype("<i8") for name in ("cluster", "query", "target")}
    return np.random.default_rng(int(_digest(columns), 16))


def rank_digest(ranks: RankTable) -> str:
    """The SHA-256 of a cell's ranks and lists, by which a rerun is compared with a cell that withholds them."""
    columns = {name: getattr(ranks, name) for name in (*_COLUMNS, "top_items")}
    return _digest({name: column for name, column in columns.items() if column is not None})


def _digest(columns: Mapping[str, np.ndarray]) -> str:
    """The SHA-256 of named arrays."""
    digest = hashlib.sha256()
    for name, column in columns.items():
        digest.update(f"{name} {column.dtype} {column.shape}\n".encode() + np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
