"""Planted signals: small data sets with a known best score, to test what a model can and cannot learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.checks import check_choice
from recsys_data.generated.generated_dataset import GeneratedDataset
from recsys_data.interactions import Clock, Interactions

CUT_OFF = 20


def best_mrr(probabilities: np.ndarray) -> float:
    """The MRR@20 of the best fixed ranking when the next item has these probabilities (any order, sum ≤ 1)."""
    top = np.sort(np.asarray(probabilities, dtype=np.float64))[::-1][:CUT_OFF]
    return float(np.sum(top / np.arange(1, len(top) + 1)))


@dataclass(frozen=True)
class PlantedSignal(GeneratedDataset):
    """Users whose next item follows one known rule; ``permuted`` shuffles the same events.

    signal: "order" (each item has three successors, .6 .3 .1), "co-occurrence" (a user draws from one group of six
    items), "repeats" (the last item again with probability .7, else any item), "popularity" (independent draws, a few
    items popular). A permuted set keeps the counts of items and the lengths of histories; only popularity remains, so a
    model that beats chance there has seen held-out data. Users, items and length differ, so no array is square.
    """

    signal: str
    num_users: int = 160
    num_items: int = 60
    length: int = 50
    permuted: bool = False
    seed: int = 0

    @property
    def name(self) -> str:
        """The data set's name."""
        return f"Planted {self.signal}" + (" (permuted)" if self.permuted else "")

    def load(self, folder: Path | None = None) -> Interactions:
        """Generate the events, with facts["best"] and facts["chance"] as MRR@20."""
        check_choice(self, "signal", SIGNALS)
        rng = np.random.default_rng([self.seed, sum(map(ord, self.signal))])
        items, best = SIGNALS[self.signal](rng, self.num_users, self.num_items, self.length)
        counts = np.bincount(items.ravel(), minlength=self.num_items)
        chance = best_mrr(counts / counts.sum())
        if self.permuted:
            items, best = rng.permutation(items.ravel()).reshape(items.shape), chance
        gaps = rng.exponential(3600.0, items.shape)
        return Interactions.from_events(
            self.name,
            np.repeat(np.arange(self.num_users), self.length),
            items.ravel(),
            1.0e9 + np.cumsum(gaps, axis=1).ravel(),
            clock=Clock.ABSOLUTE,
            facts={"best": {"MRR@20": best}, "chance": {"MRR@20": chance}},
        )


def _order(rng: np.random.Generator, users: int, items: int, length: int) -> tuple[np.ndarray, float]:
    probabilities = np.array([0.6, 0.3, 0.1])
    # three different successors per item, none of them itself; permutations keep all items equally frequent
    shifts = rng.choice(np.arange(1, items), 3, replace=False)
    relabel = rng.permutation(items)
    successors = np.empty((items, 3), dtype=np.int64)
    for k, shift in enumerate(shifts):
        successors[relabel, k] = np.roll(relabel, -shift)
    drawn = rng.choice(3, size=(users, length), p=probabilities)
    out = np.empty((users, length), dtype=np.int64)
    out[:, 0] = rng.integers(items, size=users)
    for t in range(1, length):
        out[:, t] = successors[out[:, t - 1], drawn[:, t]]
    return out, best_mrr(probabilities)


def _cooccurrence(rng: np.random.Generator, users: int, items: int, length: int) -> tuple[np.ndarray, float]:
    size = 6
    groups = rng.permutation(items)[: items // size * size].reshape(-1, size)
    owner = np.arange(users) % len(groups)
    out = groups[owner[:, None], rng.integers(size, size=(users, length))]
    return out, best_mrr(np.full(size, 1 / size))


def _repeats(rng: np.random.Generator, users: int, items: int, length: int) -> tuple[np.ndarray, float]:
    again = 0.7
    out = rng.integers(items, size=(users, length))
    repeated = rng.random((users, length)) < again
    for t in range(1, length):
        out[repeated[:, t], t] = out[repeated[:, t], t - 1]
    probabilities = np.full(items, (1 - again) / items)
    probabilities[0] += again
    return out, best_mrr(probabilities)


def _popularity(rng: np.random.Generator, users: int, items: int, length: int) -> tuple[np.ndarray, float]:
    weights = rng.permutation(1.0 / np.arange(1, items + 1) ** 1.2)
    probabilities = weights / weights.sum()
    return rng.choice(items, size=(users, length), p=probabilities), best_mrr(probabilities)


SIGNALS: dict[str, Callable[[np.random.Generator, int, int, int], tuple[np.ndarray, float]]] = {
    "order": _order,
    "co-occurrence": _cooccurrence,
    "repeats": _repeats,
    "popularity": _popularity,
}
