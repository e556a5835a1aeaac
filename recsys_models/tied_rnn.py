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

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from recsys_data.checks import check_choice, check_range
from recsys_data.split import TrainingSet
from recsys_models.next_item import ACTIVATIONS, NextItemModel
from training.batches.sampled_prefixes import SampledPrefixes
from training.batches.sequence_noise import NoisyBatcher, SequenceNoise
from training.batches.windows import Windows
from training.losses.augmented import AugmentedCrossEntropy, Summed
from training.losses.loss import Loss
from training.optimisers.optimisers import Adagrad, Optimiser

if TYPE_CHECKING:
    from recsys_models.networks.network import Generators
    from recsys_models.networks.tied_rnn import OneQueryNetwork

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
        from recsys_models.networks.tied_rnn import OneQueryNetwork

        return OneQueryNetwork(self, train.num_items, generators)

    @property
    def uses_torch_layer(self) -> bool:
        """Whether torch has this cell."""
        return (self.cell, self.activation, self.peepholes) == ("LSTM", "tanh", False)

    def engine(self, device: str) -> str:
        """Torch's own layer on the CPU if it has this cell, else the recurrent engine."""
        return "torch" if self.uses_torch_layer and device == "cpu" else "torch-unrolled"

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
