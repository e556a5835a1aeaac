"""Random: a random ranking for every history, the lower bound for all baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from recsys_data.lazy_module import LazyModule
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

if TYPE_CHECKING:
    from baselines.simple import hash_kernels
else:
    hash_kernels = LazyModule("baselines.simple.hash_kernels")


@dataclass
class Random:
    """Scores an item by a hash in [0, 1) of the seed, the user and the items read.

    The same history gets the same ranking in any batch; different histories get independent ones, empty histories and
    unknown users included. Scores have 24 bits: ties are rare.
    """

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"chance"})

    def fit(self, train: TrainingSet, run: Run) -> Random:
        """Draw a key for each item."""
        self.keys_ = run.generator("item keys").integers(0, 2**64, size=train.num_items, dtype=np.uint64)
        self.salt_ = np.uint64(run.derived_seed("history salt"))
        return self

    def score(self, batch: SequenceBatch) -> RandomScores:
        """Hashed scores, (M, N)."""
        return RandomScores(
            self.keys_, hash_kernels.hash_histories(batch.items, batch.users, batch.query_positions, self.salt_)
        )


@dataclass(frozen=True, eq=False)
class RandomScores:
    """Scores hashed from item keys (N,) and history hashes (M,), both uint64, block by block."""

    keys: np.ndarray
    histories: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.histories), len(self.keys)

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the queries ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""
        if items is None or items.ndim == 1:
            return hash_kernels.mix(self.histories[rows], self.keys if items is None else self.keys[items])
        return np.vstack(
            [hash_kernels.mix(self.histories[rows][r : r + 1], self.keys[own]) for r, own in enumerate(items)]
        )
