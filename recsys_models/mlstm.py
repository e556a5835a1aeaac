"""MLSTM: the multiplicative LSTM as a recommender, and Spotlight's LSTM beside it.

Krause, Lu, Murray and Renals 2016, "Multiplicative LSTM for sequence modelling", arXiv 1609.07959; as a recommender by
Wilhelm 2018 (blog, code FlorianWilhelm/mlstm4reco) on Kula's Spotlight (maciejkula/spotlight). For item vectors e_t:

    m_t = (e_t W_im + b_im) ⊙ (h_{t−1} W_hm + b_hm)        (without b_im, b_hm in Krause et al.: biases=False)
    i, f, o = σ(e_t W + m_t U + b),  g = tanh(e_t W + m_t U + b),  c_t = f ⊙ c_{t−1} + i ⊙ g,  h_t = o ⊙ tanh(c_t)
    u_t = c_t, as the official code returns, or h_t, as its text says (``output``);  score(t, j) = u_t · e_j + b_j

h_0 = c_0 is one learnt vector, and u_0 = c_0 is the query of an empty history. Spotlight's LSTM starts from zero
states, reads a zero vector first and takes u_t = h_t. One item table serves input and output. Loss: adaptive hinge with
5 negatives; Adam with an L2 term (``weight_decay``).

``padding``: "masked" starts every window from the initial state; "official" first runs the network over the zero
vectors of the padding on the left, max_len − L of them for a window of L events, as both codes do without masking. For
a query that has read r events L is r + 1; where one history is asked at several positions, the longest of them counts,
as a window is read once.

``output_gate``: "outside", h = o ⊙ tanh(c), as all codes have it, or "inside", h = tanh(o ⊙ c), which Krause et al.'s
text may mean (not certain).

Departures: windows are cut as training.batches.windows says, but each starts afresh, without the event before it, as
in the codes; a gate has one bias, where torch's LSTM and cell, which the codes use, have two that only act as their
sum; the padding item, a row of zeros and a bias of 0 there, is neither drawn as a negative nor ranked; the unused
second set of LSTM weights that the official class allocates is left out. Users are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from recsys_data.checks import check_choice
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.engine.unroll import unroll
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from recsys_models.next_item import NextItemModel
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout
from training.losses.loss import Loss
from training.losses.sampled import AdaptiveHinge
from training.optimisers.optimisers import Adam, Optimiser

OUTPUTS = ("hidden", "cell")
PADDINGS = ("masked", "official")
OUTPUT_GATES = ("outside", "inside")


@dataclass(kw_only=True)
class SpotlightLSTM(NextItemModel):
    """Spotlight's LSTM: item vectors of size dim tied to the output, zero first states.

    output: the state that is the query, "hidden" or "cell"; padding: "masked" or "official", see the module. For the
    other fields see NextItemModel.
    """

    dim: int = 64
    max_len: int = 100
    batch_size: int = 128
    learning_rate: float = 5e-3
    weight_decay: float = 1e-6
    optimiser: Optimiser = field(default_factory=Adam)
    loss: Loss = field(default_factory=AdaptiveHinge)
    output: str = "hidden"
    padding: str = "masked"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "output", OUTPUTS)
        check_choice(self, "padding", PADDINGS)

    def network(self, train: TrainingSet, generators: Generators) -> SpotlightNetwork:
        """Spotlight's LSTM network."""
        return SpotlightNetwork(self, train.num_items, 4, generators)


@dataclass(kw_only=True)
class MLSTM(SpotlightLSTM):
    """The multiplicative LSTM; biases: b_im and b_hm are learnt (mlstm4reco), or absent (Krause et al.).

    output_gate: see the module.
    """

    output: str = "cell"
    biases: bool = True
    output_gate: str = "outside"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "output_gate", OUTPUT_GATES)

    def network(self, train: TrainingSet, generators: Generators) -> SpotlightNetwork:
        """The multiplicative LSTM's network."""
        return MultiplicativeNetwork(self, train.num_items, generators)


class SpotlightNetwork(NextItemNetwork):
    """Item vectors tied to the output, and an LSTM that starts from zero and reads a zero vector first."""

    reads_zero_first = True

    def __init__(self, model: SpotlightLSTM, num_items: int, num_gates: int, generators: Generators) -> None:
        super().__init__()
        dim = model.dim
        self.output_state = OUTPUTS.index(model.output)
        self.max_len, self.padded = model.max_len, model.padding == "official"
        self.cell = LSTMCell(peepholes=False)
        self.item_embedding = nn.Parameter(torch.empty(num_items, dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.weight = nn.Parameter(torch.empty(dim, num_gates * dim))
        self.bias = nn.Parameter(torch.empty(num_gates * dim))
        self.recurrent = nn.Parameter(torch.empty(dim, 4 * dim))
        self.dropout = Dropout(model.dropout, generators.dropout)
        nn.init.normal_(self.item_embedding, std=1.0 / dim, generator=generators.weights)
        for weight in (self.weight, self.bias, self.recurrent):
            nn.init.uniform_(weight, -(dim**-0.5), dim**-0.5, generator=generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors, (num_items, H)."""
        return self.item_embedding

    def initial_state(self) -> torch.Tensor:
        """The state before the first event, (1, H), for h and for c."""
        return self.weight.new_zeros(1, self.item_embedding.shape[1])

    def input_bias(self) -> torch.Tensor:
        """The bias of the input side."""
        return self.bias

    def cell_weights(self) -> list[torch.Tensor]:
        """The weights that the cell takes at every step."""
        return [self.recurrent]

    def run(self, items: torch.Tensor, initial: list[torch.Tensor]) -> list[torch.Tensor]:
        """The states before and after every step of item vectors (T, B, H): for each state (T + 1, B, H)."""
        if len(items) == 0:
            return [state[None] for state in initial]
        after = unroll(self.cell, items, self.weight, self.input_bias(), initial, self.cell_weights())
        return [torch.cat([first[None], states]) for first, states in zip(initial, after, strict=True)]

    def representations(self, items: torch.Tensor, pads: torch.Tensor) -> torch.Tensor:
        """u_0 … u_T, (T + 1, B, H), for item vectors (T, B, H) with ``pads`` (B,) zero vectors before them."""
        first = self.initial_state()
        initial = [first.expand(items.shape[1], -1)] * 2
        if self.padded and pads.any():
            zeros = items.new_zeros(int(pads.max()), 1, items.shape[2])
            initial = [states[pads, 0] for states in self.run(zeros, [first, first])]
        if not self.reads_zero_first:
            return self.run(items, initial)[self.output_state]
        zero = items.new_zeros(1, items.shape[1], items.shape[2])
        return self.run(torch.cat([zero, items]), initial)[self.output_state][1:]

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows, without the event before the window."""
        items = self.dropout(self.embed(batch.inputs[:, 1:].T))
        pads = torch.from_numpy(np.maximum(self.max_len - batch.target_mask.sum(axis=1), 0)).to(self.device)
        states = self.representations(items, pads)
        return self.dropout(states.transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.item_embedding))
        rows, reads = batch.query_positions.T
        longest = np.zeros(len(batch.items), dtype=np.int64)
        np.maximum.at(longest, rows, reads)
        pads = torch.from_numpy(np.maximum(self.max_len - longest - 1, 0)).to(self.device)
        items = self.embed(batch.items[:, : longest.max(initial=0)].T)
        return self.representations(items, pads)[torch.from_numpy(reads), torch.from_numpy(rows)]


class MultiplicativeNetwork(SpotlightNetwork):
    """The multiplicative cell, whose learnt initial state is also the query of an empty history."""

    reads_zero_first = False

    def __init__(self, model: MLSTM, num_items: int, generators: Generators) -> None:
        super().__init__(model, num_items, 5, generators)
        dim = model.dim
        self.cell = MLSTMCell(gate_inside=model.output_gate == "inside")
        self.biases = model.biases
        self.hidden_weight = nn.Parameter(torch.empty(dim, dim))
        self.hidden_bias = nn.Parameter(torch.empty(dim)) if model.biases else None
        self.start = nn.Parameter(torch.empty(1, dim))
        nn.init.uniform_(self.hidden_weight, -(dim**-0.5), dim**-0.5, generator=generators.weights)
        nn.init.normal_(self.start, std=1.0 / dim, generator=generators.weights)
        if model.biases:
            nn.init.uniform_(self.hidden_bias, -(dim**-0.5), dim**-0.5, generator=generators.weights)
        else:
            self.bias = nn.Parameter(self.bias.detach()[: 4 * dim].clone())  # none for m

    def initial_state(self) -> torch.Tensor:
        """The learnt vector, (1, H)."""
        return self.start

    def input_bias(self) -> torch.Tensor:
        """The bias of the input side; zero for m without biases."""
        return self.bias if self.biases else torch.cat([self.bias, self.bias.new_zeros(len(self.hidden_weight))])

    def cell_weights(self) -> list[torch.Tensor]:
        """U, W_hm and b_hm."""
        return [
            self.recurrent,
            self.hidden_weight,
            self.hidden_bias if self.biases else self.hidden_weight.new_zeros(len(self.hidden_weight)),
        ]
