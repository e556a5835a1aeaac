"""MemoryNetwork: the network of the models of stamp.py, which has the equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import PAD, SequenceBatch
from recsys_models.networks.attention import Attend, Means, query_blocks
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from training.batches.prefixes import PrefixBatch
from training.control.dropout import Dropout
from training.losses.sampled import SampledLoss


class MemoryNetwork(NextItemNetwork):
    """Item vectors, the two memories and their cells."""

    item_bias = None

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.num_items, self.max_len = num_items, model.max_len
        self.lookup_norm, self.last_click = model.lookup_norm, model.last_click
        self.averages, self.attends = model.averages, model.attends
        self.adds_mean = model.variant != "paper"
        self.padded = model.variant == "recbole" and model.averages
        self.pad_is_class = model.variant == "recbole" and not isinstance(model.loss, SampledLoss)
        self.generator = generators.weights
        dim, std, biased = model.dim, model.weight_std, model.variant != "official"

        self.item_embedding = self.normal(model.item_std, num_items + (model.variant == "recbole"), dim)
        self.current, self.current_bias = self.cell(dim, std, biased, model.last_click)
        self.general, self.general_bias = self.cell(dim, std, biased, model.averages)
        if model.attends:
            self.of_item, self.of_last, self.of_mean = (self.normal(std, dim, dim) for _ in range(3))  # W_1, W_2, W_3
            self.of_bias = nn.Parameter(torch.zeros(dim)) if biased else None  # b_a
            self.weigh = self.normal(std, dim)  # w_0
        self.dropout = Dropout(model.dropout, generators.dropout)

    def normal(self, std: float, *shape: int) -> nn.Parameter:
        """A weight drawn from N(0, std²)."""
        return nn.Parameter(torch.empty(*shape).normal_(0.0, std, generator=self.generator))

    def cell(self, dim: int, std: float, biased: bool, used: bool) -> tuple[nn.Parameter | None, nn.Parameter | None]:
        """The weight and the bias of a tanh cell; None for each that it lacks."""
        return (
            self.normal(std, dim, dim) if used else None,
            nn.Parameter(torch.zeros(dim)) if used and biased else None,
        )

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors, (num_items, D); in training RecBole's variant adds the pad vector."""
        if len(self.item_embedding) == self.num_items or (self.training and self.pad_is_class):
            return self.item_embedding
        return self.item_embedding[: self.num_items]

    def lookup(self, items: np.ndarray) -> torch.Tensor:
        """The vectors (N, D) of items (N,), each cut to ``lookup_norm``; the table stays as it is."""
        vectors = nn.functional.embedding(torch.from_numpy(items).to(self.device), self.item_embedding)
        if self.lookup_norm is not None:
            norms = vectors.square().sum(dim=1, keepdim=True).clamp(min=self.lookup_norm**2).sqrt()
            vectors = vectors * (self.lookup_norm / norms)
        return self.dropout(vectors)

    def queries(self, items: np.ndarray, rows: np.ndarray, reads: np.ndarray) -> torch.Tensor:
        """Queries (N, D) of histories: the first ``reads`` (N,), at least 1, of ``rows`` (N,) of items (B, T).

        Histories are sorted by reads and then by row, without repeats.
        """
        slots = np.flatnonzero(items.ravel() != PAD)
        read = self.lookup(items.ravel()[slots])  # (E, D)
        blocks = query_blocks(rows, reads, self.max_len)
        filled = None if len(slots) == items.size else torch.from_numpy(slots).to(self.device)

        def spread(vectors: torch.Tensor) -> torch.Tensor:
            """Put vectors (E, D) of the events into their slots, (B, T, D)."""
            if filled is not None:
                vectors = vectors.new_zeros(items.size, vectors.shape[1]).index_copy(0, filled, vectors)
            return vectors.view(*items.shape, -1)

        values = spread(read)
        ends = torch.from_numpy(rows * items.shape[1] + reads - 1).to(self.device)
        last = nn.functional.embedding(ends, values.flatten(0, 1))
        if not self.averages:
            return self.score_query(None, last)
        counts = np.minimum(reads, self.max_len)
        mean = Means.apply(values, len(rows), blocks)
        empty = torch.from_numpy((self.max_len - counts)[:, None]).to(mean) if self.padded else None  # (N, 1)
        if empty is not None:
            mean = mean + empty / (self.max_len - empty) * self.pad_vector
        if not self.attends:
            return self.score_query(mean, last)
        attention_queries = last @ self.of_last + mean @ self.of_mean
        if self.of_bias is not None:
            attention_queries = attention_queries + self.of_bias
        memory = Attend.apply(values, spread(read @ self.of_item), attention_queries, self.weigh, blocks)
        if empty is not None:
            alphas = (attention_queries + self.pad_vector @ self.of_item).sigmoid() @ self.weigh  # (N,)
            memory = memory + empty * alphas[:, None] * self.pad_vector
        return self.score_query(memory + mean if self.adds_mean else memory, last)

    @property
    def pad_vector(self) -> torch.Tensor:
        """RecBole's vector of an empty slot, (D,): its padding_idx keeps the gradient of look-ups from it."""
        return self.item_embedding[self.num_items].detach()

    def score_query(self, memory: torch.Tensor | None, last: torch.Tensor) -> torch.Tensor:
        """h_s ⊙ h_t (N, D), or the one that the model has, from m (N, D) and m_t (N, D)."""
        cells = []
        if memory is not None:
            cells.append(torch.tanh(memory @ self.general + (0.0 if self.general_bias is None else self.general_bias)))
        if self.last_click:
            cells.append(torch.tanh(last @ self.current + (0.0 if self.current_bias is None else self.current_bias)))
        return self.dropout(cells[0] * cells[1] if len(cells) == 2 else cells[0])

    def encode_training(self, batch: PrefixBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode every prefix that has a target."""
        steps, rows = np.nonzero(batch.target_mask.T)
        queries = self.queries(batch.inputs, rows, steps + 1)
        place = np.empty(batch.target_mask.shape, dtype=np.int64)
        place[rows, steps] = np.arange(len(rows))
        return nn.functional.embedding(torch.from_numpy(place.ravel()).to(positions.device)[positions], queries)

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, self.num_items)
        wanted, inverse = np.unique(batch.query_positions[:, ::-1], axis=0, return_inverse=True)
        reads, rows = wanted.T
        some = int(np.searchsorted(reads, 1))
        nothing = self.item_embedding.new_zeros(some, self.item_embedding.shape[1])
        answers = [self.score_query(nothing if self.averages else None, nothing)]
        if some < len(rows):
            answers.append(self.queries(batch.items[:, : reads[-1]], rows[some:], reads[some:]))
        return torch.cat(answers)[torch.from_numpy(inverse.reshape(-1)).to(self.device)]
