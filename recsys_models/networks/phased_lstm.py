"""PhasedNetwork: the phased cell on one-hot items; equations in phased_lstm.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.cells.phased_lstm import PhasedLSTMCell
from recsys_models.engine.gaps import history_gaps, training_gaps
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout

OFFICIAL_SHIFT = 1000.0


class PhasedNetwork(NextItemNetwork):
    """The phased cell on one-hot items, and an output matrix."""

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        dim, generator = model.dim, generators.weights
        self.open_share, self.leak, self.leaks_at_test = model.open_share, model.leak, model.variant == "official"
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, 4 * dim))
        self.recurrent = nn.Parameter(torch.empty(dim, 4 * dim))
        self.peepholes = nn.Parameter(torch.empty(3, dim))
        self.bias = nn.Parameter(torch.zeros(4 * dim))
        self.output = nn.Parameter(torch.empty(num_items, dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(model.dropout, generators.dropout)
        for weight, std in (
            (self.item_embedding, 0.1),
            (self.recurrent, 0.1),
            (self.peepholes, 0.1),
            (self.output, 0.01),
        ):
            nn.init.normal_(weight, std=std, generator=generator)
        shortest, longest = model.periods
        if model.variant == "paper":
            period = torch.empty(dim).uniform_(math.log(shortest), math.log(longest), generator=generator).exp()
            shift = torch.rand(dim, generator=generator) * period
        else:
            period = torch.empty(dim).uniform_(shortest, longest, generator=generator)
            shift = torch.rand(dim, generator=generator) * -OFFICIAL_SHIFT
            with torch.no_grad():
                self.bias[dim : 2 * dim] = 2.0
        self.period, self.shift = nn.Parameter(period), nn.Parameter(shift)

    @property
    def item_factors(self) -> torch.Tensor:
        """The output matrix, (num_items, H)."""
        return self.output

    def hidden(self, items: np.ndarray, times: np.ndarray) -> torch.Tensor:
        """States h (T, B, H) after every step of items (B, T) at times (B, T), seconds since the first event."""
        gates = self.dropout(self.embed(items.T))
        clock = torch.from_numpy(np.ascontiguousarray(times.T)[..., None]).to(self.device)
        cell = PhasedLSTMCell(self.open_share, self.leak if self.training or self.leaks_at_test else 0.0)
        zero = gates.new_zeros(gates.shape[1], len(self.recurrent))
        weights = (self.recurrent, self.peepholes, self.period.abs(), self.shift)
        return self.engine.unroll(cell, gates, None, self.bias, (zero, zero), weights, (clock,))[0]

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows; raise ValueError for a clock that runs backwards."""
        training_gaps(batch, "next")
        first = batch.sequences.timestamps[batch.sequences.offsets[batch.rows]]
        times = np.where(batch.target_mask, batch.input_times - first[:, None], 0.0)
        return self.dropout(self.hidden(batch.inputs, times).transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.item_bias))
        items = items_with_start(batch)
        times = np.cumsum(history_gaps(batch, "previous", items.shape[1]), axis=1)
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return self.hidden(items, times)[reads, rows]
