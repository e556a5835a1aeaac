"""Session-kNN and vector session-kNN: the items of the most similar sessions.

Jannach and Ludewig (RecSys 2017), "When recurrent neural networks meet the neighborhood for session-based
recommendation"; Ludewig and Jannach (UMUAI 2018), "Evaluation of session-based recommendation algorithms". Defaults
and weights are those of session-rec.

Departures. Of equally similar sessions the newer is taken (there: the one a set yields first). The vector form's
"linear" position weight stops at 0, not at the tenth position of the session; its negative weights are cut at 0 unless
``negative_weights`` keeps them. Scores are not divided by their maximum, which changes no ranking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from baselines.counts.nearest_sequences import NearestSequences, newest_first, no_exclusion, ordered_profiles
from baselines.counts.recency import Recency, recency_weights
from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

Sampling = Literal["recent", "listed_last", "random"]
PositionWeights = Literal["same", "share", "linear", "logarithmic", "quadratic"]


def position_weights(kind: PositionWeights, longest: int) -> tuple[np.ndarray, int]:
    """Weights w (longest,) float64 and power k: position p (from 1) of a query of n events weighs w[n − p] · (p / n)ᵏ.

    same: 1; share: p / n; linear: max(0, 1 − (n − p) / 10); logarithmic: 1 / log₁₀(n − p + 1.7); quadratic: (p / n)².
    session-rec calls them same, div, linear, log, quadratic.
    """
    behind = np.arange(longest, dtype=np.float64)  # n − p
    if kind == "linear":
        return np.maximum(0.0, 1 - behind / 10), 0
    if kind == "logarithmic":
        return 1 / np.log10(behind + 1.7), 0
    return np.ones(longest), {"same": 0, "share": 1, "quadratic": 2}[kind]


@dataclass
class _Neighbourhood:
    """The fields and the index that both forms share.

    neighbours: sessions that count. sample_size: number of candidates among the sessions that share an item with the
    query. sampling: the most "recent" of them (needs an order between sessions), those "listed_last" in training (the
    most recent ones if a source without times lists its sessions by date), or a "random" choice: the first in one
    seeded order of all sessions. window: last events of the history that are read, None for all. session_gap: seconds
    without an event after which a training sequence is cut into sessions, None for never.

    An empty history and one of unknown items have no neighbours: all items tie at 0, as do items of no neighbour. Users
    are ignored. Items of the history may be recommended again.
    """

    neighbours: int = 100
    sample_size: int = 1000
    sampling: Sampling = "recent"
    window: int | None = None
    session_gap: float | None = None

    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        check_range(self, "neighbours", "sample_size", at_least=1)
        check_choice(self, "sampling", get_args(Sampling))
        check_range(self, "window", at_least=1, or_none=True)
        check_range(self, "session_gap", above=0, unit="seconds", or_none=True)

    @property
    def deterministic(self) -> bool:
        """Whether the seed has no effect; it has one where candidates are drawn at random."""
        return self.sampling != "random"

    @property
    def clock(self) -> Clock:
        """An order between sessions if the most recent ones are sampled."""
        return Clock.BETWEEN if self.sampling == "recent" else Clock.NONE

    def _index(self, train: TrainingSet, run: Run) -> None:
        """Number the sessions by preference as candidates."""
        if self.sampling == "recent" and not train.clock.has_global_order:
            raise ValueError(
                f"sampling='recent' needs an order between sessions, but this training set's clock is "
                f"'{train.clock.value}'; use sampling='listed_last' or 'random'"
            )
        order = newest_first(train, self.session_gap)
        if self.sampling == "listed_last":
            order = np.sort(order)[::-1]
        elif self.sampling == "random":
            order = run.generator("candidate order").permutation(np.sort(order))
        self.profiles_ = ordered_profiles(train, order, self.session_gap)

    def _scores(
        self,
        batch: SequenceBatch,
        measure: str,
        boosts: np.ndarray,
        positions: PositionWeights = "same",
        recency: Recency = "same",
        negative: bool = False,
    ) -> NearestSequences:
        """Build the scores of either form."""
        longest = int(batch.query_positions[:, 1].max(initial=0))
        window = max(1, longest if self.window is None else min(self.window, longest))
        return NearestSequences(
            self.profiles_, batch.items, batch.query_positions, no_exclusion(batch),
            *position_weights(positions, window), recency_weights(recency, window, negative=negative), measure, boosts,
            self.sample_size, self.neighbours, window,
        )  # fmt: skip


@dataclass
class SessionKNN(_Neighbourhood):
    """Scores an item by the summed similarity of the nearest sessions that hold it (S-KNN).

    similarity: "cosine" |q ∩ s| / √(|q| |s|) or "jaccard" |q ∩ s| / |q ∪ s|, on sets of items. The other fields are
    explained in _Neighbourhood.
    """

    similarity: Literal["cosine", "jaccard"] = "cosine"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "similarity", ("cosine", "jaccard"))

    def fit(self, train: TrainingSet, run: Run) -> SessionKNN:
        """Index the sessions by item."""
        self._index(train, run)
        return self

    def score(self, batch: SequenceBatch) -> NearestSequences:
        """Summed similarities, (M, N)."""
        return self._scores(batch, self.similarity, np.ones(self.profiles_.num_items))


@dataclass
class VectorSessionKNN(_Neighbourhood):
    """Scores an item by the summed similarity of the nearest sessions that hold it; recent clicks weigh more (V-SKNN).

    A session's similarity is the sum of ``position_weights`` of the shared items over the number of different items in
    the query. It is multiplied by the ``recency`` weight of the lag of the newest shared event, and for each item by
    1 + idf_weight · ln(number of sessions / number of the item's events). Two of these weights can be negative: the
    boost of an item with more events than there are sessions, and the linear recency weight of a lag above 10. They
    count as 0, or with ``negative_weights`` as they are, as in session-rec. The other fields are explained in
    _Neighbourhood.
    """

    position_weights: PositionWeights = "share"
    recency: Recency = "reciprocal"
    idf_weight: float = 0.0
    negative_weights: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "recency", get_args(Recency))
        check_choice(self, "position_weights", get_args(PositionWeights))
        check_range(self, "idf_weight", at_least=0)

    def fit(self, train: TrainingSet, run: Run) -> VectorSessionKNN:
        """Index the sessions by item."""
        self._index(train, run)
        num_sessions = len(self.profiles_.profile_offsets) - 1
        boosts = 1 + self.idf_weight * np.log(num_sessions / np.maximum(train.item_counts, 1))
        self.boosts_ = boosts if self.negative_weights else np.maximum(boosts, 0.0)
        return self

    def score(self, batch: SequenceBatch) -> NearestSequences:
        """Weighted similarities, (M, N)."""
        return self._scores(batch, "vector", self.boosts_, self.position_weights, self.recency, self.negative_weights)
