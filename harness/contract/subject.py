"""Subject: a model whose contract is checked, with the data and the fits that its rules share."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import MRR
from evaluation.ranking.rank import rank_held_out
from evaluation.ranking.returned import check_block, check_scores, described
from recsys_data.generated.planted import PlantedSignal
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.sequences import PAD, SequenceBatch, Sequences
from recsys_data.split import HeldOut, Split, TrainingSet
from training.run import Run

PROTOCOL = PerUserFractions(train=0.7, validation=0.1, test=0.2)
SEED = 7
HISTORIES = [[3, 1, 4, 1, 5], [9, 2], [6, 5, 3, 5, 8, 9, 7], [0]]
USERS = [0, 1, 2, 3]
MEASURE = MRR(20)


class WrongAnswer(ValueError):
    """A model returned what no model may return; the message is one sentence."""


@functools.cache
def planted_split(signal: str, *, permuted: bool = False) -> Split:
    """Events with one planted signal, split and read-only; prepared once per process."""
    return PROTOCOL.prepare(PlantedSignal(signal, permuted=permuted).load()).freeze()


@functools.cache
def few_users() -> TrainingSet:
    """Eight users of the planted order and one item more than they could have seen; the item is the last."""
    train = planted_split("order").train
    kept = train.sequences.offsets[8]
    sequences = Sequences(
        train.sequences.items[:kept], train.sequences.timestamps[:kept], train.sequences.offsets[:9],
        train.sequences.users[:8],
    )  # fmt: skip
    return TrainingSet(sequences, train.num_users, train.num_items + 1, train.clock)


def histories() -> SequenceBatch:
    """Four short histories of four known users, in one batch."""
    return SequenceBatch.of(HISTORIES, users=USERS)


def widened(batch: SequenceBatch) -> SequenceBatch:
    """The same batch with five more padded slots on the right of each row."""
    return dataclasses.replace(
        batch,
        items=np.pad(batch.items, ((0, 0), (0, 5)), constant_values=PAD),
        timestamps=np.pad(batch.timestamps, ((0, 0), (0, 5))),
    )


class Subject:
    """One model value under the name that messages use; it is never fitted itself, only copies of it."""

    def __init__(self, name: str, model: Any) -> None:
        self.name, self.model = name, model
        self._fitted: Any = None
        self._error: BaseException | None = None

    @property
    def signals(self) -> frozenset[str]:
        """The signals that the model declares; none where it declares no set."""
        declared = getattr(self.model, "signals", ())
        return frozenset() if isinstance(declared, str) else frozenset(declared)

    @property
    def num_items(self) -> int:
        """The number of items in the planted data."""
        return planted_split("order").train.num_items

    def fit(self, split: Split, seed: int = SEED, model: Any = None) -> Any:
        """A copy of the model (or of ``model``), fitted with validation."""

        def validate(current: Any) -> float:
            return float(MEASURE.measure(rank_held_out(current, split.validation, split.train.item_counts)))

        fresh = copy.deepcopy(self.model if model is None else model)
        return self.able_to_score(fresh.fit(split.train, Run(seed, validate=validate)))

    def fitted(self) -> Any:
        """The model fitted on the planted order, once; an error of that fit is raised at each call."""
        if self._error is not None:
            raise self._error
        if self._fitted is None:
            try:
                self._fitted = self.fit(planted_split("order"))
            except (Exception, SystemExit) as error:
                self._error = error
                raise
        return self._fitted

    def able_to_score(self, fitted: Any) -> Any:
        """Return what ``fit`` returned. Raises WrongAnswer unless it can score."""
        if not callable(getattr(fitted, "score", None)):
            raise WrongAnswer(f"fit must return the fitted model (end it with return self), got {described(fitted)}")
        return fitted

    def scores(self, model: Any, batch: SequenceBatch, num_items: int | None = None) -> np.ndarray:
        """All scores of a batch as one float64 array. Raises ValueError for what is no scores, naming it."""
        rows, items = len(batch.query_positions), self.num_items if num_items is None else num_items
        answer = model.score(batch)
        check_scores(answer, rows, items, model)
        block = answer.block(slice(0, rows))
        check_block(block, answer, rows, items, model)
        return np.asarray(block.detach().cpu() if hasattr(block, "detach") else block, dtype=np.float64)

    def measured(self, model: Any, held_out: HeldOut, split: Split) -> float:
        """The MRR@20 of a fitted model on a held-out part."""
        return float(MEASURE.measure(rank_held_out(model, held_out, split.train.item_counts)))
