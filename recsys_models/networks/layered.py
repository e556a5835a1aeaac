"""Networks of recurrent layers for the models of rnn.py: asked at every position, or of prefixes read alone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.own_prefixes import own_prefixes
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, uniform_, with_start
from training.batches.prefixes import PrefixBatch
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout


class LayeredNetwork(NextItemNetwork):
    """Layers on the recurrent engine between what is read and the query.

    item_embedding: (num_items + 1, E), tied to the output, or where items are one-hot (num_items, H), the output alone.
    """

    reads_start: ClassVar[bool] = True  # whether START is read, which then has a row of its own

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        one_hot, rows, ways = model.embedding_dim is None, num_items + self.reads_start, 1 + model.bidirectional
        sizes = [*model.lower_layers, model.dim]
        inputs = [rows if one_hot else model.embedding_dim, *(ways * size for size in sizes[:-1])]

        def stack() -> nn.ModuleList:
            return nn.ModuleList(
                model.layer_of(width, size, one_hot=one_hot and number == 0)
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
        """The item vectors that queries are multiplied with, (num_items, E) or (num_items, H)."""
        return self.item_embedding[: self.num_items]

    def read(self, items: np.ndarray) -> torch.Tensor:
        """What the first layers are given for items (B, T): vectors (T, B, E), or one-hot the numbers (T, B)."""
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

    def training_queries(self, batch: WindowBatch, at: torch.Tensor) -> torch.Tensor:
        """See NextItemNetwork."""
        return self.dropout(self.query(self.states(batch.inputs).transpose(0, 1).flatten(0, 1)[at]))

    def asked_queries(self, batch: SequenceBatch) -> torch.Tensor:
        """See NextItemNetwork."""
        check_items(batch, self.num_items)
        rows, reads = torch.from_numpy(batch.asked).to(self.device).unbind(1)
        return self.query(self.states(with_start(batch))[reads, rows])


class PrefixNetwork(LayeredNetwork):
    """The same layers over the last ``max_len`` events before one target alone, forwards and, if so, backwards."""

    reads_start = False

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__(model, num_items, generators)
        self.max_len = model.max_len

    def last_states(self, items: np.ndarray, counts: np.ndarray) -> torch.Tensor:
        """The states at the two ends of prefixes (B, T) of ``counts`` (B,) events, (B, H) or (B, 2 H); 0 for none."""
        rows = np.arange(len(items))
        ends = torch.from_numpy(np.maximum(counts - 1, 0) * len(items) + rows).to(self.device)
        if not self.backward_layers:
            found = _picked(self.states(items), ends)
        else:
            steps = np.arange(items.shape[1])[:, None]
            mirrored = np.where(steps < counts, counts - 1 - steps, steps)  # (T, B), behind the prefix as it was
            mirror = torch.from_numpy(mirrored * len(items) + rows).to(self.device)
            values = self.read(items)
            for ahead, behind in zip(self.layers, self.backward_layers, strict=True):
                turned = values.flatten()[mirror] if ahead.one_hot else _picked(values, mirror)
                forward, backward = ahead(values)[0], behind(turned)[0]
                values = torch.cat([forward, _picked(backward, mirror)], dim=2)
            found = torch.cat([_picked(forward, ends), _picked(backward, ends)], dim=1)
        return found * torch.from_numpy((counts > 0)[:, None]).to(found)

    def training_queries(self, batch: PrefixBatch, at: torch.Tensor) -> torch.Tensor:
        """See NextItemNetwork; ``at`` is the last step of each row."""
        return self.dropout(self.query(self.last_states(batch.items, batch.real.argmax(axis=1) + 1)))

    def asked_queries(self, batch: SequenceBatch) -> torch.Tensor:
        """See NextItemNetwork."""
        check_items(batch, self.num_items)
        queries = [self.query(self.last_states(*prefixes)) for prefixes in own_prefixes(batch, self.max_len)]
        return torch.cat(queries) if queries else self.item_factors.new_zeros(0, self.item_factors.shape[1])


def _picked(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The states (…, H) at ``places`` (…), numbered t · B + b, of states (T, B, H)."""
    return nn.functional.embedding(places, states.flatten(0, 1))
