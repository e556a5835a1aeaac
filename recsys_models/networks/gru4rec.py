"""GRU4RecNetwork: GRU layers that carry their states from step to step; equations in gru4rec.py."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.networks.layers import GRUResetAfterLayer, GRUResetBeforeLayer
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from training.batches.stateful_windows import StatefulBatch
from training.control.dropout import Dropout


class GRU4RecNetwork(NextItemNetwork):
    """Item tables with row-sparse updates, and GRU layers that carry their states from step to step."""

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        before = model.reset == "before" or (model.reset == "port" and model.inputs == "one-hot")
        one_hot = model.inputs == "one-hot"
        widths = {"tied": model.dim, "separate": model.embedding_dim, "one-hot": num_items}
        sizes = [widths[model.inputs], *model.lower_layers, model.dim]
        kind = GRUResetBeforeLayer if before else GRUResetAfterLayer
        self.layers = nn.ModuleList(
            kind(num_inputs, size, one_hot=one_hot and number == 0)
            for number, (num_inputs, size) in enumerate(pairwise(sizes))
        )
        self.output = nn.Parameter(torch.empty(num_items, model.dim))
        self.bias = nn.Parameter(torch.zeros(num_items))
        self.table = nn.Parameter(torch.empty(num_items, model.embedding_dim)) if model.inputs == "separate" else None
        self.dropout = Dropout(model.dropout, generators.dropout)
        self.state_dropout = Dropout(model.state_dropout, generators.dropout)
        self.carry: list[torch.Tensor] = []
        for weight in self.parameters():
            if weight.dim() == 2:
                size = next((layer.size for layer in self.layers if weight in set(layer.parameters())), weight.shape[1])
                bound = (6.0 / (weight.shape[0] + size)) ** 0.5
                nn.init.uniform_(weight, -bound, bound, generator=generators.weights)
        for table in (self.output, self.bias, self.table, self.layers[0].weight if one_hot else None):
            if table is not None:
                table.row_sparse = True

    @property
    def item_factors(self) -> torch.Tensor:
        """The output table, (num_items, H)."""
        return self.output

    @property
    def item_bias(self) -> torch.Tensor:
        """The item biases, (num_items,)."""
        return self.bias

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.output.device

    def read(self, items: torch.Tensor) -> torch.Tensor:
        """The first layer's inputs for items (T, B): their vectors (T, B, E), or the numbers themselves."""
        if self.layers[0].one_hot:
            return items
        return nn.functional.embedding(items, self.output if self.table is None else self.table, sparse=True)

    def encode_training(self, batch: StatefulBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode one step of every session; ``positions`` are all rows."""
        return self.step(self.read(torch.from_numpy(batch.inputs.T).to(self.device)), batch)

    def step(self, values: torch.Tensor, batch: StatefulBatch) -> torch.Tensor:
        """Queries (B, H) after one step with inputs ``values``, (1, B, E) or item numbers (1, B)."""
        if not self.layers[0].one_hot:
            values = self.dropout(values)
        states = self._before(batch)
        slots = torch.from_numpy(batch.slots).to(self.device)
        for layer, state, carry in zip(self.layers, states, self.carry, strict=True):
            (values,) = layer(values, (state,))
            values = (self.dropout if layer.one_hot else self.state_dropout)(values)  # (1, B, H)
            carry[slots] = values[0].detach()
        return values[0]

    def _before(self, batch: StatefulBatch) -> list[torch.Tensor]:
        """The states before the batch, (B, H) per layer; zero where a session begins."""
        if len(self.carry) == 0 or len(self.carry[0]) != batch.num_slots:
            self.carry = [self.output.new_zeros(batch.num_slots, layer.size) for layer in self.layers]
        slots = torch.from_numpy(batch.slots).to(self.device)
        fresh = torch.from_numpy(batch.fresh).to(self.device)[:, None]
        return [carry[slots].masked_fill(fresh, 0.0) for carry in self.carry]

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.output))
        needed = int(batch.query_positions[:, 1].max(initial=0))
        values = self.output.new_zeros(0, len(batch.items), self.output.shape[1])
        if needed:
            values = self.read(torch.from_numpy(np.maximum(batch.items[:, :needed], 0).T).to(self.device))
            for layer in self.layers:
                (values,) = layer(values)
        states = torch.cat([values.new_zeros(1, *values.shape[1:]), values])  # (1 + T, B, H): step r has read r events
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return states[reads, rows]
