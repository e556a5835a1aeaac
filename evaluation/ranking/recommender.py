"""The Recommender protocol: the interface between a model and the harness."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from recsys_data.interactions import Clock
from recsys_data.scores import Scores
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet


@runtime_checkable
class Recommender(Protocol):
    """A model: a dataclass whose fields are its hyper-parameters, with two methods, fit and score.

    ``fit`` must not change the fields, must draw every random number from ``run`` (so that fitting twice gives the same
    bits), and stores learned state in attributes that end in ``_``. A model with epochs sets ``curve_`` (a list of
    records, one per epoch), ``epochs_`` (the number run), ``best_epoch_``, ``stopped_`` ("patience", "epoch limit", …)
    and ``resumed_from_`` (the epoch of the checkpoint that training resumed from, or None).
    """

    deterministic: ClassVar[bool]  # True: the seed has no effect, so one cell serves all seeds
    family: ClassVar[str]  # "popularity", "markov", "neighbours", "factorisation", "recurrent", "attention"
    signals: ClassVar[
        frozenset[str]
    ]  # planted signals that it must learn: "order", "taste", "co-occurrence", "repeats", …

    def fit(self, train: TrainingSet, run: Any) -> Recommender:
        """Learn from ``train`` under ``run`` (training.run.Run) and return self."""

    def score(self, batch: SequenceBatch) -> Scores:
        """Return one row of scores over all items for each query of ``batch``."""


def needed_clock(model: Recommender) -> Clock:
    """Return the least precise clock that a model can learn from (its ``clock`` attribute; NONE by default)."""
    return getattr(model, "clock", Clock.NONE)
