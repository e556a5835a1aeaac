"""MyBaseline: a recommender without a network.

Check it:   python benchmark.py check THIS_FILE
Run it:     python benchmark.py new suite mine --model THIS_FILE, then python benchmark.py run ./mine.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsys_data.checks import check_range
from recsys_data.scores import Dense
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class MyBaseline:
    """Score each item by how often it followed the last item, and by its popularity after an empty history.

    smoothing: the weight of popularity beside the counts. Fields are hyper-parameters and part of each result's key.
    """

    deterministic: ClassVar[bool] = True  # False if fit draws random numbers: then it runs once per seed
    family: ClassVar[str] = "markov"  # the group of models that it is listed with
    signals: ClassVar[frozenset[str]] = frozenset({"order"})  # what it can learn; the command check plants it

    smoothing: float = 0.01

    def __post_init__(self) -> None:
        check_range(self, "smoothing", at_least=0)

    def fit(self, train: TrainingSet, run: Run) -> Self:
        """Learn from the training events; keep what is learnt in attributes that end in _, and change no field.

        Random numbers come from run.generator("purpose") alone. This one counts in a table of items by items: for a
        large catalogue take scipy.sparse, and Sparse in place of Dense.
        """
        items, owners = train.sequences.items, train.sequences.owners()
        follows = owners[1:] == owners[:-1]  # two events of one user
        popularity = self.smoothing * train.item_counts / max(len(train), 1)
        self.follows_ = np.tile(popularity, (train.num_items + 1, 1))
        np.add.at(self.follows_, (items[:-1][follows], items[1:][follows]), 1.0)
        self.follows_[-1] = train.item_counts  # after an empty history
        return self

    def score(self, batch: SequenceBatch) -> Dense:
        """One row per query, one column per item; higher is better. Read no event after a query's history."""
        return Dense(self.follows_[batch.last_items()])  # last_items() is −1, the last row, for an empty history
