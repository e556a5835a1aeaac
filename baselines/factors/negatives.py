"""Negatives: which item stands against the one that was taken.

Rendle and Freudenthaler (WSDM 2014), "Improving pairwise learning for item recommendation from implicit feedback",
for adaptive oversampling: draw a factor f with a probability proportional to |w_f| σ_f (w the query's vector, σ_f the
standard deviation of the items' factor f) and a rank r from a geometric distribution, and take the item that stands at
rank r by sign(w_f) · factor f, so that items that the model already scores high are drawn more often.

Departures. The orders and σ are taken anew once in N · ln N draws, as in the paper, and at the beginning of an epoch; w
at the beginning of each chunk of CHUNK draws. An item that the check refuses gives way to the next rank. Devooght and
Bersini's code, which "adaptive_reversed" follows, weighs by σ_f² and draws another factor and rank for a refused item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numba import njit

from baselines.counts.kernels import count_both_ways, pack_bits
from recsys_data.split import TrainingSet

Draw = Literal["uniform", "popularity", "adaptive", "adaptive_reversed"]
Check = Literal["user", "target", "none"]
CHUNK = 4096  # adaptive draws made with the same factors
ROUNDS = 64  # redraws before a learner who has (nearly) everything is let off
BITS_MEMORY = 1 << 28  # bytes that the table of who took what may take; above it, sorted lists are searched


@dataclass(frozen=True)
class Negatives:
    """How negatives are drawn.

    draw: "uniform" over items; "popularity", the item of a random training event; "adaptive" oversampling of hard
    ones; "adaptive_reversed", the ranks from the other end, which draws easy ones, as the code of Devooght and
    Bersini (2017) reads. check: refuse what the "user" took in training, only the "target" itself, or "none".
    refused: "redraw" (at most 64 times), or "skip" the whole step, as implicit does. mean_rank: of adaptive draws.
    """

    draw: Draw = "uniform"
    check: Check = "user"
    refused: Literal["redraw", "skip"] = "redraw"
    mean_rank: float = 100.0

    def __post_init__(self) -> None:
        for name, options in (("draw", get_args(Draw)), ("check", get_args(Check)), ("refused", ("redraw", "skip"))):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}")
        if not self.mean_rank >= 1:
            raise ValueError(f"mean_rank must be at least 1, got {self.mean_rank}")
        if self.check == "none" and self.refused == "skip":
            raise ValueError("refused must be 'redraw' where check is 'none', which refuses nothing, got 'skip'")

    @property
    def adaptive(self) -> bool:
        """Whether draws look at the model's factors."""
        return self.draw.startswith("adaptive")


class SeenItems:
    """Who took what in training: bits where they fit, else sorted lists to search."""

    def __init__(self, train: TrainingSet, rows: np.ndarray, num_rows: int) -> None:
        """Rows (S,): the learner's row of each sequence."""
        owners, items = np.repeat(rows, train.sequences.lengths), train.sequences.items
        if (np.diff(owners) < 0).any():
            order = np.argsort(owners, kind="stable")
            owners, items = owners[order], items[order]
        self.offsets, self.items = count_both_ways(items, owners, num_rows, train.num_items)[:2]
        words = (train.num_items + 63) // 64
        fits = num_rows * words * 8 <= BITS_MEMORY
        self.bits = pack_bits(self.offsets, self.items, words) if fits else np.zeros((0, 0), dtype=np.uint64)


class NegativeSampler:
    """Draws negatives for one fit; all its randomness comes from ``generator``."""

    def __init__(self, how: Negatives, train: TrainingSet, seen: SeenItems, generator: np.random.Generator) -> None:
        self.how, self.seen, self.generator = how, seen, generator
        self.num_items = train.num_items
        self.events = train.sequences.items
        self.since_sorted = np.iinfo(np.int64).max
        self.orders, self.spread = np.zeros((0, 0), dtype=np.int32), np.zeros(0)

    def begin_epoch(self) -> None:
        """Forget the orders of adaptive draws, so that an epoch depends on nothing but the factors it begins with."""
        self.since_sorted = np.iinfo(np.int64).max

    def draw(self, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """A negative (m,) int32 for each learner's row and target; −1: none, the step is skipped. Not adaptive."""
        drawn = self._fresh(len(rows))
        if self.how.check == "none":
            return drawn
        open_ = np.flatnonzero(self._refused(rows, targets, drawn))
        if self.how.refused == "redraw":
            for _ in range(ROUNDS):
                if not len(open_):
                    return drawn
                drawn[open_] = self._fresh(len(open_))
                open_ = open_[self._refused(rows[open_], targets[open_], drawn[open_])]
        drawn[open_] = -1
        return drawn

    def draw_adaptive(
        self, rows: np.ndarray, targets: np.ndarray, queries: np.ndarray, factors: np.ndarray
    ) -> np.ndarray:
        """Adaptive negatives (m,) int32 under query vectors (m, D) and item factors (N, D); −1 as in ``draw``."""
        if self.since_sorted >= self.num_items * np.log(max(self.num_items, 2)):
            self.orders = np.argsort(-factors.T, axis=1, kind="stable").astype(np.int32)  # (D, N), highest first
            self.spread = factors.std(axis=0, dtype=np.float64)
            self.since_sorted = 0
        self.since_sorted += len(rows)
        ranks = (self.generator.geometric(1 / self.how.mean_rank, len(rows)) - 1) % self.num_items
        return _adaptive(
            self.orders, self.spread, queries, self.generator.random(len(rows)), ranks, rows, targets,
            self.seen.bits, self.seen.offsets, self.seen.items, ("none", "target", "user").index(self.how.check),
            self.how.refused == "skip", self.how.draw == "adaptive_reversed",
        )  # fmt: skip

    def _fresh(self, count: int) -> np.ndarray:
        """Unchecked draws (count,) int32."""
        if self.how.draw == "popularity":
            return self.events[self.generator.integers(0, len(self.events), count)]
        return self.generator.integers(0, self.num_items, count, dtype=np.int32)

    def _refused(self, rows: np.ndarray, targets: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Which draws the check refuses, (m,) bool."""
        if self.how.check == "target":
            return drawn == targets
        return _among_taken(self.seen.bits, self.seen.offsets, self.seen.items, rows, drawn)


@njit(cache=True)
def _took(bits, offsets, items, row, item):  # noqa: ANN001, ANN202
    """Whether a learner's row holds an item."""
    if len(bits):
        return (bits[row, item >> 6] >> np.uint64(item & 63)) & np.uint64(1) == np.uint64(1)
    low, high = offsets[row], offsets[row + 1]
    while low < high:
        middle = (low + high) >> 1
        if items[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low < offsets[row + 1] and items[low] == item


@njit(cache=True)
def _among_taken(bits, offsets, items, rows, drawn):  # noqa: ANN001, ANN202
    """Which draws (m,) their row has taken."""
    out = np.empty(len(rows), dtype=np.bool_)
    for m in range(len(rows)):
        out[m] = _took(bits, offsets, items, rows[m], drawn[m])
    return out


@njit(cache=True)
def _adaptive(orders, spread, queries, chances, ranks, rows, targets, bits, offsets, items, check, skip, easy):  # noqa: ANN001, ANN202
    """Adaptive draws (m,); see NegativeSampler.draw_adaptive. check: 0 none, 1 the target, 2 all the row took."""
    num_factors, num_items = orders.shape
    out = np.full(len(rows), -1, dtype=np.int32)
    for m in range(len(rows)):
        total = 0.0
        for f in range(num_factors):
            total += abs(queries[m, f]) * spread[f]
        left, factor = chances[m] * total, 0
        while factor < num_factors - 1:
            left -= abs(queries[m, factor]) * spread[factor]
            if left < 0:
                break
            factor += 1
        from_top = (queries[m, factor] > 0) != easy
        for shift in range(num_items):
            rank = (ranks[m] + shift) % num_items
            item = orders[factor, rank if from_top else num_items - 1 - rank]
            refused = (check == 1 and item == targets[m]) or (check == 2 and _took(bits, offsets, items, rows[m], item))
            if not refused:
                out[m] = item
            if not refused or skip:
                break
    return out
