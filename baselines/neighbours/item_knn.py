"""Item-kNN: items like those in the history.

Sarwar, Karypis, Konstan and Riedl (WWW 2001), "Item-based collaborative filtering recommendation algorithms";
Deshpande and Karypis (TOIS 2004), "Item-based top-N recommendation algorithms"; Hidasi et al. (ICLR 2016) for the
regularised cosine of session data, s_ij = C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 − α)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol

import numpy as np

from baselines.counts.cooccurrence import Units, top_together
from baselines.counts.neighbour_lists import ItemLists, ListSums
from recsys_data.scores import Scores
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


class Similarity(Protocol):
    """Turns counts into similarities: s_ij = left_i · right_j · C_ij."""

    def factors(self, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The factors left (N,) and right (N,) from how often each item occurs, (N,) float64, at least 1."""


@dataclass(frozen=True)
class Cosine:
    """C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 − α)); λ = shrinkage; λ = 0 and α = ½ give the plain cosine."""

    shrinkage: float = 20.0
    alpha: float = 0.5

    def __post_init__(self) -> None:
        if self.shrinkage < 0:
            raise ValueError(f"shrinkage must be at least 0, got {self.shrinkage}")
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1, got {self.alpha}")

    def factors(self, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Similarity.factors."""
        shrunk = support + self.shrinkage
        return shrunk**-self.alpha, shrunk ** (self.alpha - 1)


@dataclass(frozen=True)
class ConditionalProbability:
    """Freq(ij) / (Freq(i) · Freq(j)^α): the probability of j given i, held down for popular j by α."""

    alpha: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1, got {self.alpha}")

    def factors(self, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See Similarity.factors."""
        return 1 / support, support**-self.alpha


@dataclass
class ItemKNN:
    """Scores an item by its similarity to the items in the history, or to the last one only.

    neighbours: items kept in each item's list (exact; ties at the cut go to the lower item number). query:
    "history_sum" adds the lists of all events read (Deshpande and Karypis), "last_item" takes one list (Hidasi).
    counting: C_ij in "units" that hold both, with supp in units, or Hidasi's "events": events of i in units that hold
    j, with supp in events. A unit is a training sequence, cut where ``session_gap`` seconds are exceeded if given.
    self_similarity: "none" makes s_ii = 0, so that an item never recommends itself; "full" is what the formula gives,
    1 for the plain cosine; "repeats" counts for C_ii only the units that took i more than once. list_scaling divides
    each list by its "sum" or its euclidean "length". With ``count_repeats`` an item read twice is added twice.

    Empty histories and unknown items score 0 for every item, as do items on no list: they tie. Users are not looked
    at.
    """

    neighbours: int = 100
    similarity: Similarity = Cosine()
    query: Literal["history_sum", "last_item"] = "history_sum"
    counting: Literal["units", "events"] = "units"
    session_gap: float | None = None
    self_similarity: Literal["none", "full", "repeats"] = "none"
    list_scaling: Literal["none", "sum", "length"] = "none"
    count_repeats: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be at least 1, got {self.neighbours}")
        for name, options in (
            ("query", ("history_sum", "last_item")),
            ("counting", ("units", "events")),
            ("self_similarity", ("none", "full", "repeats")),
            ("list_scaling", ("none", "sum", "length")),
        ):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}")
        if self.query == "last_item" and not self.count_repeats:
            raise ValueError("count_repeats must be True where query is 'last_item', which reads one event, got False")
        if self.session_gap is not None and not self.session_gap > 0:
            raise ValueError(f"session_gap must be above 0 seconds or None, got {self.session_gap}")

    def fit(self, train: TrainingSet, run: Run) -> ItemKNN:
        """Find the lists of all items."""
        self.lists_ = similar_items(self, train)
        return self

    def score(self, batch: SequenceBatch) -> Scores:
        """Summed similarities, (M, N)."""
        if self.query == "last_item":
            return self.lists_.of_last_item(batch)
        return ListSums(self.lists_, batch.items, batch.asked, once=not self.count_repeats)


def similar_items(model: ItemKNN, train: TrainingSet) -> ItemLists:
    """The lists of all items under the similarity that ``model``'s fields describe."""
    units = Units.of(train, model.session_gap)
    events = model.counting == "events"
    support = units.per_item(units.item_counts) if events else units.item_frequencies.astype(np.float64)
    left, right = model.similarity.factors(np.maximum(support, 1.0))
    lists = top_together(
        units, left=left, right=right, own=_own_counts(units, model), own_counts=events, neighbours=model.neighbours
    )
    return lists if model.list_scaling == "none" else _scaled(lists, model.list_scaling)


def _own_counts(units: Units, model: ItemKNN) -> np.ndarray:
    """What stands for C_ii, (N,) float64."""
    if model.self_similarity == "none":
        return np.zeros(units.num_items)
    weights = units.item_counts if model.counting == "events" else np.ones_like(units.item_counts)
    return units.per_item(weights if model.self_similarity == "full" else weights * (units.item_counts > 1))


def _scaled(lists: ItemLists, scaling: str) -> ItemLists:
    """The lists with each one's weights divided by their sum or euclidean length."""
    owners = np.repeat(np.arange(lists.num_items), np.diff(lists.offsets))
    powers = lists.weights.astype(np.float64) ** (1 if scaling == "sum" else 2)
    size = np.bincount(owners, weights=powers, minlength=lists.num_items) ** (1 if scaling == "sum" else 0.5)
    return replace(lists, weights=(lists.weights / size[owners]).astype(np.float32))
