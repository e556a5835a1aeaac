"""Stacks of recurrent layers for the models of rnn.py, over whole windows or over single prefixes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.query_prefixes import query_prefixes
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start, uniform_
from training.batches.prefixes import PrefixBatch
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout


class LayeredNetwork(NextItemNetwork):
    """Layers on the recurrent engine between the inputs and the query.

    item_embedding: (num_items + 1, E), tied to the output; with one-hot items (num_items, H), the output alone.
    """

    reads_start: ClassVar[bool] = True  # START then has a row of its own

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        one_hot, rows, ways = model.embedding_dim is None, num_items + self.reads_start, 1 + model.bidirectional
        sizes = [*model.lower_layers, model.dim]
        inputs = [rows if one_hot else model.embedding_dim, *(ways * size for size in sizes[:-1])]

        def stack() -> nn.ModuleList:
            return nn.ModuleList(
                model.build_layer(width, size, one_hot=one_hot and number == 0)
                for number, (width, size) in enumerate(zip(inputs, sizes, strict=True))
            )

        self.layers = stack()
        self.backward_layers = stack() if model.bidirectional else nn.ModuleList()
        self.num_items = num_items
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(model.dropout, generators.dropout)
        if one_hot:
            self.query: nn.Module = nn.Identity()
            self.item_embedding = nn.Parameter(torch.empty(num_items, ways * model.dim))
        else:
            with torch.device("meta"):
                query = nn.Linear(ways * model.dim, model.embedding_dim)
            self.query = query.to_empty(device="cpu")
            self.item_embedding = nn.Parameter(torch.empty(rows, model.embedding_dim))
        nn.init.normal_(self.item_embedding, std=self.item_embedding.shape[1] ** -0.5, generator=generators.weights)
        for layer in [*self.layers, *self.backward_layers]:
            uniform_(layer, layer.size**-0.5, generators.weights)
        uniform_(self.query, model.dim**-0.5, generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors of the scores, (num_items, E) or (num_items, H)."""
        return self.item_embedding[: self.num_items]

    def read(self, items: np.ndarray) -> torch.Tensor:
        """The first layer's inputs for items (B, T): vectors (T, B, E), or the numbers (T, B) with one-hot items."""
        blank = self.num_items if self.reads_start else 0
        values = torch.from_numpy(np.where(items < 0, blank, items).T).to(self.device)
        if self.layers[0].one_hot:
            return values
        return self.dropout(nn.functional.embedding(values, self.item_embedding))

    def states(self, items: np.ndarray) -> torch.Tensor:
        """The last layer's states (T, B, H) after every step of items (B, T)."""
        values = self.read(items)
        for layer in self.layers:
            values = layer(values)[0]
        return values

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows, from zero states."""
        return self.dropout(self.query(self.states(batch.inputs).transpose(0, 1).flatten(0, 1)[positions]))

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, self.num_items)
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return self.query(self.states(items_with_start(batch))[reads, rows])


class PrefixNetwork(LayeredNetwork):
    """The same layers over the last ``max_len`` events before one target, in one direction or both."""

    reads_start = False

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__(model, num_items, generators)
        self.max_len = model.max_len

    def last_states(self, items: np.ndarray, counts: np.ndarray) -> torch.Tensor:
        """The final states, (B, H) or (B, 2 H), of prefixes (B, T) of ``counts`` (B,) events; 0 for an empty prefix."""
        rows = np.arange(len(items))
        ends = torch.from_numpy(np.maximum(counts - 1, 0) * len(items) + rows).to(self.device)
        if not self.backward_layers:
            found = _select(self.states(items), ends)
        else:
            steps = np.arange(items.shape[1])[:, None]
            mirrored = np.where(steps < counts, counts - 1 - steps, steps)  # (T, B), unchanged behind the prefix
            mirror = torch.from_numpy(mirrored * len(items) + rows).to(self.device)
            values = self.read(items)
            for forward_layer, backward_layer in zip(self.layers, self.backward_layers, strict=True):
                reverse = values.flatten()[mirror] if forward_layer.one_hot else _select(values, mirror)
                forward, backward = forward_layer(values)[0], backward_layer(reverse)[0]
                values = torch.cat([forward, _select(backward, mirror)], dim=2)
            found = torch.cat([_select(forward, ends), _select(backward, ends)], dim=1)
        return found * torch.from_numpy((counts > 0)[:, None]).to(found)

    def encode_training(self, batch: PrefixBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode each prefix; ``positions`` are the last steps of the rows."""
        return self.dropout(self.query(self.last_states(batch.inputs, batch.target_mask.argmax(axis=1) + 1)))

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, self.num_items)
        queries = [self.query(self.last_states(*prefixes)) for prefixes in query_prefixes(batch, self.max_len)]
        return torch.cat(queries) if queries else self.item_factors.new_zeros(0, self.item_factors.shape[1])


def _select(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Select the states (…, H) at ``places`` (…), numbered t · B + b, from states (T, B, H)."""
    return nn.functional.embedding(places, states.flatten(0, 1))
