"""NARM's network; equations in narm.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.activations import HARD_SIGMOID, SIGMOID
from recsys_models.engine.query_prefixes import query_windows
from recsys_models.networks.layers import GRUResetBeforeLayer
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from training.batches.prefixes import PrefixBatch
from training.control.dropout import Dropout

CELLS_PER_BLOCK = 1 << 22  # numbers in the attention of a block of queries


class AttentiveNetwork(NextItemNetwork):
    """Item vectors, a GRU, the attention of the local encoder, and the decoder."""

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.num_items, self.max_len, self.encoder = num_items, model.max_len, model.encoder
        self.official, self.generator = model.variant == "official", generators.weights
        size, width = model.dim, model.embedding_dim
        context = size * (2 if model.encoder == "hybrid" else 1)

        self.item_embedding = self.normal(num_items, width, fan=num_items)
        self.gru = GRUResetBeforeLayer(width, size, gate=HARD_SIGMOID if self.official else SIGMOID)
        self.gru.weight = self.normal(width, 3 * size, fan=width)
        with torch.no_grad():
            for part in (*self.gru.recurrent.chunk(2, dim=1), self.gru.candidate):
                part.copy_(nn.init.orthogonal_(torch.empty(size, size), generator=generators.weights))
        if model.encoder != "global":
            self.of_last = self.normal(size, size, fan=size)  # A_1
            self.of_state = self.normal(size, size, fan=size)  # A_2
            self.weigh = self.normal(size, fan=1)  # v
        if model.decoder == "bilinear":
            self.bilinear = self.normal(width, context, fan=width)  # B
            self.item_bias = None
        else:
            self.output = self.normal(num_items, context, fan=context)  # w
            self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.input_dropout = Dropout(model.input_dropout, generators.dropout)
        self.dropout = Dropout(model.dropout, generators.dropout)

    def normal(self, *shape: int, fan: int) -> nn.Parameter:
        """A weight drawn from N(0, 2 / fan)."""
        return nn.Parameter(torch.empty(*shape).normal_(0.0, (2.0 / fan) ** 0.5, generator=self.generator))

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors of the scores, (num_items, E) or (num_items, C)."""
        return self.item_embedding if self.item_bias is None else self.output

    def states(self, items: np.ndarray) -> torch.Tensor:
        """The GRU's states (B, T, H) after every step of items (B, T); an item below 0 is read as 0."""
        rows = torch.from_numpy(np.maximum(items, 0).T).to(self.device)
        known = torch.from_numpy((items >= 0).T[:, :, None]).to(self.device)
        vectors = nn.functional.embedding(rows, self.item_embedding) * known
        return self.gru(self.input_dropout(vectors))[0].transpose(0, 1).contiguous()

    def contexts(self, states: torch.Tensor, rows: np.ndarray, reads: np.ndarray) -> torch.Tensor:
        """The vectors c (N, C) after the first ``reads`` ≥ 1 (N,) events of ``rows`` (N,), from states (B, T, H)."""
        width, size = states.shape[1:]
        last = nn.functional.embedding(
            torch.from_numpy(rows * width + reads - 1).to(states.device), states.flatten(0, 1)
        )
        if self.encoder == "global":
            return last
        keys = states @ self.of_state
        step = max(1, CELLS_PER_BLOCK // (width * size))
        blocks = [slice(start, start + step) for start in range(0, len(rows), step)]
        parts = [self.attend(states, keys, last[block], rows[block], reads[block]) for block in blocks]
        local = torch.cat(parts)
        return local if self.encoder == "local" else torch.cat([last, local], dim=1)

    def attend(
        self, states: torch.Tensor, keys: torch.Tensor, last: torch.Tensor, rows: np.ndarray, reads: np.ndarray
    ) -> torch.Tensor:
        """The vectors c_l (N, H) of queries whose last states are ``last`` (N, H)."""
        width = int(reads.max())
        at = torch.from_numpy(rows).to(states.device)
        seen = torch.from_numpy(np.arange(width) < reads[:, None]).to(states.device)  # (N, T)

        def of_queries(values: torch.Tensor) -> torch.Tensor:
            """The first ``width`` steps of each query's row, (N, T, H)."""
            return nn.functional.embedding(at, values[:, :width].flatten(1)).view(len(rows), width, -1)

        mixed = of_queries(keys) + (last @ self.of_last)[:, None]
        gates = (0.2 * mixed + 0.5).clamp(0.0, 1.0) if self.official else mixed.sigmoid()
        alphas = gates @ self.weigh  # (N, T)
        alphas = alphas.masked_fill(~seen, -torch.inf).softmax(dim=1) if self.official else alphas * seen
        return (alphas[:, None] @ of_queries(states)).squeeze(1)

    def decode(self, contexts: torch.Tensor) -> torch.Tensor:
        """Queries (N, E) or (N, C) from c."""
        return contexts @ self.bilinear.T if self.item_bias is None else contexts

    def encode_training(self, batch: PrefixBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps ``positions`` of segments or prefixes."""
        rows, steps = np.divmod(positions.cpu().numpy(), batch.inputs.shape[1])
        return self.decode(self.dropout(self.contexts(self.states(batch.inputs), rows, steps + 1)))

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, self.num_items)
        size = self.gru.size * (2 if self.encoder == "hybrid" else 1)
        contexts = self.item_embedding.new_zeros(len(batch.query_positions), size)
        for queries, items, rows, reads in query_windows(batch, self.max_len, shared=True):
            contexts[torch.from_numpy(queries).to(self.device)] = self.contexts(self.states(items), rows, reads)
        return self.decode(contexts)
