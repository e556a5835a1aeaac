"""Item-kNN with weights that decay with the age of an event.

Ding and Li (CIKM 2005), "Time weight collaborative filtering": f(t) = e^(−λt) weighs an event of age t. Donkers,
Loepp and Ziegler (RecSys 2017) use "an exponential decaying component" with "decaying constant 1" and do not say of
what unit; the options of ``age`` are the three interpretations.

Departures. Ding and Li learn one decay rate per cluster of items and user; here the rate is one number. Their formula
divides by Σ_c s_jc f(t_c), which makes every prediction 1 if all r_uc are 1; ``form="ratio"`` divides by a sum that is
informative without ratings: all similarities of item j, Σ s_jc over every c.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from baselines.counts.neighbour_lists import ItemLists, ListSums
from baselines.neighbours.item_knn import ItemKNN, similar_items
from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.lazy_module import LazyModule
from recsys_data.scores import Scores, pick_items
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

if TYPE_CHECKING:
    from baselines.counts import list_kernels
else:
    list_kernels = LazyModule("baselines.counts.list_kernels")

DAY = 86_400.0


@dataclass
class DecayedItemKNN:
    """Scores an item by the sum over the history of similarity × e^(−rate · age of the event).

    item_knn: the model whose lists are summed; its ``query`` is not used. age: "position" is 0 for the last event read,
    1 for the one before, …; "days" is the time before the last event read in days (timestamps in seconds);
    "share_of_history" is that time divided by the time since the first event, in [0, 1]. Ages count from the last event
    read, not from the time of the query; a common shift changes no ranking. half_life: if given, rate = ln 2 /
    half_life. form: "sum", or "ratio", the sum divided by all of the item's similarities.

    Empty histories and unknown items score 0 for every item; items on no list tie at 0, as do those whose weight is
    below 10⁻³⁰. Users are ignored.
    """

    item_knn: ItemKNN = field(default_factory=ItemKNN)
    age: Literal["position", "days", "share_of_history"] = "position"
    rate: float = 1.0
    half_life: float | None = None
    form: Literal["sum", "ratio"] = "sum"

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        check_choice(self, "age", ("position", "days", "share_of_history"))
        check_choice(self, "form", ("sum", "ratio"))
        if not self.item_knn.count_repeats:
            raise ValueError("item_knn.count_repeats must be True: each event has its own age, got False")
        check_range(self, "rate", at_least=0)
        check_range(self, "half_life", above=0, or_none=True)

    @property
    def clock(self) -> Clock:
        """The order of events for ages by position, else their times too."""
        return Clock.WITHIN if self.age == "position" else Clock.RELATIVE

    def fit(self, train: TrainingSet, run: Run) -> DecayedItemKNN:
        """Compute the list of each item. Raises ValueError if ages need times that the clock does not have."""
        if self.age != "position" and not train.clock.has_gaps:
            raise ValueError(
                f"age={self.age!r} needs the time between events, but this training set's clock is "
                f"'{train.clock.value}'; use age='position'"
            )
        lists = similar_items(self.item_knn, train)
        if self.form == "ratio":
            totals = np.bincount(lists.items, weights=lists.weights, minlength=train.num_items)
            lists = replace(lists, weights=(lists.weights / totals[lists.items]).astype(np.float32))
        self.lists_ = lists
        return self

    def score(self, batch: SequenceBatch) -> Scores:
        """Decayed sums of similarities, (M, N)."""
        rate = self.rate if self.half_life is None else np.log(2) / self.half_life
        if self.age == "share_of_history":
            return ShareSums(self.lists_, batch.items, batch.timestamps, batch.query_positions, rate)
        if self.age == "position":
            factors = np.full(batch.items.shape, np.exp(-rate), dtype=np.float32)
        else:
            gaps = np.maximum(np.diff(batch.timestamps, axis=1, prepend=batch.timestamps[:, :1]), 0.0)
            factors = np.exp(-rate * gaps / DAY).astype(np.float32)
        return ListSums(self.lists_, batch.items, batch.query_positions, decay_factors=factors)


@dataclass(frozen=True, eq=False)
class ShareSums:
    """Scores (M, N): sums over the lists of the items read, weighted by age as a share of the history's time span.

    items, timestamps (B, T) and query_positions (M, 2) as in SequenceBatch. Computed block by block, from the start for
    every query, since the share of an event changes with every event after it.
    """

    lists: ItemLists
    items: np.ndarray
    timestamps: np.ndarray
    query_positions: np.ndarray
    rate: float

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N)."""
        return len(self.query_positions), self.lists.num_items

    def block(self, rows: slice, items: np.ndarray | None = None) -> np.ndarray:
        """Scores of the queries ``rows`` for all items (rows, N), or for candidates (rows, C) or (C,)."""
        lists = self.lists
        dense = list_kernels.sum_by_share(
            lists.offsets,
            lists.items,
            lists.weights,
            self.items,
            self.timestamps,
            self.query_positions[rows],
            self.rate,
        )
        return pick_items(dense, items)
