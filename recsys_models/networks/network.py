"""NextItemNetwork, the base of networks that return query vectors, and the generators and inputs they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import PAD, SequenceBatch
from recsys_models.engine.engine import TORCH, Engine
from training.batches.windows import START, WindowBatch
from training.run import Run


@dataclass(frozen=True)
class Generators:
    """The torch generators of one fit, one per purpose: initial weights (CPU), dropout masks, negatives."""

    weights: torch.Generator
    dropout: torch.Generator
    negatives: torch.Generator

    @classmethod
    def of(cls, run: Run) -> Generators:
        """Seed the generators by ``run``; weights are drawn on the CPU, so they are the same on every device."""
        weights = torch.Generator().manual_seed(run.derived_seed("weights"))
        rest = [torch.Generator(run.device).manual_seed(run.derived_seed(name)) for name in ("dropout", "negatives")]
        return cls(weights, *rest)


class NextItemNetwork(nn.Module):
    """A network that reads items and returns query vectors, which multiply the item vectors.

    A subclass sets ``item_embedding`` (num_items + 1, E), one row per item and the row of START last, and ``item_bias``
    (num_items,) or None; it implements ``encode_training`` and ``encode``.
    """

    engine: Engine = TORCH  # of the loop over time; replaced for a fit on another engine
    item_embedding: nn.Parameter
    item_bias: nn.Parameter | None

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors of the scores, (num_items, E)."""
        return self.item_embedding[:-1]

    def use(self, engine: Engine) -> None:
        """Compute the loop over time, of the layers, too, with an engine."""
        for module in self.modules():
            if isinstance(getattr(module, "engine", None), Engine):
                module.engine = engine

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.item_embedding.device

    def embed(self, items: np.ndarray) -> torch.Tensor:
        """Look up the vectors (B, T, E) of item numbers (B, T); START and padding take the last row."""
        rows = torch.from_numpy(np.where(items < 0, len(self.item_embedding) - 1, items)).to(self.device)
        return nn.functional.embedding(rows, self.item_embedding)

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps ``positions`` (N,), numbered b · T + t, of training windows as queries (N, E)."""
        raise NotImplementedError

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode the history before each query of ``batch`` as a query vector, (M, E)."""
        raise NotImplementedError


def items_with_start(batch: SequenceBatch) -> np.ndarray:
    """START and then the events that any query needs, (B, 1 + T), so that step r has read r events."""
    needed = int(batch.query_positions[:, 1].max(initial=0))
    start = np.full((len(batch.items), 1), START, dtype=np.int64)
    return np.concatenate([start, batch.items[:, :needed]], axis=1)


def check_items(batch: SequenceBatch, num_items: int) -> None:
    """Raise ValueError for an item number outside the catalogue that is not padding."""
    wrong = batch.items[(batch.items < PAD) | (batch.items >= num_items)]
    if len(wrong):
        raise ValueError(f"item {wrong[0]} in a history is outside the catalogue 0 … {num_items - 1}")


def uniform_(module: nn.Module, bound: float, generator: torch.Generator) -> None:
    """Draw all weights of ``module`` from U(−bound, bound)."""
    for weight in module.parameters():
        nn.init.uniform_(weight, -bound, bound, generator=generator)
