"""TimeLSTMNetwork: the network of the five models of time_lstm.py, which has the equations."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.gaps import history_gaps, query_gaps, to_extra_input, training_gaps
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout

OFFICIAL_CLAMP = -1e-5


class TimeLSTMNetwork(NextItemNetwork):
    """One of the five cells on one-hot or embedded items, and an output matrix."""

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.cell, self.timed, self.reads_gap = model.cell(), hasattr(model, "gap"), model.reads_gap
        self.gap, self.unit = getattr(model, "gap", ""), getattr(model, "time_unit", 1.0)
        self.variant, self.name = getattr(model, "variant", ""), type(model).__name__
        dim, width = model.dim, model.dim * model.num_gates
        embedding_dim = model.embedding_dim or width
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, embedding_dim))
        self.weight = None if model.embedding_dim is None else nn.Parameter(torch.empty(embedding_dim, width))
        self.gap_row = nn.Parameter(torch.empty(width)) if model.reads_gap else None
        self.recurrent = nn.Parameter(torch.empty(dim, dim * model.num_recurrent))
        self.peepholes = nn.Parameter(torch.empty(model.num_peepholes, dim))
        self.order = model.gate_weights  # a ParameterDict sorts by name
        self.gap_weights = nn.ParameterDict({name: nn.Parameter(torch.empty(dim)) for name in self.order})
        self.output = nn.Parameter(torch.empty(num_items, dim))
        self.bias = nn.Parameter(torch.zeros(width))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(model.dropout, generators.dropout)
        for name, weight in self.named_parameters():
            if name == "gap_weights.gap_1":
                nn.init.uniform_(weight, -1.0, 0.0, generator=generators.weights)
            elif name not in ("bias", "item_bias"):
                std = 0.01 if name == "output" else 0.1
                nn.init.normal_(weight, std=std, generator=generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The output matrix, (num_items, H)."""
        return self.output

    def cell_weights(self) -> list[torch.Tensor]:
        """The weights that the cell takes at every step; w_1 within the bound of the variant."""
        weights = dict(self.gap_weights.items())
        if self.variant == "paper":
            weights["gap_1"] = weights["gap_1"].clamp(max=0.0)
        elif self.variant == "official":
            weights["gap_1"] = weights["gap_1"].clamp(min=OFFICIAL_CLAMP)
        return [self.recurrent, self.peepholes, *(weights[name] for name in self.order)]

    def inputs(self, items: torch.Tensor, gaps: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """The engine's inputs (T, B, ·) and their matrix; LSTM_T's include the gap."""
        if not self.reads_gap:
            return items, self.weight
        if self.weight is None:
            return items + gaps * self.gap_row, None
        return torch.cat([items, gaps], dim=2), torch.cat([self.weight, self.gap_row[None]])

    def unroll(
        self, items: torch.Tensor, gaps: torch.Tensor | None, initial: tuple[torch.Tensor, ...] | None = None
    ) -> tuple[torch.Tensor, ...]:
        """States h and c (T, B, H) after every step of item vectors (T, B, E) with gaps (T, B, 1)."""
        inputs, weight = self.inputs(items, gaps)
        zero = items.new_zeros(items.shape[1], len(self.recurrent))
        extra_inputs = [gaps] if self.gap_weights else []
        return self.engine.unroll(
            self.cell, inputs, weight, self.bias, initial or (zero, zero), self.cell_weights(), extra_inputs
        )

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows, with their gaps."""
        if self.variant == "paper":
            with torch.no_grad():
                self.gap_weights["gap_1"].clamp_(max=0.0)
        items = self.dropout(self.embed(batch.inputs.T))  # (T, B, E)
        gaps = to_extra_input(training_gaps(batch, self.gap), self.unit, items) if self.timed else None
        hidden = self.unroll(items, gaps)[0]
        return self.dropout(hidden.transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query; with gap="next" its last step runs again with the query's own gap."""
        check_items(batch, len(self.item_bias))
        items = self.embed(items_with_start(batch).T)  # (1 + T, B, E)
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        gaps = to_extra_input(history_gaps(batch, self.gap, len(items)), self.unit, items) if self.timed else None
        states = self.unroll(items, gaps)
        if not (self.timed and self.gap == "next"):
            return states[0][reads, rows]
        before = tuple(torch.cat([torch.zeros_like(state[:1]), state])[reads, rows] for state in states)
        asked_gaps = to_extra_input(query_gaps(batch, self.name)[:, None], self.unit, items)
        return self.unroll(items[reads, rows][None], asked_gaps, before)[0][0]
