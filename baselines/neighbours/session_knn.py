"""Session-kNN and vector session-kNN: what the sessions most like this one hold.

Jannach and Ludewig (RecSys 2017), "When recurrent neural networks meet the neighborhood for session-based
recommendation"; Ludewig and Jannach (UMUAI 2018), "Evaluation of session-based recommendation algorithms". Defaults
and weights are those of session-rec.

Departures. Of equally near sessions the newer is taken (there: whichever a set yields first). The vector form's
"linear" weight of a place stops at 0 rather than at the tenth place of the session. Scores are not divided by their
maximum, which changes no order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from baselines.counts.nearest_sequences import NearUnits, newest_first, nobody, ordered_units
from baselines.counts.recency import Decay, check_decay, decay_weights
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

Sampling = Literal["recent", "listed_last", "random"]
PlaceWeights = Literal["same", "share", "linear", "logarithmic", "quadratic"]


def place_weights(kind: PlaceWeights, longest: int) -> tuple[np.ndarray, int]:
    """Weights w (longest,) float64 and a power k: place p (from 1) of a query of n events weighs w[n − p] · (p / n)ᵏ.

    same: 1; share: p / n; linear: max(0, 1 − (n − p) / 10); logarithmic: 1 / log₁₀(n − p + 1.7); quadratic: (p / n)².
    session-rec names them same, div, linear, log, quadratic.
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

    neighbours: sessions that count. sample_size: candidates, the sessions that share an item with the query,
    ``sampling`` the most "recent" of them (which needs an order between sessions), those "listed_last" in training
    (the most recent ones where a source without times lists its sessions by date), or at "random": the first of one
    seeded order of all sessions. window: events of the history that are read, None for all. session_gap: seconds of
    pause at which a training sequence is cut into sessions, None for never.

    An empty history and one of unknown items have no neighbours: all items tie at 0, as do items in no neighbour.
    Users are not looked at. Items of the history may be recommended again.
    """

    neighbours: int = 100
    sample_size: int = 1000
    sampling: Sampling = "recent"
    window: int | None = None
    session_gap: float | None = None

    family: ClassVar[str] = "neighbours"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        for name in ("neighbours", "sample_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.sampling not in get_args(Sampling):
            raise ValueError(f"sampling must be one of {', '.join(get_args(Sampling))}, got {self.sampling!r}")
        if self.window is not None and self.window < 1:
            raise ValueError(f"window must be at least 1 or None, got {self.window}")
        if self.session_gap is not None and not self.session_gap > 0:
            raise ValueError(f"session_gap must be above 0 seconds or None, got {self.session_gap}")

    @property
    def deterministic(self) -> bool:
        """Whether the seed changes nothing: not where candidates are drawn at random."""
        return self.sampling != "random"

    @property
    def clock(self) -> Clock:
        """An order between sessions where the most recent ones are wanted."""
        return Clock.BETWEEN if self.sampling == "recent" else Clock.NONE

    def _index(self, train: TrainingSet, run: Run) -> None:
        """Number the sessions in the order in which they are preferred as candidates."""
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
        self.units_ = ordered_units(train, order, self.session_gap)

    def _near(
        self, batch: SequenceBatch, measure: str, places: PlaceWeights, lag: Decay, boosts: np.ndarray
    ) -> NearUnits:
        """The scores of either form."""
        longest = int(batch.asked[:, 1].max(initial=0))
        window = max(1, longest if self.window is None else min(self.window, longest))
        return NearUnits(
            self.units_, batch.items, batch.asked, nobody(batch), *place_weights(places, window),
            decay_weights(lag, window), measure, boosts, self.sample_size, self.neighbours, window,
        )  # fmt: skip


@dataclass
class SessionKNN(_Neighbourhood):
    """Scores an item by the summed similarity of the nearest sessions that hold it (S-KNN).

    similarity: "cosine" |q ∩ s| / √(|q| |s|) or "jaccard" |q ∩ s| / |q ∪ s|, on sets of items. The other fields are
    explained in the class above.
    """

    similarity: Literal["cosine", "jaccard"] = "cosine"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.similarity not in ("cosine", "jaccard"):
            raise ValueError(f"similarity must be 'cosine' or 'jaccard', got {self.similarity!r}")

    def fit(self, train: TrainingSet, run: Run) -> SessionKNN:
        """Index the sessions by item."""
        self._index(train, run)
        return self

    def score(self, batch: SequenceBatch) -> NearUnits:
        """Summed similarities, (M, N)."""
        return self._near(batch, self.similarity, "same", "same", np.ones(self.units_.num_items))


@dataclass
class VectorSessionKNN(_Neighbourhood):
    """Scores an item by the summed similarity of the nearest sessions that hold it, new clicks weighing more (V-SKNN).

    A session's similarity is Σ of ``place_weights`` of the shared items over the number of different items in the
    query. Its items then count by ``lag_decay`` of the lag of the newest shared event, and an item by
    1 + idf_weight · ln(number of sessions / number of the item's events). The other fields are explained in
    _Neighbourhood.
    """

    place_weights: PlaceWeights = "share"
    lag_decay: Decay = "reciprocal"
    idf_weight: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_decay("lag_decay", self.lag_decay)
        if self.place_weights not in get_args(PlaceWeights):
            raise ValueError(
                f"place_weights must be one of {', '.join(get_args(PlaceWeights))}, got {self.place_weights!r}"
            )
        if self.idf_weight < 0:
            raise ValueError(f"idf_weight must be at least 0, got {self.idf_weight}")

    def fit(self, train: TrainingSet, run: Run) -> VectorSessionKNN:
        """Index the sessions by item."""
        self._index(train, run)
        num_sessions = len(self.units_.unit_offsets) - 1
        idf = np.log(num_sessions / np.maximum(train.item_counts, 1))
        self.boosts_ = np.maximum(1 + self.idf_weight * idf, 0.0)
        return self

    def score(self, batch: SequenceBatch) -> NearUnits:
        """Weighted similarities, (M, N)."""
        return self._near(batch, "vector", self.place_weights, self.lag_decay, self.boosts_)
