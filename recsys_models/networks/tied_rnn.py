"""OneQueryNetwork: a recurrence over the last items whose state is the query; equations in tied_rnn.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.activations import ACTIVATIONS
from recsys_models.engine.cells.elman import ElmanCell
from recsys_models.engine.cells.gru import GRUResetBeforeCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.query_prefixes import query_prefixes
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from training.batches.sampled_prefixes import SampledPrefixBatch
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout


class OneQueryNetwork(NextItemNetwork):
    """A recurrence over the last items; its state is the query.

    item_embedding: item vectors (V, E), or with one-hot items the rows of W (V, G).
    """

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        dim, activation = model.dim, ACTIVATIONS[model.activation]
        self.max_len = model.max_len
        self.uses_torch_layer = model.uses_torch_layer
        self.one_hot = not model.tied and model.embedding_dim is None
        self.row_sparse = not model.tied and model.row_sparse
        if self.row_sparse and not torch.sparse.check_sparse_tensor_invariants.is_enabled():
            # torch's default, which is a warning until it is set
            torch.sparse.check_sparse_tensor_invariants.disable()
        self.dropout = Dropout(model.dropout, generators.dropout)
        self.cell, gates, shapes = {
            "LSTM": (LSTMCell(peepholes=model.peepholes, activation=activation), 4, [(dim, 4 * dim)]),
            "GRU": (GRUResetBeforeCell(activation), 3, [(dim, 2 * dim), (dim, dim)]),
            "vanilla": (ElmanCell(activation), 1, [(dim, dim)]),
        }[model.cell]
        shapes = [*shapes, (3, dim)] if model.peepholes else shapes
        width = gates * dim if self.one_hot else model.embedding_dim or dim
        self.item_embedding = nn.Parameter(torch.empty(num_items, width))
        self.weight = None if self.one_hot else nn.Parameter(torch.empty(width, gates * dim))
        self.bias = nn.Parameter(torch.zeros(gates * dim))
        self.recurrent = nn.ParameterList(nn.Parameter(torch.empty(*shape)) for shape in shapes)
        self.start = nn.Parameter(torch.zeros(self.cell.states, dim)) if model.trained_start else None
        self.output = None if model.tied else nn.Parameter(torch.empty(num_items, dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.zero = torch.zeros(self.cell.states, dim)
        self._draw_weights(model, generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors of the scores, (V, H)."""
        return self.item_embedding if self.output is None else self.output

    def _draw_weights(self, model: Any, generator: torch.Generator) -> None:
        """Draw the initial weights; TensorFlow draws input and recurrent weights of a gate as one matrix."""
        dim = model.dim
        read = len(self.item_embedding) if self.one_hot else self.weight.shape[0]
        inputs = self.item_embedding if self.one_hot else self.weight
        with torch.no_grad():
            if model.init == "lasagne":
                for weight in (inputs, *self.recurrent):
                    weight.normal_(0.0, 0.1, generator=generator)
                if not self.one_hot:
                    self.item_embedding.normal_(0.0, 0.01, generator=generator)
            else:
                by_gate = {"LSTM": 4 * dim, "GRU": 2 * dim, "vanilla": dim}[model.cell]
                bound = _glorot(read + dim, by_gate)
                for weight in (inputs, *self.recurrent):
                    weight.uniform_(-bound, bound, generator=generator)
                if model.cell == "GRU":  # the candidate has a matrix of its own there
                    last = _glorot(read + dim, dim)
                    inputs[:, 2 * dim :].uniform_(-last, last, generator=generator)
                    self.recurrent[1].uniform_(-last, last, generator=generator)
                if not self.one_hot:
                    _uniform(self.item_embedding, _glorot(*self.item_embedding.shape), generator)
                if self.output is None:
                    _uniform(self.item_bias, _glorot(len(self.item_bias), len(self.item_bias)), generator)
                if model.cell == "GRU":  # TensorFlow's gate biases begin at 1, and its u is our 1 − u
                    self.bias[:dim], self.bias[dim : 2 * dim] = -1.0, 1.0
            if self.output is not None:
                _uniform(self.output, _glorot(*self.output.shape), generator)
            if model.cell == "LSTM":
                self.bias[dim : 2 * dim] = model.forget_bias

    def embed(self, items: np.ndarray) -> torch.Tensor:
        """Look up the rows (…, ·) of item numbers of any shape; padding takes row 0, whose state is unused."""
        rows = torch.from_numpy(np.maximum(items, 0)).to(self.device)
        return nn.functional.embedding(rows, self.item_embedding, sparse=self.row_sparse)

    def states(self, items: np.ndarray) -> torch.Tensor:
        """h_0 … h_T, (1 + T, B, H), for items (B, T)."""
        items = np.ascontiguousarray(items.T)  # (T, B)
        start = self.zero.to(self.device) if self.start is None else self.start
        initial = [state.expand(items.shape[1], -1) for state in start]
        if self.uses_torch_layer and self.device.type == "cpu":
            after = self._torch_lstm(items, initial)
        else:
            inputs = self.embed(items) if self.one_hot else self.dropout(self.embed(items))
            after = self.engine.unroll(self.cell, inputs, self.weight, self.bias, initial, list(self.recurrent))[0]
        return torch.cat([initial[0][None], after])

    def _torch_lstm(self, items: np.ndarray, initial: list[torch.Tensor]) -> torch.Tensor:
        """h_1 … h_T, (T, B, H), by torch's own LSTM, which takes half the time of the unrolled one on a CPU.

        One-hot items are renumbered within the batch, so that only their rows of W are used.
        """
        if self.one_hot:
            members, numbers = np.unique(np.maximum(items, 0), return_inverse=True)
            inputs = nn.functional.one_hot(torch.from_numpy(numbers.reshape(items.shape)), len(members)).to(
                self.bias.dtype
            )
            weight = self.embed(members)
        else:
            inputs, weight = self.dropout(self.embed(items)), self.weight
        weights = [_in_torch_order(matrix) for matrix in (weight, self.recurrent[0], self.bias[None])]
        biases = [weights[2][:, 0], torch.zeros_like(self.bias)]
        hidden = tuple(state[None].contiguous() for state in initial)
        return torch.lstm(inputs, hidden, [*weights[:2], *biases], True, 1, 0.0, self.training, False, False)[0]

    def encode_training(self, batch: WindowBatch | SampledPrefixBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows or prefixes; the first step of a sequence has no input."""
        items, first = batch.inputs, batch.starts.astype(np.int64)
        items = np.where(first[:, None] == 1, np.roll(items, -1, axis=1), items)
        rows, steps = positions // items.shape[1], positions % items.shape[1]
        reads = steps + 1 - torch.from_numpy(first).to(self.device)[rows]
        return self.dropout(self.states(items)[reads, rows])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its last ``max_len`` items and the initial state."""
        check_items(batch, len(self.item_embedding))
        queries = [self._last_states(*prefixes) for prefixes in query_prefixes(batch, self.max_len)]
        return torch.cat(queries) if queries else self.item_factors.new_zeros(0, self.item_factors.shape[1])

    def _last_states(self, items: np.ndarray, counts: np.ndarray) -> torch.Tensor:
        """Queries (m, H) after the first ``counts`` (m,) of ``items`` (m, T)."""
        states = self.states(items)
        return states[torch.from_numpy(counts).to(self.device), torch.arange(len(items), device=self.device)]


def _in_torch_order(matrix: torch.Tensor) -> torch.Tensor:
    """Reorder gates from columns i, f, o, g to torch's rows i, f, g, o."""
    i, f, o, g = matrix.T.chunk(4)
    return torch.cat([i, f, g, o])


def _glorot(before: int, after: int) -> float:
    """The bound of Glorot and Bengio's uniform initialisation."""
    return math.sqrt(6.0 / (before + after))


def _uniform(weight: nn.Parameter, bound: float, generator: torch.Generator) -> None:
    """Draw from U(−bound, bound)."""
    weight.uniform_(-bound, bound, generator=generator)
