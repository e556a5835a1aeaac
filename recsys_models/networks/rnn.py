"""RecurrentNetwork: torch's own recurrent layer between a tied item embedding and a query; see rnn.py."""

from __future__ import annotations

import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start, uniform_
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout


class RecurrentNetwork(NextItemNetwork):
    """Tied item embedding, one of torch's recurrent layers, and a map from its state to a query."""

    def __init__(
        self,
        layer: str,
        num_items: int,
        embedding_dim: int,
        dim: int,
        dropout: float,
        generators: Generators,
    ) -> None:
        super().__init__()
        with torch.device("meta"):  # so that torch's own initialisation draws nothing from the global generator
            recurrence, query = getattr(nn, layer)(embedding_dim, dim, batch_first=True), nn.Linear(dim, embedding_dim)
        self.recurrence, self.query = recurrence.to_empty(device="cpu"), query.to_empty(device="cpu")
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, embedding_dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(dropout, generators.dropout)
        nn.init.normal_(self.item_embedding, std=embedding_dim**-0.5, generator=generators.weights)
        uniform_(self.recurrence, dim**-0.5, generators.weights)
        uniform_(self.query, dim**-0.5, generators.weights)

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows."""
        states, _ = self.recurrence(self.dropout(self.embed(batch.inputs)))  # (B, T, H)
        return self.dropout(self.query(states.flatten(0, 1)[positions]))

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.item_embedding) - 1)
        states, _ = self.recurrence(self.embed(items_with_start(batch)))  # (B, 1 + T, H): step r has read r events
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return self.query(states[rows, reads])
