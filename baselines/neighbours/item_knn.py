"""Item-kNN: items similar to those in the history.

Sarwar, Karypis, Konstan and Riedl (WWW 2001), "Item-based collaborative filtering recommendation algorithms";
Deshpande and Karypis (TOIS 2004), "Item-based top-N recommendation algorithms"; Hidasi et al. (ICLR 2016) for the
regularised cosine of session data, s_ij = C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 − α)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np

from baselines.counts.cooccurrence import Profiles, cooccurrence_lists
from baselines.counts.neighbour_lists import ItemLists, ListSums
from recsys_data.checks import check_choice, check_range
from recsys_data.scores import Scores
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass(frozen=True)
class Cosine:
    """C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 − α)) with λ = shrinkage; λ = 0 and α = ½ give the plain cosine."""

    shrinkage: float = 20.0
    alpha: float = 0.5

    def __post_init__(self) -> None:
        check_range(self, "shrinkage", at_least=0)
        check_range(self, "alpha", at_least=0, at_most=1)

    def factors(self, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Factors left, right (N,) of s_ij = left_i · right_j · C_ij, from supports (N,) float64 of at least 1."""
        shrunk = support + self.shrinkage
        return shrunk**-self.alpha, shrunk ** (self.alpha - 1)

    def order(self, support: np.ndarray) -> tuple[int, np.ndarray]:
        """A power m and divisors (N,) such that C_ij^m / divisors_j orders the neighbours j of an item as s_ij does.

        They are whole where 1 − α is a fraction with a denominator of at most 4, and λ is whole: m = 2 and supp_j + λ
        for α = ½. Equal similarities are then equal numbers.
        """
        exponent, shrunk = 1 - self.alpha, support + self.shrinkage
        fraction = Fraction(exponent).limit_denominator(4)
        if math.isclose(fraction, exponent, abs_tol=1e-15):
            return fraction.denominator, shrunk**fraction.numerator
        return 1, shrunk**exponent


@dataclass
class ItemKNN:
    """Scores an item by its similarity to the items in the history, or to the last item only.

    neighbours: items kept in each item's list (exact; ties at the cut go to the lower item number, in exact arithmetic
    where Cosine.order is whole and C_ij^m is below 2^53, as with every λ and α of the papers, else in float64). query:
    "history_sum" adds the lists of all events read (Deshpande and Karypis), "last_item" uses one list (Hidasi).
    counting: C_ij in "profiles" that hold both, with supp in profiles, or in Hidasi's "events": events of i in profiles
    that hold j, with supp in events. A profile is a training sequence, cut at gaps above ``session_gap`` seconds if
    given. self_similarity: "none" sets s_ii = 0, so that an item never recommends itself; "full" uses the formula, 1
    for the plain cosine; "repeats" counts for C_ii only the profiles that hold i more than once. list_scaling divides
    each list by its "sum" or its Euclidean "length". With ``count_repeats`` an item read twice is added twice.

    Empty histories and unknown items score 0 for every item, as do items on no list: they tie. Users are ignored.
    """

    neighbours: int = 100
    similarity: Cosine = Cosine()
    query: Literal["history_sum", "last_item"] = "history_sum"
    counting: Literal["profiles", "events"] = "profiles"
    session_gap: float | None = None
    self_similarity: Literal["none", "full", "repeats"] = "none"
    list_scaling: Literal["none", "sum", "length"] = "none"
    count_repeats: bool = True

    deterministic: ClassVar[bool] = True
    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        check_range(self, "neighbours", at_least=1)
        check_choice(self, "query", ("history_sum", "last_item"))
        check_choice(self, "counting", ("profiles", "events"))
        check_choice(self, "self_similarity", ("none", "full", "repeats"))
        check_choice(self, "list_scaling", ("none", "sum", "length"))
        if self.query == "last_item" and not self.count_repeats:
            raise ValueError("count_repeats must be True where query is 'last_item', which reads one event, got False")
        check_range(self, "session_gap", above=0, unit="seconds", or_none=True)

    def fit(self, train: TrainingSet, run: Run) -> ItemKNN:
        """Compute the list of each item."""
        self.lists_ = similar_items(self, train)
        return self

    def score(self, batch: SequenceBatch) -> Scores:
        """Sums of similarities, (M, N)."""
        if self.query == "last_item":
            return self.lists_.of_last_item(batch)
        return ListSums(self.lists_, batch.items, batch.query_positions, once_per_item=not self.count_repeats)


def similar_items(model: ItemKNN, train: TrainingSet) -> ItemLists:
    """The list of each item under the similarity that the fields of ``model`` describe."""
    profiles = Profiles.of(train, model.session_gap)
    events = model.counting == "events"
    support = profiles.per_item(profiles.item_counts) if events else profiles.item_frequencies.astype(np.float64)
    support = np.maximum(support, 1.0)
    left, right = model.similarity.factors(support)
    lists = cooccurrence_lists(
        profiles, left=left, right=right, diagonal=_diagonal(profiles, model), left_multiplicity=events,
        neighbours=model.neighbours, order=model.similarity.order(support),
    )  # fmt: skip
    return lists if model.list_scaling == "none" else _scaled(lists, model.list_scaling)


def _diagonal(profiles: Profiles, model: ItemKNN) -> np.ndarray:
    """The values of C_ii, (N,) float64."""
    if model.self_similarity == "none":
        return np.zeros(profiles.num_items)
    weights = profiles.item_counts if model.counting == "events" else np.ones_like(profiles.item_counts)
    return profiles.per_item(weights if model.self_similarity == "full" else weights * (profiles.item_counts > 1))


def _scaled(lists: ItemLists, scaling: str) -> ItemLists:
    """Divide the weights of each list by their sum or Euclidean length."""
    owners = np.repeat(np.arange(lists.num_items), np.diff(lists.offsets))
    powers = lists.weights.astype(np.float64) ** (1 if scaling == "sum" else 2)
    size = np.bincount(owners, weights=powers, minlength=lists.num_items) ** (1 if scaling == "sum" else 0.5)
    return replace(lists, weights=(lists.weights / size[owners]).astype(np.float32))
