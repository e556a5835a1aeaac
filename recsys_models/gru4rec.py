"""GRU4Rec: session-parallel mini-batches, a carried state, and negatives that all sessions of a batch share.

Hidasi, Karatzoglou, Baltrunas and Tikk 2016, "Session-based recommendations with recurrent neural networks", ICLR,
arXiv 1511.06939; Hidasi and Karatzoglou 2018, "Recurrent neural networks with top-k gains for session-based
recommendations", CIKM, doi 10.1145/3269206.3271761; official code hidasib/GRU4Rec (Theano) and its PyTorch port,
hidasib/GRU4Rec_PyTorch_Official.

    x = E[item], or the item's own column of every W  (``inputs``)
    z, r = σ(W x + U h + b),  h̃ = tanh(W_h x + U_h (r ⊙ h) + b_h),  h' = (1 − z) ⊙ h + z ⊙ h̃        (2016, eqs. 1–4)
    ŝ_j = h' · V_j + b_j  for the targets of all sessions of the batch and for drawn items
    cross-entropy, BPR-max, TOP1, TOP1-max, BPR over ŝ: training.losses.softmax, training.losses.sampled  (2018, 3)

One event of every session is a step (training.batches.session_parallel); the gradient goes through this step only,
the state itself is carried on, and begins at zero where a session begins. ``inputs``: "tied", V is E (the official
code's constrained embedding); "separate", a table of ``embedding_dim``; "one-hot", no embedding. ``reset``: "before"
the recurrent product, as in the papers and the Theano code; "after", with torch's two biases; or "port", what the port
does: before for one-hot input, else after. ``dropout`` is on the embedding, ``state_dropout`` on the new state, whose
dropped form is carried on, as in both codes; with one-hot input ``dropout`` is on the first layer's state, as in the
port, and ``state_dropout`` on those above it alone (the Theano code's dropout_p_hidden is on all: give both fields it).
Drawn items come ∝ (training count)^alpha of ``loss.sampling``. A step moves the rows of item tables that it looks up
and no others, their velocity included. Weights are drawn from U(±√(6 / (in + out))), each gate having a matrix of its
own; biases start at 0.

Departures: cross-entropy is computed from log-probabilities, without the 1e-24 inside the codes' logarithm, which BPR-
max has; TOP1 leaves the target out of its mean; with validation, training stops by ``patience``, which the codes do not
have; with a loss other than cross-entropy and BPR-max an item bias that has once moved goes on with its velocity,
looked up or not. A session's first event is never a target, and an empty history has the zero state, so its
scores are the item biases. Users are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from training.batches.session_parallel import ORDERS, SessionParallel
from training.batches.stateful_windows import StatefulBatch
from training.losses.loss import Loss
from training.losses.sampled import BPRMax, SampledLoss
from training.losses.sampling import NegativeSampling, PopularitySampler
from training.losses.softmax import SampledCrossEntropy
from training.optimisers.optimisers import Adagrad, Optimiser

if TYPE_CHECKING:
    import torch
    from torch import nn

    from recsys_models.networks.gru4rec import GRU4RecNetwork
    from recsys_models.networks.network import Generators, NextItemNetwork
else:
    torch, nn = LazyModule("torch"), LazyModule("torch.nn")

INPUTS = ("tied", "separate", "one-hot")
RESETS = ("port", "before", "after")


def shared_sampling(alpha: float = 0.5) -> NegativeSampling:
    """GRU4Rec's negatives: the batch's other targets, and items drawn ∝ count^alpha once a batch."""
    return NegativeSampling(alpha=alpha, shared=True, batch_targets=True)


@dataclass(kw_only=True)
class GRU4Rec(NextItemModel):
    """GRU4Rec with the official code's defaults. batch_size: sessions side by side; max_len: always 1, see the module.

    dim: size of the last layer's state; lower_layers: sizes of the layers below it, from the input up. inputs,
    embedding_dim (of "separate" only), reset, dropout, state_dropout: see the module. loss: a SampledLoss, with its
    sampling; session_order: see SessionParallel. weight_decay is 0, as row-sparse updates have none.
    """

    orders_batches: ClassVar[bool] = True

    dim: int = 100
    lower_layers: tuple[int, ...] = ()
    inputs: str = "tied"
    embedding_dim: int = 100
    reset: str = "port"
    max_len: int = 1
    state_dropout: float = 0.0
    learning_rate: float = 0.05
    batch_size: int = 64
    epochs: int = 10
    optimiser: Optimiser = field(default_factory=Adagrad)
    loss: Loss = field(default_factory=lambda: SampledCrossEntropy(num_negatives=2048, sampling=shared_sampling()))
    session_order: str = "time"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "inputs", INPUTS)
        check_choice(self, "reset", RESETS)
        check_choice(self, "session_order", ORDERS)
        if any(size < 1 for size in (*self.lower_layers, self.embedding_dim)):
            raise ValueError(
                f"lower_layers and embedding_dim must be at least 1, got {self.lower_layers} and {self.embedding_dim}"
            )
        check_range(self, "state_dropout", at_least=0, below=1)
        if self.inputs == "one-hot" and not self.lower_layers and self.state_dropout > 0.0:
            raise ValueError(
                f"state_dropout must be 0 where the only layer reads one-hot items: there dropout is on its state, "
                f"got {self.state_dropout}"
            )
        if self.max_len != 1 or self.weight_decay != 0.0:
            raise ValueError(
                f"max_len must be 1 and weight_decay 0, since a step reads one event of each session and moves only "
                f"the rows that it looks up, got {self.max_len} and {self.weight_decay}"
            )
        if not isinstance(self.loss, SampledLoss) or not self.loss.sampling.shared:
            raise ValueError(
                f"loss must be a sampled loss whose negatives the batch shares, such as "
                f"BPRMax(num_negatives=2048, sampling=shared_sampling()), got {self.loss!r}"
            )

    def batcher(self) -> SessionParallel:
        """Session-parallel steps; without drawn items the epoch ends at the last lone session, as in the codes."""
        return SessionParallel(self.batch_size, self.session_order, min_sessions=1 if self.loss.num_negatives else 2)

    def network(self, train: TrainingSet, generators: Generators) -> GRU4RecNetwork:
        """The GRU layers and item tables."""
        from recsys_models.networks.gru4rec import GRU4RecNetwork

        self.popularity_ = PopularitySampler.from_counts(
            train.item_counts, self.loss.sampling.alpha, generators.dropout.device
        )
        return GRU4RecNetwork(self, train.num_items, generators)

    def objective(
        self, network: NextItemNetwork, batch: StatefulBatch, negatives: torch.Generator
    ) -> tuple[torch.Tensor, int]:
        """The mean loss with the gradient of the sum divided by ``batch_size``, as in the codes."""
        if type(self.loss) in (SampledCrossEntropy, BPRMax) and self.loss.sampling.batch_targets:
            value, count = self._shared_loss(network, batch, negatives), len(batch.rows)
        else:
            value, count = super().objective(network, batch, negatives)
        stepped = value * (count / self.batch_size)
        return stepped + (value - stepped).detach(), count

    def _shared_loss(self, network: GRU4RecNetwork, batch: StatefulBatch, generator: torch.Generator) -> torch.Tensor:
        """The mean loss of a step, with one lookup of every distinct item."""
        from training.losses.shared_negatives import (
            SharedNegatives,
            lookup_unique,
            shared_bpr_max,
            shared_cross_entropy,
        )

        loss, device = self.loss, network.device
        items, at = batch.sequences.items, batch.target_events[:, 0]
        read, targets = (torch.from_numpy(items[events].astype(np.int64)).to(device) for events in (at - 1, at))
        drawn = loss.sampling.draw(loss.num_negatives, len(targets), self.num_items_, generator, self.popularity_)
        tied = self.inputs == "tied"
        shared = SharedNegatives.of(read if tied else read[:0], targets, drawn)
        rows = lookup_unique(network.output, shared.items)
        scored = shared.target_counts + shared.drawn_counts > 0  # an item that is only an input moves no bias
        bias = lookup_unique(network.bias, shared.items[scored])
        bias = bias.new_zeros(len(scored)).masked_scatter(scored, bias)
        queries = network.step(
            nn.functional.embedding(shared.inputs, rows)[None] if tied else network.read(read[None]), batch
        )
        if isinstance(loss, BPRMax):
            return shared_bpr_max(loss, queries, rows, bias, shared)
        return shared_cross_entropy(loss, queries, rows, bias, shared, self.popularity_)
