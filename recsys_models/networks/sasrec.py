"""SASRec's network; equations in sasrec.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.query_prefixes import query_windows
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from recsys_models.networks.self_attention import AttentionBlock, LayerNorm, uniform_weight
from training.batches.segments import SegmentBatch
from training.control.dropout import Dropout


class SelfAttentiveNetwork(NextItemNetwork):
    """Item and position vectors, and the blocks of self-attention."""

    item_bias = None

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.num_items, self.max_len = num_items, model.max_len
        self.from_end, official = model.positions == "from the end", model.variant == "official"
        self.item_embedding = uniform_weight(num_items, model.dim, generators.weights)
        self.position_embedding = uniform_weight(model.max_len, model.dim, generators.weights)
        self.scale = model.dim**0.5 if official else 1.0
        self.dropout = Dropout(model.dropout, generators.dropout)
        self.blocks = nn.ModuleList(
            AttentionBlock(model.dim, model.heads, self.dropout, generators.weights, official=official)
            for _ in range(model.blocks)
        )
        self.norm = LayerNorm(model.dim) if official else nn.Identity()

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors, (num_items, D)."""
        return self.item_embedding

    def states(self, items: np.ndarray, counts: np.ndarray) -> torch.Tensor:
        """The outputs (B, T, D) at every step of items (B, T), the first ``counts`` (B,) of each row read."""
        steps = np.arange(items.shape[1])
        places = np.maximum(self.max_len - counts, 0)[:, None] + steps if self.from_end else steps + 0 * counts[:, None]
        places = torch.from_numpy(np.minimum(places, self.max_len - 1)).to(self.device)  # beyond: padding
        known = torch.from_numpy((items >= 0)[:, :, None]).to(self.device)
        vectors = functional.embedding(torch.from_numpy(np.maximum(items, 0)).to(self.device), self.item_embedding)
        values = self.dropout(vectors * known * self.scale + functional.embedding(places, self.position_embedding))
        for block in self.blocks:
            values = block(values)
        return self.norm(values)

    def encode_training(self, batch: SegmentBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps ``positions`` of segments."""
        return functional.embedding(positions, self.states(batch.inputs, batch.target_mask.sum(axis=1)).flatten(0, 1))

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, self.num_items)
        dim = self.item_embedding.shape[1]
        answers = self.norm(self.item_embedding.new_zeros(1, dim)).repeat(len(batch.query_positions), 1)
        for queries, items, rows, reads in query_windows(batch, self.max_len, shared=not self.from_end):
            counts = np.full(len(items), items.shape[1]) if not self.from_end else reads
            last = torch.from_numpy(rows * items.shape[1] + reads - 1).to(self.device)
            states = self.states(items, counts).flatten(0, 1)
            answers[torch.from_numpy(queries).to(self.device)] = functional.embedding(last, states)
        return answers
