"""RNN-CCE: a recurrent network trained to predict the next item from the last ones, with tied item vectors.

Devooght and Bersini (2017), "Long and short-term recommendations with recurrent neural networks", UMAP, pp. 13–21
(and arXiv 1608.07400), in the form of kwonmha's reimplementation, "Improving-RNN-recommendation-model", which ties
the item vectors as Inan, Khosravi and Socher (2017) do. None of the papers' texts was at hand: the equations are those
of the official programs, as their code reads.

    (1)  x_t = the one-hot item, or its row of an embedding E;  a_t = x_t W + b        (one-hot: a row of W)
    (2)  LSTM:     i, f, o = σ(a_t + h_{t−1} U [+ p ⊙ c]),  c_t = f ⊙ c_{t−1} + i ⊙ φ(g),  h_t = o ⊙ φ(c_t)
         GRU:      u, r = σ(a_t + h_{t−1} U),  k = φ(a_t + (r ⊙ h_{t−1}) C),  h_t = (1 − u) ⊙ h_{t−1} + u ⊙ k
         vanilla:  h_t = φ(a_t + h_{t−1} U)
    (3)  p = softmax(z + b'),  z = V h_t with a matrix V of its own, or z = E h_t where tied
    (4)  cost = −log p_y, and where tied + γ τ KL(softmax(E E_y / τ) ‖ softmax(z / τ)), τ = 10, γ = 0.5

The KL term is Inan et al.'s; tied without it, ``loss=Summed(CrossEntropy())``, is the sharing of Press and Wolf (2017).
Both losses and the sum over the batch are in training.losses.augmented. Training has one target after each of a few
prefixes of a user (``instances="prefixes"``); a prefix, and a history at test, is cut to its last ``max_len`` items.

Where the two programs differ, fields hold kwonmha's choice by default and Devooght and Bersini's beside it:
    peepholes false / true · forget_bias 1 / 0 · trained_start false / true · init "tensorflow" / "lasagne"
    optimiser Adagrad(initial_accumulator=0.1, eps=0.0) at 0.1 / Adagrad() at 0.1, Adam() at 0.001
    loss Summed(…) / the mean · dim 50 / 50, max_len 30 / 30, batch_size 16 / 16

Departures from kwonmha's code. The one-hot target is not clipped from below at 1e−7, which adds a pull of that size. A
batch does not go over the end of an epoch. Bidirectional and stacked layers, attention over unmasked padding, ratings
and user inputs, other targets than the next item (``--n_targets``, ``--shuffle_targets``, ``--target_bias``,
``--ra_targets``), clusters of items, and the soft target without tying (``--otd``) are not offered. There "Vanilla"
builds an abstract class and does not run; here it is the plain recurrent network. Departures from Devooght and
Bersini's: their GRU resets after the recurrent product and this one, like TensorFlow's, before it; gradients of gates
are not clipped at ±100.
An empty history has the initial state, so its scores are the bias alone where that state is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from recsys_data.checks import check_choice, check_range
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.engine.activations import ACTIVATIONS
from recsys_models.engine.cells.elman import ElmanCell
from recsys_models.engine.cells.gru import GRUResetBeforeCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.query_prefixes import query_prefixes
from recsys_models.engine.unroll import unroll
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from recsys_models.next_item import NextItemModel
from training.batches.sampled_prefixes import SampledPrefixBatch, SampledPrefixes
from training.batches.sequence_noise import NoisyBatcher, SequenceNoise
from training.batches.windows import WindowBatch, Windows
from training.control.dropout import Dropout
from training.losses.augmented import AugmentedCrossEntropy, Summed
from training.losses.loss import Loss
from training.optimisers.optimisers import Adagrad, Optimiser

Cells = Literal["LSTM", "GRU", "vanilla"]
Instances = Literal["prefixes", "positions"]
Init = Literal["tensorflow", "lasagne"]


@dataclass(kw_only=True)
class RNNCCE(NextItemModel):
    """RNN-CCE; see this file's head for equations and sources, and NextItemModel for the other fields.

    cell: "LSTM", "GRU" or "vanilla"; activation: φ, "tanh", "sigmoid", "relu" or "elu". tied: one table of ``dim``
    columns is read and answers; otherwise ``embedding_dim`` columns are read, or the item itself where that is None.
    instances: one target a sampled "prefixes", or every one of the "positions". shuffled: sequences in another order in
    each epoch (only with "prefixes"; windows of positions always are). noise: on training histories. dropout is on
    embedded items and on queries.
    """

    cell: Cells = "LSTM"
    tied: bool = True
    embedding_dim: int | None = None
    activation: str = "tanh"
    peepholes: bool = False
    forget_bias: float = 1.0
    trained_start: bool = False
    init: Init = "tensorflow"
    instances: Instances = "prefixes"
    shuffled: bool = False
    noise: SequenceNoise = SequenceNoise()  # noqa: RUF009  (a frozen value)

    dim: int = 50
    max_len: int = 30
    batch_size: int = 16
    learning_rate: float = 0.1
    epochs: int = 20
    patience: int = 10
    optimiser: Optimiser = field(default_factory=lambda: Adagrad(initial_accumulator=0.1, eps=0.0))
    loss: Loss = field(default_factory=Summed)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "cell", get_args(Cells))
        check_choice(self, "activation", ACTIVATIONS)
        check_choice(self, "init", get_args(Init))
        check_choice(self, "instances", get_args(Instances))
        check_range(self, "forget_bias", finite=True)
        if not isinstance(self.noise, SequenceNoise):
            raise ValueError(f"noise must be a SequenceNoise, such as SequenceNoise(dropout=0.1), got {self.noise!r}")
        if self.embedding_dim is not None and self.embedding_dim < 1:
            raise ValueError(f"embedding_dim must be at least 1, or None for one-hot items, got {self.embedding_dim}")
        if self.tied and self.embedding_dim not in (None, self.dim):
            raise ValueError(f"embedding_dim must be dim ({self.dim}) or None where tied, got {self.embedding_dim}")
        if not self.tied and isinstance(getattr(self.loss, "loss", self.loss), AugmentedCrossEntropy):
            raise ValueError(
                "loss must have no softened targets where tied is false, such as Summed(CrossEntropy()), "
                f"got {self.loss!r}"
            )
        if self.peepholes and self.cell != "LSTM":
            raise ValueError(f"peepholes must be false for cell {self.cell!r}: only an LSTM has them")

    def network(self, train: TrainingSet, generators: Generators) -> OneQueryNetwork:
        """The recurrence and its item tables."""
        return OneQueryNetwork(self, train.num_items, generators)

    @property
    def uses_torch_layer(self) -> bool:
        """Whether torch has this cell."""
        return (self.cell, self.activation, self.peepholes) == ("LSTM", "tanh", False)

    def engine(self, device: str) -> str:
        """Torch's own layer on the CPU if it has this cell, else the recurrent engine."""
        return "torch" if self.uses_torch_layer and torch.device(device).type == "cpu" else "torch-unrolled"

    def batcher(self) -> Windows | SampledPrefixes | NoisyBatcher:
        """Sampled prefixes or windows, with noise if there is any."""
        if self.instances == "prefixes":
            cut = SampledPrefixes(self.max_len, self.batch_size, self.shuffled)
        else:
            cut = Windows(self.max_len, self.batch_size)
        return cut if self.noise == SequenceNoise() else NoisyBatcher(cut, self.noise)

    @property
    def row_sparse(self) -> bool:
        """Whether a row-sparse gradient gives exactly the dense update."""
        whole = (self.max_norm, self.control.clip) != (None, None) or self.weight_decay > 0.0
        return isinstance(self.optimiser, Adagrad) and self.optimiser.momentum == 0.0 and not whole


class OneQueryNetwork(NextItemNetwork):
    """A recurrence over the last items; its state is the query.

    item_embedding: item vectors (V, E), or with one-hot items the rows of W (V, G).
    """

    def __init__(self, model: RNNCCE, num_items: int, generators: Generators) -> None:
        super().__init__()
        dim, activation = model.dim, ACTIVATIONS[model.activation]
        self.max_len = model.max_len
        self.uses_torch_layer = model.uses_torch_layer
        self.one_hot = not model.tied and model.embedding_dim is None
        self.row_sparse = not model.tied and model.row_sparse
        if self.row_sparse:  # torch's default, said aloud so that it does not warn
            torch.sparse.check_sparse_tensor_invariants.disable()
        self.dropout = Dropout(model.dropout, generators.dropout)
        self.cell, gates, shapes = {
            "LSTM": (LSTMCell(peepholes=model.peepholes, activation=activation), 4, [(dim, 4 * dim)]),
            "GRU": (GRUResetBeforeCell(activation), 3, [(dim, 2 * dim), (dim, dim)]),
            "vanilla": (ElmanCell(activation), 1, [(dim, dim)]),
        }[model.cell]
        shapes = [*shapes, (3, dim)] if model.peepholes else shapes
        width = gates * dim if self.one_hot else model.embedding_dim or dim
        self.item_embedding = nn.Parameter(torch.empty(num_items, width))
        self.weight = None if self.one_hot else nn.Parameter(torch.empty(width, gates * dim))
        self.bias = nn.Parameter(torch.zeros(gates * dim))
        self.recurrent = nn.ParameterList(nn.Parameter(torch.empty(*shape)) for shape in shapes)
        self.start = nn.Parameter(torch.zeros(self.cell.states, dim)) if model.trained_start else None
        self.output = None if model.tied else nn.Parameter(torch.empty(num_items, dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.zero = torch.zeros(self.cell.states, dim)
        self._draw_weights(model, generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors of the scores, (V, H)."""
        return self.item_embedding if self.output is None else self.output

    def _draw_weights(self, model: RNNCCE, generator: torch.Generator) -> None:
        """Draw the initial weights; TensorFlow draws input and recurrent weights of a gate as one matrix."""
        dim = model.dim
        read = len(self.item_embedding) if self.one_hot else self.weight.shape[0]
        inputs = self.item_embedding if self.one_hot else self.weight
        with torch.no_grad():
            if model.init == "lasagne":
                for weight in (inputs, *self.recurrent):
                    weight.normal_(0.0, 0.1, generator=generator)
                if not self.one_hot:
                    self.item_embedding.normal_(0.0, 0.01, generator=generator)
            else:
                by_gate = {"LSTM": 4 * dim, "GRU": 2 * dim, "vanilla": dim}[model.cell]
                bound = _glorot(read + dim, by_gate)
                for weight in (inputs, *self.recurrent):
                    weight.uniform_(-bound, bound, generator=generator)
                if model.cell == "GRU":  # the candidate has a matrix of its own there
                    last = _glorot(read + dim, dim)
                    inputs[:, 2 * dim :].uniform_(-last, last, generator=generator)
                    self.recurrent[1].uniform_(-last, last, generator=generator)
                if not self.one_hot:
                    _uniform(self.item_embedding, _glorot(*self.item_embedding.shape), generator)
                if self.output is None:
                    _uniform(self.item_bias, _glorot(len(self.item_bias), len(self.item_bias)), generator)
                if model.cell == "GRU":  # TensorFlow's gate biases begin at 1, and its u is our 1 − u
                    self.bias[:dim], self.bias[dim : 2 * dim] = -1.0, 1.0
            if self.output is not None:
                _uniform(self.output, _glorot(*self.output.shape), generator)
            if model.cell == "LSTM":
                self.bias[dim : 2 * dim] = model.forget_bias

    def embed(self, items: np.ndarray) -> torch.Tensor:
        """Look up the rows (…, ·) of item numbers of any shape; padding takes row 0, whose state is unused."""
        rows = torch.from_numpy(np.maximum(items, 0)).to(self.device)
        return nn.functional.embedding(rows, self.item_embedding, sparse=self.row_sparse)

    def states(self, items: np.ndarray) -> torch.Tensor:
        """h_0 … h_T, (1 + T, B, H), for items (B, T)."""
        items = np.ascontiguousarray(items.T)  # (T, B)
        start = self.zero.to(self.device) if self.start is None else self.start
        initial = [state.expand(items.shape[1], -1) for state in start]
        if self.uses_torch_layer and self.device.type == "cpu":
            after = self._torch_lstm(items, initial)
        else:
            inputs = self.embed(items) if self.one_hot else self.dropout(self.embed(items))
            after = unroll(self.cell, inputs, self.weight, self.bias, initial, list(self.recurrent))[0]
        return torch.cat([initial[0][None], after])

    def _torch_lstm(self, items: np.ndarray, initial: list[torch.Tensor]) -> torch.Tensor:
        """h_1 … h_T, (T, B, H), by torch's own LSTM, which takes half the time of the unrolled one on a CPU.

        One-hot items are renumbered within the batch, so that only their rows of W are used.
        """
        if self.one_hot:
            members, numbers = np.unique(np.maximum(items, 0), return_inverse=True)
            inputs = nn.functional.one_hot(torch.from_numpy(numbers.reshape(items.shape)), len(members)).to(
                self.bias.dtype
            )
            weight = self.embed(members)
        else:
            inputs, weight = self.dropout(self.embed(items)), self.weight
        weights = [_in_torch_order(matrix) for matrix in (weight, self.recurrent[0], self.bias[None])]
        biases = [weights[2][:, 0], torch.zeros_like(self.bias)]
        hidden = tuple(state[None].contiguous() for state in initial)
        return torch.lstm(inputs, hidden, [*weights[:2], *biases], True, 1, 0.0, self.training, False, False)[0]

    def encode_training(self, batch: WindowBatch | SampledPrefixBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows or prefixes; the first step of a sequence has no input."""
        items, first = batch.inputs, batch.starts.astype(np.int64)
        items = np.where(first[:, None] == 1, np.roll(items, -1, axis=1), items)
        rows, steps = positions // items.shape[1], positions % items.shape[1]
        reads = steps + 1 - torch.from_numpy(first).to(self.device)[rows]
        return self.dropout(self.states(items)[reads, rows])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its last ``max_len`` items and the initial state."""
        check_items(batch, len(self.item_embedding))
        queries = [self._last_states(*prefixes) for prefixes in query_prefixes(batch, self.max_len)]
        return torch.cat(queries) if queries else self.item_factors.new_zeros(0, self.item_factors.shape[1])

    def _last_states(self, items: np.ndarray, counts: np.ndarray) -> torch.Tensor:
        """Queries (m, H) after the first ``counts`` (m,) of ``items`` (m, T)."""
        states = self.states(items)
        return states[torch.from_numpy(counts).to(self.device), torch.arange(len(items), device=self.device)]


def _in_torch_order(matrix: torch.Tensor) -> torch.Tensor:
    """Reorder gates from columns i, f, o, g to torch's rows i, f, g, o."""
    i, f, o, g = matrix.T.chunk(4)
    return torch.cat([i, f, g, o])


def _glorot(before: int, after: int) -> float:
    """The bound of Glorot and Bengio's uniform initialisation."""
    return math.sqrt(6.0 / (before + after))


def _uniform(weight: nn.Parameter, bound: float, generator: torch.Generator) -> None:
    """Draw from U(−bound, bound)."""
    weight.uniform_(-bound, bound, generator=generator)
