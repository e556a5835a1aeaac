"""RNN, GRU and LSTM: plain recurrent next-item models, trained at every position with a full softmax.

The shape is GRU4Rec's (Hidasi, Karatzoglou, Baltrunas and Tikk 2016, "Session-based recommendations with recurrent
neural networks", ICLR), taken as a strong present-day baseline and not as that paper's model:

    x_t = E[item_t],  h_t = cell(x_t, h_{t−1}),  q_t = W h_t + w,  s_t = E q_t + b,  loss = −log softmax(s_t)[y_t]

LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000, without peepholes):
    i, f, o = σ(W x_t + U h_{t−1} + b),  g = tanh(W x_t + U h_{t−1} + b),
    c_t = f ⊙ c_{t−1} + i ⊙ g,  h_t = o ⊙ tanh(c_t)
GRU (Cho et al. 2014, the reset gate after the recurrent product, as in cuDNN):
    r, z = σ(W x_t + U h_{t−1} + b),  n = tanh(W x_t + w + r ⊙ (U h_{t−1} + u)),  h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
RNN (Elman 1990):
    h_t = tanh(W x_t + U h_{t−1} + b)

Departures from GRU4Rec: an item embedding tied to the output, a full softmax instead of sampled losses, windows of a
user's whole history instead of session-parallel batches with a carried state, AdamW instead of AdaGrad, early stopping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_data.training_set import TrainingSet
from recsys_models.next_item import (
    Generators,
    NextItemModel,
    NextItemNetwork,
    check_items,
    uniform_,
    with_start,
)
from training.dropout import Dropout
from training.instances import WindowBatch


class RecurrentNetwork(NextItemNetwork):
    """Tied item embedding, one of torch's recurrent layers, and a map from its state to a query."""

    def __init__(
        self,
        layer: type[nn.RNNBase],
        num_items: int,
        embedding_dim: int,
        dim: int,
        dropout: float,
        generators: Generators,
    ) -> None:
        super().__init__()
        with torch.device("meta"):  # so that torch's own initialisation draws nothing from the global generator
            recurrence, query = layer(embedding_dim, dim, batch_first=True), nn.Linear(dim, embedding_dim)
        self.recurrence, self.query = recurrence.to_empty(device="cpu"), query.to_empty(device="cpu")
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, embedding_dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(dropout, generators.dropout)
        nn.init.normal_(self.item_embedding, std=embedding_dim**-0.5, generator=generators.weights)
        uniform_(self.recurrence, dim**-0.5, generators.weights)
        uniform_(self.query, dim**-0.5, generators.weights)

    def training_queries(self, batch: WindowBatch, at: torch.Tensor) -> torch.Tensor:
        """See NextItemNetwork."""
        states, _ = self.recurrence(self.dropout(self.embed(batch.inputs)))  # (B, T, H)
        return self.dropout(self.query(states.flatten(0, 1)[at]))

    def asked_queries(self, batch: SequenceBatch) -> torch.Tensor:
        """See NextItemNetwork."""
        check_items(batch, len(self.item_embedding) - 1)
        states, _ = self.recurrence(self.embed(with_start(batch)))  # (B, 1 + T, H): step r has read r events
        rows, reads = torch.from_numpy(batch.asked).to(self.device).unbind(1)
        return self.query(states[rows, reads])


@dataclass(kw_only=True)
class RNN(NextItemModel):
    """An Elman network with tanh; see NextItemModel for the fields.

    embedding_dim: size of the item vectors, which are tied to the output.
    """

    layer: ClassVar[type[nn.RNNBase]] = nn.RNN

    embedding_dim: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding_dim < 1:
            raise ValueError(f"embedding_dim must be at least 1, got {self.embedding_dim}")

    def loop_on(self, device: str) -> str:
        """See NextItemModel: torch's own layers."""
        return "torch"

    def network(self, train: TrainingSet, generators: Generators) -> RecurrentNetwork:
        """See NextItemModel."""
        return RecurrentNetwork(self.layer, train.num_items, self.embedding_dim, self.dim, self.dropout, generators)


@dataclass(kw_only=True)
class GRU(RNN):
    """A gated recurrent unit with the reset gate after the product; see NextItemModel for the fields."""

    layer: ClassVar[type[nn.RNNBase]] = nn.GRU


@dataclass(kw_only=True)
class LSTM(RNN):
    """A long short-term memory without peepholes; see NextItemModel for the fields."""

    layer: ClassVar[type[nn.RNNBase]] = nn.LSTM
