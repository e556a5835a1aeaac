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
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from training.losses.loss import Loss
from training.losses.sampled import AdaptiveHinge
from training.optimisers.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    from recsys_models.networks.mlstm import SpotlightNetwork
    from recsys_models.networks.network import Generators

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
        from recsys_models.networks.mlstm import SpotlightNetwork

        return SpotlightNetwork(self, train.num_items, 4, generators)


@dataclass(kw_only=True)
class MLSTM(SpotlightLSTM):
    """The multiplicative LSTM; biases: b_im and b_hm are learnt (mlstm4reco), or absent (Krause et al.).

    output_gate: see the module.
    """

    has_compiled_loop: ClassVar[bool] = True

    output: str = "cell"
    biases: bool = True
    output_gate: str = "outside"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "output_gate", OUTPUT_GATES)

    def network(self, train: TrainingSet, generators: Generators) -> SpotlightNetwork:
        """The multiplicative LSTM's network."""
        from recsys_models.networks.mlstm import MultiplicativeNetwork

        return MultiplicativeNetwork(self, train.num_items, generators)
