"""Cost of a model's network compared with torch's LSTM of the same shape: matrix products and CPU time per target.

Only the network counts: reading a batch, computing the queries, and the backward pass; not the loss or the optimiser.
"""

from __future__ import annotations

import copy
import dataclasses
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from recsys_data.split import TrainingSet
from recsys_models.networks.network import Generators
from recsys_models.next_item import NextItemModel
from recsys_models.rnn import LSTM
from speed.timing import in_turn
from training.run import Run

SHAPE = {"dim": 128, "max_len": 50, "batch_size": 64}
TARGETS = 3200  # per measurement, at least


def at_shape(model: NextItemModel) -> NextItemModel:
    """``model`` with states and item vectors of 128, windows of 50 in batches of 64, one epoch, no dropout.

    A model that reads one event per step, or counts its batches in targets, keeps these sizes.
    """
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    dropouts = {"dropout", "input_dropout", "user_dropout"} & fields.keys()
    chosen = {"dim": SHAPE["dim"], "epochs": 1} | dict.fromkeys(dropouts, 0.0)
    if fields["max_len"] != 1:
        chosen["max_len"] = SHAPE["max_len"]
    if "batches" not in fields:  # a model with this field counts its batches in targets
        chosen["batch_size"] = SHAPE["batch_size"]
    if "embedding_dim" in fields:
        chosen["embedding_dim"] = SHAPE["dim"]
    return dataclasses.replace(model, **chosen)


@dataclass(frozen=True, eq=False)
class Passes:
    """Forward and backward passes of a fresh network over the first batches of an epoch."""

    run: Callable[[], None]
    targets: int

    @classmethod
    def of(cls, model: NextItemModel, train: TrainingSet, *, bare: bool = False) -> Passes:
        """Passes over the first batches with ``TARGETS`` targets; ``bare`` removes the query layer."""
        network = model.network(train, Generators.of(Run(0))).train()
        if bare:
            network.query = torch.nn.Identity()
        chosen, targets = [], 0
        for batch in model.batcher().batches(train.sequences, np.random.default_rng(0)):
            at = np.flatnonzero(batch.target_mask)
            chosen.append((batch, torch.from_numpy(at)))
            targets += len(at)
            if targets >= TARGETS:
                break

        def run() -> None:
            for batch, at in chosen:
                network.zero_grad()
                network.encode_training(batch, at).sum().backward()

        return cls(run, targets)

    def flops(self) -> float:
        """Matrix-product FLOP per target; torch's own LSTM is decomposed so that it can be counted."""
        counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: _addmm})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "TF32 acceleration")  # a warning about GPUs
            with torch.backends.mkldnn.flags(enabled=False), counter as counted:
                self.run()
        return counted.get_total_flops() / self.targets


def _addmm(into: torch.Size, left: torch.Size, right: torch.Size, **_: Any) -> int:
    """The FLOP of an in-place product sum, which the counter does not know."""
    return 2 * left[0] * left[1] * right[1]


def compare_with_lstm(model: NextItemModel, train: TrainingSet) -> dict[str, float]:
    """Ratios of FLOP and time per target to those of an embedding and torch.nn.LSTM, measured in turn."""
    passes = [Passes.of(at_shape(model), train), Passes.of(at_shape(LSTM()), train, bare=True)]
    flops = [one.flops() for one in passes]
    taken = in_turn([one.run for one in passes], rounds=5)
    ours, lstm = ([second / one.targets for second in times] for one, times in zip(passes, taken, strict=True))
    return {
        "flop_ratio": flops[0] / flops[1],
        "time_ratio": statistics.median(a / b for a, b in zip(ours, lstm, strict=True)),
    }


def parameters(model: NextItemModel, train: TrainingSet) -> int:
    """The number of parameters of the model for ``train``, at its own size."""
    return sum(weight.numel() for weight in model.network(train, Generators.of(Run(0))).parameters())


def rate(model: NextItemModel, train: TrainingSet, clock: Callable[[], float]) -> float:
    """Targets per second of ``clock`` in one epoch of fit: batches, network, loss and optimiser."""
    seen: list[dict[str, Any]] = []
    fresh = copy.deepcopy(at_shape(model))
    started = clock()
    fresh.fit(train, Run(0, log=lambda record: seen.append(dict(record))))
    spent = clock() - started
    epoch = next(record for record in seen if record["event"] == "epoch")
    return epoch["targets_per_second"] * epoch["seconds"] / spent
