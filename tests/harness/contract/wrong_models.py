"""A right model, a Markov chain on counts, and wrong ones that each break one rule of the contract."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys_data.scores import Dense


@dataclass
class Chain:
    """Score each item by how often it followed the last one."""

    smoothing: float = 0.01

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "markov"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})

    def fit(self, train, run):
        self.counts_ = self.counted(train)
        return self

    def counted(self, train):
        """How often each item follows each other one; the last row is that of an empty history."""
        counts = np.full((train.num_items + 1, train.num_items), self.smoothing)
        events, owners = train.sequences.items, train.sequences.owners()
        same = owners[1:] == owners[:-1]
        np.add.at(counts, (events[:-1][same], events[1:][same]), 1.0)
        counts[-1] += train.item_counts
        return counts

    def score(self, batch):
        return Dense(self.counts_[self.state(batch)])

    def state(self, batch):
        """The last item of each query's history; −1, the last row, for an empty one."""
        return batch.last_items()


class KeepsCounts(Chain):
    def fit(self, train, run):
        self.counts_ = self.counted(train) + getattr(self, "counts_", 0.0)
        return self


class GlobalGenerator(Chain):
    deterministic = False

    def fit(self, train, run):
        super().fit(train, run)
        self.counts_ += 0.1 * np.random.rand(*self.counts_.shape)  # noqa: NPY002
        return self


class SeededButDeclaredDeterministic(Chain):
    def fit(self, train, run):
        super().fit(train, run)
        self.counts_ += 0.1 * run.generator("noise").random(self.counts_.shape)
        return self


class ChangesAField(Chain):
    def fit(self, train, run):
        self.smoothing = 0.5
        return super().fit(train, run)


class ReadsPadding(Chain):
    def state(self, batch):
        return batch.items[batch.query_positions[:, 0], -1]


class ReadsTheFuture(Chain):
    def score(self, batch):
        scores = self.counts_[self.state(batch)].copy()
        rows, read = batch.query_positions.T
        following = np.where(read < batch.items.shape[1], batch.items[rows, read % batch.items.shape[1]], -1)
        found = np.flatnonzero(following >= 0)
        scores[found, following[found]] += 1e6
        return Dense(scores)


class FailsOnEmptyHistories(Chain):
    def score(self, batch):
        for row, read in batch.query_positions:
            list(batch.items[row, :read]).pop()
        return super().score(batch)


@dataclass
class NaNForUnseenItems(Chain):
    smoothing: float = 0.0

    def score(self, batch):
        rows = self.counts_[self.state(batch)]
        with np.errstate(invalid="ignore"):
            return Dense(rows / rows.sum(axis=1, keepdims=True))


class LearnsPopularityAlone(Chain):
    def state(self, batch):
        return np.full(len(batch.query_positions), -1)


class ReturnsNothing(Chain):
    def fit(self, train, run):
        super().fit(train, run)


class RowsOfAnotherShape(Chain):
    def score(self, batch):
        return Dense(self.counts_[self.state(batch)][:, 1:])


class DeclaresNothing:
    def fit(self, train, run):
        self.num_items_ = train.num_items
        return self

    def score(self, batch):
        return Dense(np.zeros((len(batch.query_positions), self.num_items_)))
