"""NextItemNetwork: a network that answers with query vectors, its generators and what it reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import PAD, SequenceBatch
from training.batches.windows import START, WindowBatch
from training.run import Run


@dataclass(frozen=True)
class Generators:
    """The torch generators of one fit, each for one purpose: first weights (CPU), dropout masks, negatives."""

    weights: torch.Generator
    dropout: torch.Generator
    negatives: torch.Generator

    @classmethod
    def of(cls, run: Run) -> Generators:
        """Generators seeded by ``run``; weights are drawn on the CPU, so that they are the same on every device."""
        weights = torch.Generator().manual_seed(run.derived_seed("weights"))
        rest = [torch.Generator(run.device).manual_seed(run.derived_seed(name)) for name in ("dropout", "negatives")]
        return cls(weights, *rest)


class NextItemNetwork(nn.Module):
    """A network that reads items and answers with a query vector to be multiplied with item vectors.

    A subclass sets ``item_embedding`` (num_items + 1, E): one row an item and the row of START last; ``item_bias``
    (num_items,) or None; and gives ``training_queries`` and ``asked_queries``. Its ``device`` is its weights'.
    """

    item_embedding: nn.Parameter
    item_bias: nn.Parameter | None

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors that queries are multiplied with, (num_items, E)."""
        return self.item_embedding[:-1]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.item_embedding.device

    def embed(self, items: np.ndarray) -> torch.Tensor:
        """Item vectors (B, T, E) of item numbers (B, T); START and padding read the last row."""
        rows = torch.from_numpy(np.where(items < 0, len(self.item_embedding) - 1, items)).to(self.device)
        return nn.functional.embedding(rows, self.item_embedding)

    def training_queries(self, batch: WindowBatch, at: torch.Tensor) -> torch.Tensor:
        """Queries (N, E) for the steps ``at`` (N,), numbered b · T + t, of the windows."""
        raise NotImplementedError

    def asked_queries(self, batch: SequenceBatch) -> torch.Tensor:
        """Queries (M, E) for the asked positions of ``batch``."""
        raise NotImplementedError


def with_start(batch: SequenceBatch) -> np.ndarray:
    """The items (B, 1 + T) to read so that step r has read r events: START, then the events that any query needs."""
    needed = int(batch.asked[:, 1].max(initial=0))
    start = np.full((len(batch.items), 1), START, dtype=np.int64)
    return np.concatenate([start, batch.items[:, :needed]], axis=1)


def check_items(batch: SequenceBatch, num_items: int) -> None:
    """Raise ValueError for an item number that is neither padding nor in the catalogue."""
    wrong = batch.items[(batch.items < PAD) | (batch.items >= num_items)]
    if len(wrong):
        raise ValueError(f"item {wrong[0]} in a history is outside the catalogue 0 … {num_items - 1}")


def uniform_(module: nn.Module, bound: float, generator: torch.Generator) -> None:
    """Draw all weights of ``module`` from U(−bound, bound)."""
    for weight in module.parameters():
        nn.init.uniform_(weight, -bound, bound, generator=generator)
