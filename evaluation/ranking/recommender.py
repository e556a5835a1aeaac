"""The Recommender protocol: all that the harness asks of a model."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from recsys_data.interactions import Clock
from recsys_data.scores import Scores
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet


@runtime_checkable
class Recommender(Protocol):
    """A value whose fields are its hyper-parameters, with two verbs: fit and score.

    A recommender is a dataclass. ``fit`` must leave its fields alone, draw every random number from ``run`` (so that
    fitting twice gives the same bits), and keep what it learns in attributes that end in ``_``. A learner with epochs
    leaves ``curve_`` (a list of records, one an epoch), ``epochs_`` (the number run), ``best_epoch_``, ``stopped_``
    ("patience", "epoch limit", …) and ``resumed_from_`` (the epoch a checkpoint was taken up at, or None).
    """

    deterministic: ClassVar[bool]  # True: the seed changes nothing, so one cell serves all seeds
    family: ClassVar[str]  # "popularity", "markov", "neighbours", "factorisation", "recurrent", "attention"
    signals: ClassVar[frozenset[str]]  # planted signals it must find: "order", "taste", "co-occurrence", "repeats", …

    def fit(self, train: TrainingSet, run: Any) -> Recommender:
        """Learn from ``train`` under ``run`` (training.run.Run) and return self."""

    def score(self, batch: SequenceBatch) -> Scores:
        """A row of scores over all items for each asked position of ``batch``."""


def needed_clock(model: Recommender) -> Clock:
    """The least clock that a model can learn from (its ``clock`` attribute; NONE by default)."""
    return getattr(model, "clock", Clock.NONE)
