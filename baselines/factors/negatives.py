"""Negatives: the items that pairwise learning ranks below the observed ones.

Rendle and Freudenthaler (WSDM 2014), "Improving pairwise learning for item recommendation from implicit feedback",
for adaptive oversampling: draw a factor f with a probability proportional to |w_f| σ_f (w the query's vector, σ_f the
standard deviation of the items' factor f) and a rank r from a geometric distribution; the negative is the item at rank
r by sign(w_f) · factor f. Items that the model scores high are drawn more often.

Departures. Rankings and σ are updated every N · ln N draws, as in the paper, and at the start of an epoch; w at the
start of each chunk of CHUNK draws. An item that the check refuses is replaced by the next rank. Devooght and Bersini's
code, which "adaptive_reversed" follows, weighs by σ_f² and draws another factor and rank for a refused item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from baselines.counts.cooccurrence import BITSET_LIMIT
from recsys_data.checks import check_choice, check_range
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet

if TYPE_CHECKING:
    from baselines.counts import kernels as counts
    from baselines.factors import kernels
else:
    counts, kernels = LazyModule("baselines.counts.kernels"), LazyModule("baselines.factors.kernels")

Draw = Literal["uniform", "popularity", "adaptive", "adaptive_reversed"]
Check = Literal["user", "target", "none"]
CHUNK = 4096  # adaptive draws from the same factors
ROUNDS = 64  # redraws; then the steps of users who have seen nearly every item are skipped


@dataclass(frozen=True)
class Negatives:
    """The distribution of negatives.

    draw: "uniform" over items; "popularity", the item of a random training event; "adaptive" oversampling of hard
    negatives; "adaptive_reversed" ranks from the other end, which draws easy negatives, as the code of Devooght and
    Bersini (2017) does. check: refuse the items that the "user" has seen in training, only the "target" itself, or
    "none". refused: "redraw" (at most 64 times), or "skip" the whole step, as implicit does. mean_rank: the mean rank
    of adaptive draws.
    """

    draw: Draw = "uniform"
    check: Check = "user"
    refused: Literal["redraw", "skip"] = "redraw"
    mean_rank: float = 100.0

    def __post_init__(self) -> None:
        check_choice(self, "draw", get_args(Draw))
        check_choice(self, "check", get_args(Check))
        check_choice(self, "refused", ("redraw", "skip"))
        check_range(self, "mean_rank", at_least=1)
        if self.check == "none" and self.refused == "skip":
            raise ValueError("refused must be 'redraw' where check is 'none', which refuses nothing, got 'skip'")

    @property
    def adaptive(self) -> bool:
        """Whether draws depend on the model's factors."""
        return self.draw.startswith("adaptive")


class SeenItems:
    """The training items of each factor row: bits if they fit into BITSET_LIMIT, else sorted lists."""

    def __init__(self, train: TrainingSet, rows: np.ndarray, num_rows: int) -> None:
        """Index by factor row; rows (S,): the row of each sequence."""
        owners, items = np.repeat(rows, train.sequences.lengths), train.sequences.items
        if (np.diff(owners) < 0).any():
            order = np.argsort(owners, kind="stable")
            owners, items = owners[order], items[order]
        self.offsets, self.items = counts.count_both_ways(items, owners, num_rows, train.num_items)[:2]
        words = (train.num_items + 63) // 64
        fits = num_rows * words * 8 <= BITSET_LIMIT
        self.bits = counts.pack_bits(self.offsets, self.items, words) if fits else np.zeros((0, 0), dtype=np.uint64)


class NegativeSampler:
    """Draws negatives for one fit; ``generator`` is its only source of randomness."""

    def __init__(
        self, negatives: Negatives, train: TrainingSet, seen: SeenItems, generator: np.random.Generator
    ) -> None:
        self.negatives, self.seen, self.generator = negatives, seen, generator
        self.num_items = train.num_items
        self.events = train.sequences.items
        self.draws_since_sorting = np.iinfo(np.int64).max
        self.orders, self.spread = np.zeros((0, 0), dtype=np.int32), np.zeros(0)

    def begin_epoch(self) -> None:
        """Drop the rankings of adaptive draws, so that an epoch depends only on the factors at its start."""
        self.draws_since_sorting = np.iinfo(np.int64).max

    def draw(self, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Draw a negative for each factor row and target, not adaptively: (m,) int32, −1 to skip the step."""
        drawn = self._fresh(len(rows))
        if self.negatives.check == "none":
            return drawn
        left = np.flatnonzero(self._refused(rows, targets, drawn))
        if self.negatives.refused == "redraw":
            for _ in range(ROUNDS):
                if not len(left):
                    return drawn
                drawn[left] = self._fresh(len(left))
                left = left[self._refused(rows[left], targets[left], drawn[left])]
        drawn[left] = -1
        return drawn

    def draw_adaptive(
        self, rows: np.ndarray, targets: np.ndarray, queries: np.ndarray, factors: np.ndarray
    ) -> np.ndarray:
        """Draw adaptive negatives (m,) int32 by query vectors (m, D) and item factors (N, D); −1 to skip the step."""
        if self.draws_since_sorting >= self.num_items * np.log(max(self.num_items, 2)):
            self.orders = np.argsort(-factors.T, axis=1, kind="stable").astype(np.int32)  # (D, N), highest first
            self.spread = factors.std(axis=0, dtype=np.float64)
            self.draws_since_sorting = 0
        self.draws_since_sorting += len(rows)
        ranks = (self.generator.geometric(1 / self.negatives.mean_rank, len(rows)) - 1) % self.num_items
        return kernels.draw_adaptive(
            self.orders, self.spread, queries, self.generator.random(len(rows)), ranks, rows, targets,
            self.seen.bits, self.seen.offsets, self.seen.items, ("none", "target", "user").index(self.negatives.check),
            self.negatives.refused == "skip", self.negatives.draw == "adaptive_reversed",
        )  # fmt: skip

    def _fresh(self, count: int) -> np.ndarray:
        """Unchecked draws (count,) int32."""
        if self.negatives.draw == "popularity":
            return self.events[self.generator.integers(0, len(self.events), count)]
        return self.generator.integers(0, self.num_items, count, dtype=np.int32)

    def _refused(self, rows: np.ndarray, targets: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The mask (m,) of draws that the check refuses."""
        if self.negatives.check == "target":
            return drawn == targets
        return kernels.mask_seen(self.seen.bits, self.seen.offsets, self.seen.items, rows, drawn)
