"""Synthetic events of a Markov chain whose best possible score is known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.checks import check_range
from recsys_data.generated.generated_dataset import GeneratedDataset
from recsys_data.interactions import Clock, Interactions

_CUT_OFF = 20
_START = 1_577_836_800  # 2020-01-01 00:00:00 UTC
_YEAR = 365 * 86_400


@dataclass(frozen=True)
class MarkovChainSequences(GeneratedDataset):
    """Users who follow one first-order Markov chain over the items; only the last item predicts the next.

    From an item the chain goes on by one of ``branching`` random permutations of the items, the b-th with weight
    proportional to 2^−b, or (with probability ``noise``) to any item. Every row and column of the transition matrix
    sums to 1, so popularity is uniform and uninformative. Users have between length/2 and 3·length/2 events, at
    whole seconds of an absolute clock, starting anywhere in one year.

    Interactions.facts contains, for predictions after non-empty histories with all items as candidates, "best": the
    expected MRR@20 and Recall@20 of ranking by the true transition matrix, which no model can exceed in expectation;
    and "chance": those of a random order.
    """

    num_users: int = 300
    num_items: int = 80
    length: int = 40
    branching: int = 4
    noise: float = 0.1
    seed: int = 0

    title: ClassVar[str] = "Synthetic Markov chain"

    def __post_init__(self) -> None:
        check_range(self, "num_users", "branching", at_least=1)
        check_range(self, "num_items", "length", at_least=2)
        check_range(self, "noise", at_least=0, at_most=1)

    @property
    def name(self) -> str:
        """markov-USERSxITEMS."""
        return f"markov-{self.num_users}x{self.num_items}"

    def load(self, folder: Path | None = None) -> Interactions:
        """Generate the events, the same for equal fields on every machine."""
        rng = np.random.default_rng(self.seed)
        steps, weights = self._steps(rng)
        lengths = rng.integers(max(1, self.length // 2), self.length + self.length // 2 + 1, size=self.num_users)
        starts = _START + rng.integers(0, _YEAR, size=self.num_users)
        width = int(lengths.max())
        walk = np.empty((self.num_users, width), dtype=np.int64)
        walk[:, 0] = rng.integers(0, self.num_items, size=self.num_users)
        for t in range(1, width):
            branch = np.searchsorted(np.cumsum(weights)[:-1], rng.random(self.num_users), side="right")
            following = steps[branch, walk[:, t - 1]]
            jumps = rng.random(self.num_users) < self.noise
            walk[:, t] = np.where(jumps, rng.integers(0, self.num_items, size=self.num_users), following)
        times = starts[:, None] + np.cumsum(rng.integers(1, 7200, size=walk.shape), axis=1)
        happened = np.arange(width) < lengths[:, None]
        users = np.broadcast_to(np.arange(self.num_users)[:, None], walk.shape)
        return Interactions.from_events(
            self.name,
            users[happened] + 1,
            walk[happened] + 1,
            times[happened],
            clock=Clock.ABSOLUTE,
            edition="generated",
            facts={"best": self.best(), "chance": self.chance()},
        )

    def _steps(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The next item of each branch after each item, (branching, num_items), and the weights of the branches."""
        steps = np.stack([rng.permutation(self.num_items) for _ in range(self.branching)])
        weights = 0.5 ** np.arange(1, self.branching + 1)
        return steps, weights / weights.sum()

    def transitions(self) -> np.ndarray:
        """The true transition matrix, (num_items, num_items) float64; row i: the probabilities of the item after i."""
        steps, weights = self._steps(np.random.default_rng(self.seed))
        matrix = np.full((self.num_items, self.num_items), self.noise / self.num_items)
        for step, weight in zip(steps, weights, strict=True):
            matrix[np.arange(self.num_items), step] += (1 - self.noise) * weight
        return matrix

    def best(self, kept: int | None = None) -> dict[str, float]:
        """The expected MRR@20 and Recall@20 of ranking by the true transition matrix.

        The last item is uniform at every position (the matrix is doubly stochastic), so the expectation is the mean
        over rows of Σ_r p_(r) · 1/r, where p_(r) is the row's r-th largest entry and r runs to the cut-off. With
        ``kept``, only that many successors of an item are ranked and all other items tie behind them: any other target
        is equally likely at each rank from kept + 1 to num_items.
        """
        kept = self.num_items if kept is None else min(kept, self.num_items)
        first = -np.sort(-self.transitions(), axis=1)[:, : min(kept, _CUT_OFF)]
        places = 1.0 / np.arange(1, min(_CUT_OFF, self.num_items) + 1)
        rest = 1.0 - first.sum(axis=1)
        others = max(self.num_items - kept, 1)
        behind = {"MRR": places[kept:].sum() / others, "Recall": len(places[kept:]) / others}
        return {
            f"MRR@{_CUT_OFF}": float((first @ places[: first.shape[1]] + rest * behind["MRR"]).mean()),
            f"Recall@{_CUT_OFF}": float((first.sum(axis=1) + rest * behind["Recall"]).mean()),
        }

    def chance(self) -> dict[str, float]:
        """The expected MRR@20 and Recall@20 of a random order of the items."""
        reachable = min(_CUT_OFF, self.num_items)
        return {
            f"MRR@{_CUT_OFF}": float((1.0 / np.arange(1, reachable + 1)).sum() / self.num_items),
            f"Recall@{_CUT_OFF}": reachable / self.num_items,
        }
