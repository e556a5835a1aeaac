"""Error of a model's scores against its reference implementation, and its MRR@20 on planted data of its signals."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import MRR
from evaluation.ranking.rank import rank_held_out
from recsys_data.generated.planted import PlantedSignal
from recsys_data.generated.planted_gaps import PlantedGaps
from recsys_data.generated.planted_habits import PlantedHabits
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.split import Split
from recsys_models.next_item import NextItemModel
from training.run import Run

PLANTED = {
    "order": PlantedSignal("order"),
    "gaps": PlantedGaps(decides="previous"),
    "users": PlantedHabits(),
}
PROTOCOL = PerUserFractions(train=0.7, validation=0.1, test=0.2)
HISTORIES = 20  # histories compared with the reference, ten queries each


def fitted(model: NextItemModel, split: Split) -> NextItemModel:
    """Fit a copy with validation."""

    def validate(current: Any) -> float:
        return MRR(20).measure(rank_held_out(current, split.validation, split.train.item_counts))

    return copy.deepcopy(model).fit(split.train, Run(0, validate=validate))


def oracle_error(model: NextItemModel, split: Split) -> float:
    """The largest difference from the reference implementation's scores, over some test queries."""
    implementation = importlib.import_module("reference." + type(model).__module__.rpartition(".")[2])
    batch, _ = next(split.test.batches(max_rows=HISTORIES))
    ours = np.asarray(model.score(batch).block(slice(None)), dtype=np.float64)
    return float(np.abs(ours - implementation.scores(model, batch)).max())


def reach(model: NextItemModel, splits: dict[str, Split]) -> dict[str, Any]:
    """Oracle error and MRR@20 on the planted data of the model's signals."""
    found: dict[str, Any] = {}
    for signal in PLANTED:
        if signal in model.signals:
            trained = fitted(model, splits[signal])
            ranks = rank_held_out(trained, splits[signal].test, splits[signal].train.item_counts)
            found[signal] = MRR(20).measure(ranks)
            if signal == "order":
                found["oracle_error"] = oracle_error(trained, splits[signal])
    return found
