"""User-based GRUs: linear, rectified linear and attentional, and the standard GRU beside them.

Donkers, Loepp and Ziegler 2017, "Sequential user-based recurrent neural network recommendations", RecSys, 152–160, doi
10.1145/3109859.3109877. e: the item's vector, x: the user's, both as long as the state h; [· ; ·] stacks.

    [u ; r] = σ([h ; e ; x] W)  (3),  k = tanh((r ⊙ h) C + e W_e + x W_x)  (4),  h' = (1 − u) ⊙ h + u ⊙ k  (5)
    scores = h' V + b  (1), a full softmax at every step

Standard GRU: without x. Linear: as above, which is the standard GRU on [e ; x].
Rectified linear: [κ1 ; κ2] = [h ; e ; x] K  (7); each x_l counts 0 below κ1_l, ω x_l between κ1_l and κ2_l, and x_l
otherwise  (6); the filtered vector takes x's place in (3), and in (4) unless ``filter_candidate`` is False.
Attentional: ξ = σ(h A + e A_e + x A_x)  (8); (1 − ξ) ⊙ e and ξ ⊙ x take the places of e and x in (3) and (4)  (9, 10).

What the paper leaves open is a field, its default named first. ``stateful``: the state is carried through a user's
windows of max_len steps and reset at the next user (True), or every window starts from zero; ``streams``: users are
joined, the state is carried from one to the next, and a window may hold two (training.batches.streams), as in the
language models with such settings. ``user_mask``: dropout masks the user's vector anew at each "step", or once a
"sequence", which is what a batch has, a window of max_len steps. ``thresholds_see``: κ is compared with x as it is
"dropped", or with the "whole" x. ``user_updates``: a step moves all rows of the user table ("dense": Adam's moments go
on for users who are not in the batch, as in TensorFlow, where sparse gradients give the same), or the "rows" of the
batch's users only (training.optimisers.sparse_rows), which a large table needs. ``user_l2_on``: L2 of the looked-up
"rows", mean over the batch; of the user-side "matrices"; or of the whole "table". ``attention_init``: the parameters of
ξ "near zero", U(−0.01, 0.01), as the paper's sentence says, which lets half of either vector through; "uniform"
U(−0.1, 0.1) like all others; or "item first", uniform with a bias of −3, which is what the sentence is for. ``bracket``
(eq. 10): "gate first", or "transform first", (1 − ξ) ⊙ (e W_e) + ξ ⊙ (x W_x). ``threshold_gradient``: "none", since κ
is only compared with and its gradient is zero almost everywhere, so that (7) stays where it was drawn;
"straight-through" is our own extension.

The paper's size is dim = 1000, batch_size = 1000, 10 epochs; keep probabilities 0.8 and 0.5 are dropout = 0.2 and
user_dropout = 0.5. Its gradient cap is read as a bound on the global norm, its batch as windows side by side.

Departures: START is read before a user's first event. A user unseen in training has the mean of all users' vectors
and is counted in ``unseen_users_``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice, check_range
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from training.batches.stateful_windows import StatefulWindows
from training.batches.streams import Streams
from training.batches.windows import WindowBatch, Windows
from training.optimisers.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    import torch

    from recsys_models.networks import user_gru as networks
    from recsys_models.networks.network import Generators
else:
    networks = LazyModule("recsys_models.networks.user_gru")

USER_MASKS = ("step", "sequence")
USER_UPDATES = ("dense", "rows")
THRESHOLDS_SEE = ("dropped", "whole")
USER_L2_ON = ("rows", "matrices", "table")
THRESHOLD_GRADIENTS = ("none", "straight-through")
ATTENTION_INITS = ("near zero", "uniform", "item first")
BRACKETS = ("gate first", "transform first")


@dataclass(kw_only=True)
class StandardGRU(NextItemModel):
    """The paper's standard GRU, reset before the product, output matrix of its own; see NextItemModel for more fields.

    dropout: on item vectors; output_dropout: on the state before the output (not stated in the paper).
    """

    has_compiled_loop: ClassVar[bool] = True

    dim: int = 100
    max_len: int = 20
    dropout: float = 0.2
    optimiser: Optimiser = field(default_factory=Adam)
    max_norm: float | None = 5.0
    stateful: bool = True
    streams: bool = False
    output_dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.streams and not self.stateful:
            raise ValueError("stateful must be true where streams are read, since they carry the state, got False")
        check_range(self, "output_dropout", at_least=0, below=1)

    def batcher(self) -> Windows | StatefulWindows | Streams:
        """Streams, stateful windows, or windows that start from zero."""
        kind = Streams if self.streams else StatefulWindows if self.stateful else Windows
        return kind(self.max_len, self.batch_size, shuffled=self.shuffled)

    def network(self, train: TrainingSet, generators: Generators) -> networks.StandardNetwork:
        """The standard GRU's network."""
        return networks.StandardNetwork(self, train.num_items, generators)


@dataclass(kw_only=True)
class LinearUserGRU(StandardGRU):
    """The linear user-based GRU. user_dropout, user_mask, user_l2, user_l2_on, user_updates: see the module."""

    signals: ClassVar[frozenset[str]] = frozenset({"order", "users"})
    network_type: ClassVar[str] = "LinearNetwork"

    user_dropout: float = 0.5
    user_mask: str = "step"
    user_l2: float = 0.01
    user_l2_on: str = "rows"
    user_updates: str = "dense"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "user_dropout", at_least=0, below=1)
        check_range(self, "user_l2", at_least=0, finite=True)
        check_choice(self, "user_mask", USER_MASKS)
        check_choice(self, "user_l2_on", USER_L2_ON)
        check_choice(self, "user_updates", USER_UPDATES)
        if self.user_updates == "rows" and self.user_l2_on == "table" and self.user_l2 > 0.0:
            raise ValueError('user_updates must be "dense" where user_l2_on is "table", whose term moves every row')

    @property
    def unseen_users_(self) -> int:
        """The number of scored histories of users unseen in training."""
        return self.network_.unseen

    def network(self, train: TrainingSet, generators: Generators) -> networks.StandardNetwork:
        """The network for data with users; raise ValueError where the sequences have none."""
        if train.num_users < 1 or (train.sequences.users < 0).any():
            raise ValueError(
                f"{type(self).__name__} learns a vector for each user, but these sequences are anonymous; "
                f"use StandardGRU, or data with users"
            )
        return getattr(networks, self.network_type)(self, train.num_items, train.num_users, generators)

    def penalty(self, network: networks.LinearNetwork, batch: WindowBatch) -> torch.Tensor | float:
        """Half of user_l2 times the squares of the weights that user_l2_on names."""
        if self.user_l2 == 0.0:
            return 0.0
        if self.user_l2_on == "rows":
            rows = network.own_vectors(batch.users[batch.target_mask] if batch.users.ndim == 2 else batch.users)
            return 0.5 * self.user_l2 * rows.square().sum(dim=1).mean()
        chosen = [network.user_embedding] if self.user_l2_on == "table" else network.user_matrices()
        return 0.5 * self.user_l2 * sum(matrix.square().sum() for matrix in chosen)


@dataclass(kw_only=True)
class RectifiedUserGRU(LinearUserGRU):
    """The rectified linear user-based GRU. slope: ω; for the other fields see the module."""

    has_compiled_loop: ClassVar[bool] = False
    network_type: ClassVar[str] = "RectifiedNetwork"

    slope: float = 0.2
    filter_candidate: bool = True
    thresholds_see: str = "dropped"
    threshold_gradient: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "slope", above=0, below=1)
        check_choice(self, "thresholds_see", THRESHOLDS_SEE)
        check_choice(self, "threshold_gradient", THRESHOLD_GRADIENTS)


@dataclass(kw_only=True)
class AttentionalUserGRU(LinearUserGRU):
    """The attentional user-based GRU. attention_init, bracket: see the module."""

    has_compiled_loop: ClassVar[bool] = False
    network_type: ClassVar[str] = "AttentionalNetwork"

    attention_init: str = "near zero"
    bracket: str = "gate first"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "attention_init", ATTENTION_INITS)
        check_choice(self, "bracket", BRACKETS)
