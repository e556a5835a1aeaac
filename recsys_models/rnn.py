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

Further forms, on the recurrent engine: several layers (``lower_layers``); no embedding (``embedding_dim`` None): each
item picks its own row of W, and the state itself is the query of an output table; another ``activation`` φ in place of
tanh; LSTM with ``peepholes`` (Gers and Schmidhuber 2000), i, f seeing c_{t−1} and o seeing c_t; GRU with the ``reset``
gate "before" the product, n = tanh(W x_t + U (r ⊙ h_{t−1}) + b), as Cho et al. wrote it.

Departures from GRU4Rec: an item embedding tied to the output, a full softmax instead of sampled losses, windows of a
user's whole history instead of session-parallel batches with a carried state, AdamW instead of AdaGrad, early stopping.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
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
from recsys_models.recurrent_layer import AfterGRU, BeforeGRU, LSTMLayer, RecurrentLayer, VanillaLayer
from recsys_models.squash import SQUASHES
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


class LayeredNetwork(NextItemNetwork):
    """Layers on the recurrent engine between what is read and the query.

    item_embedding: (num_items + 1, E), tied to the output, or where items are one-hot (num_items, H), the output alone.
    """

    def __init__(self, model: RNN, num_items: int, generators: Generators) -> None:
        super().__init__()
        width = num_items + 1 if model.embedding_dim is None else model.embedding_dim
        sizes = [width, *model.lower_layers, model.dim]
        one_hot = [model.embedding_dim is None, *[False] * len(model.lower_layers)]
        self.layers = nn.ModuleList(
            model.layer_of(inputs, size, one_hot=first)
            for (inputs, size), first in zip(pairwise(sizes), one_hot, strict=True)
        )
        self.num_items = num_items
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(model.dropout, generators.dropout)
        if model.embedding_dim is None:
            self.query: nn.Module = nn.Identity()
            self.item_embedding = nn.Parameter(torch.empty(num_items, model.dim))
        else:
            with torch.device("meta"):
                query = nn.Linear(model.dim, model.embedding_dim)
            self.query = query.to_empty(device="cpu")
            self.item_embedding = nn.Parameter(torch.empty(num_items + 1, model.embedding_dim))
        nn.init.normal_(self.item_embedding, std=self.item_embedding.shape[1] ** -0.5, generator=generators.weights)
        for layer in self.layers:
            uniform_(layer, layer.size**-0.5, generators.weights)
        uniform_(self.query, model.dim**-0.5, generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors that queries are multiplied with, (num_items, E) or (num_items, H)."""
        return self.item_embedding[: self.num_items]

    def states(self, items: np.ndarray) -> torch.Tensor:
        """The last layer's states (T, B, H) after every step of items (B, T)."""
        values = torch.from_numpy(np.where(items < 0, self.num_items, items).T).to(self.device)
        if not self.layers[0].one_hot:
            values = self.dropout(nn.functional.embedding(values, self.item_embedding))
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


@dataclass(kw_only=True)
class RNN(NextItemModel):
    """An Elman network; see NextItemModel for the other fields.

    embedding_dim: size of the item vectors, which are tied to the output, or None for one-hot items. dim: size of the
    last layer; lower_layers: sizes of the layers below it, from the input up. activation: φ, "tanh", "sigmoid", "relu"
    or "elu". bidirectional is refused: every event of a window is asked for, and a backward reading would have read it.
    """

    layer: ClassVar[type[nn.RNNBase]] = nn.RNN

    embedding_dim: int | None = 64
    lower_layers: tuple[int, ...] = ()
    activation: str = "tanh"
    bidirectional: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding_dim is not None and self.embedding_dim < 1:
            raise ValueError(f"embedding_dim must be at least 1, or None for one-hot items, got {self.embedding_dim}")
        if any(size < 1 for size in self.lower_layers):
            raise ValueError(f"lower_layers must be at least 1 each, got {self.lower_layers}")
        if self.activation not in SQUASHES:
            raise ValueError(f"activation must be one of {', '.join(SQUASHES)}, got {self.activation!r}")
        if self.bidirectional:
            raise ValueError(
                f"bidirectional must be false: {type(self).__name__} is asked after every event of a window, and a "
                f"backward reading would have seen the answer"
            )

    @property
    def plain(self) -> bool:
        """Whether torch's own layer is this network's."""
        return self.embedding_dim is not None and not self.lower_layers and self.activation == "tanh"

    def layer_of(self, inputs: int, size: int, *, one_hot: bool) -> RecurrentLayer:
        """One layer on the recurrent engine."""
        return VanillaLayer(inputs, size, one_hot=one_hot, squash=SQUASHES[self.activation])

    def loop_on(self, device: str) -> str:
        """See NextItemModel: torch's own layer where it is this one."""
        return "torch" if self.plain else super().loop_on(device)

    def network(self, train: TrainingSet, generators: Generators) -> RecurrentNetwork | LayeredNetwork:
        """See NextItemModel."""
        if not self.plain:
            return LayeredNetwork(self, train.num_items, generators)
        return RecurrentNetwork(self.layer, train.num_items, self.embedding_dim, self.dim, self.dropout, generators)


@dataclass(kw_only=True)
class GRU(RNN):
    """A gated recurrent unit; reset: "after" the product (torch, cuDNN) or "before" it (Cho et al.); else see RNN."""

    layer: ClassVar[type[nn.RNNBase]] = nn.GRU

    reset: str = "after"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reset not in ("after", "before"):
            raise ValueError(f"reset must be one of after, before, got {self.reset!r}")
        if self.reset == "after" and self.activation != "tanh":
            raise ValueError(f'activation must be "tanh" where reset is "after", got {self.activation!r}')

    @property
    def plain(self) -> bool:
        """See RNN."""
        return super().plain and self.reset == "after"

    def layer_of(self, inputs: int, size: int, *, one_hot: bool) -> RecurrentLayer:
        """See RNN."""
        if self.reset == "after":
            return AfterGRU(inputs, size, one_hot=one_hot)
        return BeforeGRU(inputs, size, one_hot=one_hot, squash=SQUASHES[self.activation])


@dataclass(kw_only=True)
class LSTM(RNN):
    """A long short-term memory, with ``peepholes`` or without; see RNN for the other fields."""

    layer: ClassVar[type[nn.RNNBase]] = nn.LSTM

    peepholes: bool = False

    @property
    def plain(self) -> bool:
        """See RNN."""
        return super().plain and not self.peepholes

    def layer_of(self, inputs: int, size: int, *, one_hot: bool) -> RecurrentLayer:
        """See RNN."""
        squash = SQUASHES[self.activation]
        return LSTMLayer(inputs, size, one_hot=one_hot, squash=squash, peepholes=self.peepholes)
