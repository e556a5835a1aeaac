"""SpotlightNetwork and MultiplicativeNetwork, the networks of mlstm.py, which has the equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout


class SpotlightNetwork(NextItemNetwork):
    """Item vectors tied to the output, and an LSTM that starts from zero and reads a zero vector first."""

    reads_zero_first = True

    def __init__(self, model: Any, num_items: int, num_gates: int, generators: Generators) -> None:
        super().__init__()
        dim = model.dim
        self.output_state = ("hidden", "cell").index(model.output)
        self.max_len, self.padded = model.max_len, model.padding == "official"
        self.cell = LSTMCell(peepholes=False)
        self.item_embedding = nn.Parameter(torch.empty(num_items, dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.weight = nn.Parameter(torch.empty(dim, num_gates * dim))
        self.bias = nn.Parameter(torch.empty(num_gates * dim))
        self.recurrent = nn.Parameter(torch.empty(dim, 4 * dim))
        self.dropout = Dropout(model.dropout, generators.dropout)
        nn.init.normal_(self.item_embedding, std=1.0 / dim, generator=generators.weights)
        for weight in (self.weight, self.bias, self.recurrent):
            nn.init.uniform_(weight, -(dim**-0.5), dim**-0.5, generator=generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors, (num_items, H)."""
        return self.item_embedding

    def initial_state(self) -> torch.Tensor:
        """The state before the first event, (1, H), for h and for c."""
        return self.weight.new_zeros(1, self.item_embedding.shape[1])

    def input_bias(self) -> torch.Tensor:
        """The bias of the input side."""
        return self.bias

    def cell_weights(self) -> list[torch.Tensor]:
        """The weights that the cell takes at every step."""
        return [self.recurrent]

    def run(self, items: torch.Tensor, initial: list[torch.Tensor]) -> list[torch.Tensor]:
        """The states before and after every step of item vectors (T, B, H): for each state (T + 1, B, H)."""
        if len(items) == 0:
            return [state[None] for state in initial]
        after = self.engine.unroll(self.cell, items, self.weight, self.input_bias(), initial, self.cell_weights())
        return [torch.cat([first[None], states]) for first, states in zip(initial, after, strict=True)]

    def representations(self, items: torch.Tensor, pads: torch.Tensor) -> torch.Tensor:
        """u_0 … u_T, (T + 1, B, H), for item vectors (T, B, H) with ``pads`` (B,) zero vectors before them."""
        first = self.initial_state()
        initial = [first.expand(items.shape[1], -1)] * 2
        if self.padded and pads.any():
            zeros = items.new_zeros(int(pads.max()), 1, items.shape[2])
            initial = [states[pads, 0] for states in self.run(zeros, [first, first])]
        if not self.reads_zero_first:
            return self.run(items, initial)[self.output_state]
        zero = items.new_zeros(1, items.shape[1], items.shape[2])
        return self.run(torch.cat([zero, items]), initial)[self.output_state][1:]

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows, without the event before the window."""
        items = self.dropout(self.embed(batch.inputs[:, 1:].T))
        pads = torch.from_numpy(np.maximum(self.max_len - batch.target_mask.sum(axis=1), 0)).to(self.device)
        states = self.representations(items, pads)
        return self.dropout(states.transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.item_embedding))
        rows, reads = batch.query_positions.T
        longest = np.zeros(len(batch.items), dtype=np.int64)
        np.maximum.at(longest, rows, reads)
        pads = torch.from_numpy(np.maximum(self.max_len - longest - 1, 0)).to(self.device)
        items = self.embed(batch.items[:, : longest.max(initial=0)].T)
        return self.representations(items, pads)[torch.from_numpy(reads), torch.from_numpy(rows)]


class MultiplicativeNetwork(SpotlightNetwork):
    """The multiplicative cell, whose learnt initial state is also the query of an empty history."""

    reads_zero_first = False

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__(model, num_items, 5, generators)
        dim = model.dim
        self.cell = MLSTMCell(gate_inside=model.output_gate == "inside")
        self.biases = model.biases
        self.hidden_weight = nn.Parameter(torch.empty(dim, dim))
        self.hidden_bias = nn.Parameter(torch.empty(dim)) if model.biases else None
        self.start = nn.Parameter(torch.empty(1, dim))
        nn.init.uniform_(self.hidden_weight, -(dim**-0.5), dim**-0.5, generator=generators.weights)
        nn.init.normal_(self.start, std=1.0 / dim, generator=generators.weights)
        if model.biases:
            nn.init.uniform_(self.hidden_bias, -(dim**-0.5), dim**-0.5, generator=generators.weights)
        else:
            self.bias = nn.Parameter(self.bias.detach()[: 4 * dim].clone())  # none for m

    def initial_state(self) -> torch.Tensor:
        """The learnt vector, (1, H)."""
        return self.start

    def input_bias(self) -> torch.Tensor:
        """The bias of the input side; zero for m without biases."""
        return self.bias if self.biases else torch.cat([self.bias, self.bias.new_zeros(len(self.hidden_weight))])

    def cell_weights(self) -> list[torch.Tensor]:
        """U, W_hm and b_hm."""
        return [
            self.recurrent,
            self.hidden_weight,
            self.hidden_bias if self.biases else self.hidden_weight.new_zeros(len(self.hidden_weight)),
        ]
