"""MyModel: a neural recommender.

Check it:   python benchmark.py check THIS_FILE
Run it:     python benchmark.py new suite mine --model THIS_FILE, then python benchmark.py run ./mine.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.networks.network import Generators, NextItemNetwork, items_with_start
from recsys_models.next_item import NextItemModel
from training.batches.windows import WindowBatch


@dataclass(kw_only=True)
class MyModel(NextItemModel):
    """An item embedding, one recurrent layer, and scores against the same embedding.

    The fields are the hyper-parameters. NextItemModel has more, such as loss, optimiser and dropout: see
    ``python benchmark.py list models NextItemModel``. They are part of each result's key: add what your network needs.
    """

    family: ClassVar[str] = "recurrent"  # the group of models that it is listed with
    signals: ClassVar[frozenset[str]] = frozenset({"order"})  # what it can learn; the command check plants it

    dim: int = 32
    learning_rate: float = 1e-2
    batch_size: int = 16
    epochs: int = 60
    patience: int = 5

    def network(self, train: TrainingSet, generators: Generators) -> MyModelNetwork:
        """A fresh network; its weights come from ``generators.weights`` alone, so that each fit repeats to the bit."""
        return MyModelNetwork(self.dim, train.num_items, generators.weights)


class MyModelNetwork(NextItemNetwork):
    """The network: it turns histories into query vectors, which multiply the item vectors."""

    def __init__(self, dim: int, num_items: int, weights: torch.Generator) -> None:
        super().__init__()
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, dim))  # the last row stands for the start
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.layer = nn.GRU(dim, dim, batch_first=True)
        for weight in (self.item_embedding, *self.layer.parameters()):  # all drawn anew: torch's own draw is not fixed
            nn.init.uniform_(weight, -(dim**-0.5), dim**-0.5, generator=weights)

    def states(self, items: torch.Tensor) -> torch.Tensor:
        """The state after each step, (B, T, dim)."""
        return self.layer(self.embed(items))[0]

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """The queries (N, dim) at the steps ``positions`` of training windows (step t of row b is b · T + t)."""
        return self.states(batch.inputs).flatten(0, 1)[positions]

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """The queries (M, dim) of a batch: query (b, n) reads the first n events of row b, and none after them."""
        rows, read = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return self.states(items_with_start(batch))[rows, read]
