"""NARM: a GRU over the session, an attention to what the session is for, and a bilinear decoder.

Li, Ren, Chen, Ren, Lian and Ma 2017, "Neural Attentive Session-based Recommendation", CIKM (10.1145/3132847.3132926);
code lijingsdu/sessionRec_NARM. The main table was read in the paper; the equations are from memory, checked against the
code, and numbered as there. For the item vectors x_1 … x_t of a session:

    z_t = σ(W_z x_t + U_z h_{t−1}),  r_t = σ(W_r x_t + U_r h_{t−1})                                          (2, 4)
    h̃_t = tanh(W x_t + U (r_t ⊙ h_{t−1})),  h_t = (1 − z_t) h_{t−1} + z_t h̃_t                                (3, 1)
    global encoder   c_g = h_t                                                                                  (5)
    local encoder    c_l = Σ_j α_tj h_j,  α_tj = vᵀ σ(A_1 h_t + A_2 h_j), not normalised                    (6 to 8)
    hybrid           c = [c_g ; c_l]                                                                            (9)
    decoder          s_i = emb_iᵀ B c, "bilinear"; or s_i = w_iᵀ c + b_i, "full": a fully connected layer      (10)
    loss             −log softmax(s)_y                                                                         (11)

``variant`` "official" is what the released code does: the hard sigmoid max(0, min(1, 0.2 x + 0.5)) for every σ, and
attention weights α that pass a softmax over the session. Both have biases in the GRU, which the equations lack. First
weights are the code's: N(0, 2 / n) with n the first dimension of its matrix, orthogonal recurrent matrices, biases 0.

Departures. The paper draws two encoders and the code has one GRU whose states serve both; so here. The code cuts a
history of more than 19 events to its *first* 19 while the target stays the next event; here a query reads its last
``max_len``. It holds out a random tenth of all prefixes and keeps the epoch with their best Recall@20; here validation
is the protocol's. Its 1e-8 inside the logarithm, and its decay of Adam's first moment by 1e-8 a step, are left out. An
item unseen in training is read as 0; an empty history, which occurs in no code, has c = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice, check_range
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from training.batches.prefixes import Prefixes
from training.batches.segments import Segments
from training.optimisers.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    from recsys_models.networks.narm import AttentiveNetwork
    from recsys_models.networks.network import Generators

VARIANTS = ("paper", "official")
ENCODERS = ("hybrid", "global", "local")
DECODERS = ("bilinear", "full")
BATCHES = ("sessions", "prefixes")


@dataclass(kw_only=True)
class NARM(NextItemModel):
    """The neural attentive recommendation machine, with the released code's settings.

    dim: size of the state; embedding_dim: of the item vectors; max_len: a query reads at most its last max_len events;
    dropout: on c; input_dropout: on item vectors; batch_size: targets a step, about. batches: "prefixes" shuffles each
    prefix on its own (the code), "sessions" trains all prefixes of a session side by side, which costs less. variant,
    encoder, decoder: see the module. For the other fields see NextItemModel.
    """

    family: ClassVar[str] = "attention"
    orders_batches: ClassVar[bool] = True

    dim: int = 100
    embedding_dim: int = 50
    max_len: int = 50
    dropout: float = 0.5
    input_dropout: float = 0.25
    batch_size: int = 512
    epochs: int = 30
    optimiser: Optimiser = field(default_factory=Adam)
    variant: str = "paper"
    encoder: str = "hybrid"
    decoder: str = "bilinear"
    batches: str = "sessions"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "embedding_dim", at_least=1)
        check_range(self, "input_dropout", at_least=0, below=1)
        check_choice(self, "variant", VARIANTS)
        check_choice(self, "encoder", ENCODERS)
        check_choice(self, "decoder", DECODERS)
        check_choice(self, "batches", BATCHES)

    def network(self, train: TrainingSet, generators: Generators) -> AttentiveNetwork:
        """The GRU, the attention and the decoder."""
        from recsys_models.networks.narm import AttentiveNetwork

        return AttentiveNetwork(self, train.num_items, generators)

    def batcher(self) -> Segments | Prefixes:
        """Segments of sessions, or single prefixes."""
        if self.batches == "prefixes":
            return Prefixes(self.max_len, self.batch_size, targets_per_row=1)
        return Segments(self.max_len, self.batch_size, counted="targets")
