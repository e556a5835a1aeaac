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

``instances``: "positions" trains and asks after every event of one reading. "prefixes" gives each target a reading of
its own, of the last ``max_len`` events before it, at test as in training. Only there may it be ``bidirectional``, as in
Devooght and Bersini's program (2017; their layers and final state by notes on it): each layer reads the events forwards
and, with weights of its own, backwards (Schuster and Paliwal 1997), the layer above is given both states of each event,
and the query comes from the forward state after the last event beside the backward one after the first.

Departures from GRU4Rec: an item embedding tied to the output, a full softmax instead of sampled losses, windows of a
user's whole history instead of session-parallel batches with a carried state, AdamW instead of AdaGrad, early stopping.
With "prefixes" a sequence's first event is no target, and an empty history is answered from zero states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet
from recsys_models.next_item import ACTIVATIONS, NextItemModel
from training.batches.prefixes import Prefixes
from training.batches.windows import Windows

if TYPE_CHECKING:
    from recsys_models.engine import activations
    from recsys_models.networks import layered, layers
    from recsys_models.networks.network import Generators
    from recsys_models.networks.rnn import RecurrentNetwork
else:
    activations = LazyModule("recsys_models.engine.activations")
    layered, layers = LazyModule("recsys_models.networks.layered"), LazyModule("recsys_models.networks.layers")

INSTANCES = ("positions", "prefixes")


@dataclass(kw_only=True)
class RNN(NextItemModel):
    """An Elman network; see NextItemModel for the other fields.

    embedding_dim: size of the item vectors, which are tied to the output, or None for one-hot items. dim: size of the
    last layer; lower_layers: sizes of the layers below it, from the input up. activation: φ, "tanh", "sigmoid", "relu"
    or "elu". instances: "positions", or "prefixes", which costs max_len times the reading and of which batch_size make
    a batch. bidirectional: only with "prefixes", where the whole input is before the target; every layer then has its
    size in both directions. See the module.
    """

    layer: ClassVar[str] = "RNN"  # its name in torch.nn

    embedding_dim: int | None = 64
    lower_layers: tuple[int, ...] = ()
    activation: str = "tanh"
    instances: str = "positions"
    bidirectional: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding_dim is not None and self.embedding_dim < 1:
            raise ValueError(f"embedding_dim must be at least 1, or None for one-hot items, got {self.embedding_dim}")
        if any(size < 1 for size in self.lower_layers):
            raise ValueError(f"lower_layers must be at least 1 each, got {self.lower_layers}")
        check_choice(self, "activation", ACTIVATIONS)
        check_choice(self, "instances", INSTANCES)
        if self.bidirectional and self.instances != "prefixes":
            raise ValueError(
                f'bidirectional must be false unless instances is "prefixes": {type(self).__name__} predicts after '
                f"every event of a window, and the backward direction would see the target"
            )
        if self.instances == "prefixes" and not self.shuffled:
            raise ValueError('shuffled must be true where instances is "prefixes", got False')

    @property
    def uses_torch_layer(self) -> bool:
        """Whether torch's own layer computes this model."""
        layer = self.embedding_dim is not None and not self.lower_layers and self.activation == "tanh"
        return layer and self.instances == "positions"

    def build_layer(self, inputs: int, size: int, *, one_hot: bool) -> layers.RecurrentLayer:
        """One layer on the recurrent engine."""
        return layers.ElmanLayer(inputs, size, one_hot=one_hot, activation=activations.ACTIVATIONS[self.activation])

    def engine(self, device: str) -> str:
        """Torch's own layer if it computes this model, else the recurrent engine."""
        return "torch" if self.uses_torch_layer else super().engine(device)

    def batcher(self) -> Windows | Prefixes:
        """Windows, or one prefix per target."""
        if self.instances == "prefixes":
            return Prefixes(self.max_len, self.batch_size, targets_per_row=1)
        return super().batcher()

    def network(self, train: TrainingSet, generators: Generators) -> RecurrentNetwork | layered.LayeredNetwork:
        """Torch's layer, layers on the engine, or layers over prefixes."""
        if self.instances == "prefixes":
            return layered.PrefixNetwork(self, train.num_items, generators)
        if not self.uses_torch_layer:
            return layered.LayeredNetwork(self, train.num_items, generators)
        from recsys_models.networks.rnn import RecurrentNetwork

        return RecurrentNetwork(self.layer, train.num_items, self.embedding_dim, self.dim, self.dropout, generators)


@dataclass(kw_only=True)
class GRU(RNN):
    """A gated recurrent unit; reset: "after" the product (torch, cuDNN) or "before" it (Cho et al.); else see RNN."""

    layer: ClassVar[str] = "GRU"

    reset: str = "after"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "reset", ("after", "before"))
        if self.reset == "after" and self.activation != "tanh":
            raise ValueError(f'activation must be "tanh" where reset is "after", got {self.activation!r}')

    @property
    def uses_torch_layer(self) -> bool:
        """Whether torch's GRU computes this model."""
        return super().uses_torch_layer and self.reset == "after"

    def build_layer(self, inputs: int, size: int, *, one_hot: bool) -> layers.RecurrentLayer:
        """One GRU layer on the engine."""
        if self.reset == "after":
            return layers.GRUResetAfterLayer(inputs, size, one_hot=one_hot)
        activation = activations.ACTIVATIONS[self.activation]
        return layers.GRUResetBeforeLayer(inputs, size, one_hot=one_hot, activation=activation)


@dataclass(kw_only=True)
class LSTM(RNN):
    """A long short-term memory, with ``peepholes`` or without; see RNN for the other fields."""

    layer: ClassVar[str] = "LSTM"

    peepholes: bool = False

    @property
    def uses_torch_layer(self) -> bool:
        """Whether torch's LSTM computes this model."""
        return super().uses_torch_layer and not self.peepholes

    def build_layer(self, inputs: int, size: int, *, one_hot: bool) -> layers.RecurrentLayer:
        """One LSTM layer on the engine."""
        activation = activations.ACTIVATIONS[self.activation]
        return layers.LSTMLayer(inputs, size, one_hot=one_hot, activation=activation, peepholes=self.peepholes)
