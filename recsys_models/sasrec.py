"""SASRec: causal self-attention over a user's last events, each position predicting the next.

Kang and McAuley 2018, "Self-Attentive Sequential Recommendation", ICDM (10.1109/ICDM.2018.00035), arXiv 1808.09781;
code kang205/SASRec. Equations by name, from memory of the paper and checked against the code:

    embedding layer     Ê_t = M[item_t] + P[position_t]
    self-attention      SA(Ê) = softmax(Q Kᵀ / √d) V over the events up to t,  Q, K, V = Ê W_Q, Ê W_K, Ê W_V
    feed-forward        FFN(s) = ReLU(s W_1 + b_1) W_2 + b_2
    stacking            each layer g is applied as x + Dropout(g(LayerNorm(x)));  ``blocks`` pairs of the two
    prediction          r_i = f_t · M_i: one item table for input and output
    own loss            −log σ(r_y) − log(1 − σ(r_j)), j an item new to the user: BinaryCrossEntropy(), the default

Klenitskiy and Vasilev 2023, "Turning dross into gold loss: is BERT4Rec really better than SASRec?", RecSys
(10.1145/3604915.3610644) train the same network with cross-entropy over all items: loss=CrossEntropy().

``variant`` "official" is what the released code does beside that: M[item] times √d; biases in Q, K and V; keys and
values from x itself, only the query from LayerNorm(x); residuals that add LayerNorm(x) instead of x; dropout on the
attention weights and after both layers of FFN, not on SA; a last LayerNorm before the prediction. First weights are
U(±√(6 / (in + out))), biases 0, as in the code; LayerNorm's ε is 1e-8.

``positions`` count "from the end", as padding on the left to max_len does in paper and code: the last event that a
query reads has the last position, so that every query needs a pass of its own. "from the start" gives all queries
within the first max_len events one pass. Attention never sees a padded slot, so the padding's side changes nothing.

Departures. An epoch visits every user once; the code draws batches of users at random, with replacement. ``segments``
"last" trains on each sequence's last max_len + 1 events, as paper and code do, "all" on every event. The code draws a
negative until the user has not had it; here that is tried ``REDRAWS`` times, for users who have nearly all items. It
adds 1e-24 inside the logarithms, and evaluates on at most 10,000 users every 20 epochs without choosing one. An item
unseen in training has the vector 0 at its position; an empty history is answered by LayerNorm(0), or by 0 ("paper").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.lazy_module import LazyModule
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from training.batches.segments import SegmentBatch, Segments
from training.losses.loss import Loss
from training.losses.sampled import BinaryCrossEntropy, SampledLoss
from training.losses.sampling import PopularitySampler
from training.optimisers.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    import torch

    from recsys_models.networks.network import Generators, NextItemNetwork
    from recsys_models.networks.sasrec import SelfAttentiveNetwork
else:
    torch = LazyModule("torch")

VARIANTS = ("official", "paper")
POSITIONS = ("from the end", "from the start")
SEGMENTS = ("last", "all")
REDRAWS = 20


@dataclass(kw_only=True)
class SASRec(NextItemModel):
    """Self-attentive sequential recommendation with the released code's settings.

    dim: size of all vectors; max_len: events that a query reads, and targets in a training segment; blocks, heads: of
    self-attention; batch_size: segments a step. new_negatives: negatives are drawn again while they occur in the
    sequence, where a sampled loss draws for each target. variant, positions, segments: see the module. For the other
    fields see NextItemModel.
    """

    family: ClassVar[str] = "attention"
    orders_batches: ClassVar[bool] = True

    dim: int = 50
    blocks: int = 2
    heads: int = 1
    dropout: float = 0.5
    batch_size: int = 128
    epochs: int = 200
    optimiser: Optimiser = field(default_factory=lambda: Adam(beta2=0.98))
    loss: Loss = field(default_factory=BinaryCrossEntropy)
    new_negatives: bool = True
    variant: str = "official"
    positions: str = "from the end"
    segments: str = "last"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "blocks", "heads", at_least=1)
        check_choice(self, "variant", VARIANTS)
        check_choice(self, "positions", POSITIONS)
        check_choice(self, "segments", SEGMENTS)
        if self.dim % self.heads:
            raise ValueError(f"heads must divide dim = {self.dim}, got {self.heads}")

    def engine(self, device: str) -> str:
        """No loop: all positions at once."""
        return "torch-attention"

    def network(self, train: TrainingSet, generators: Generators) -> SelfAttentiveNetwork:
        """The embeddings and the blocks."""
        from recsys_models.networks.sasrec import SelfAttentiveNetwork

        self.popularity_ = None
        if isinstance(self.loss, SampledLoss) and self.loss.sampling.alpha > 0.0:
            alpha, device = self.loss.sampling.alpha, generators.negatives.device
            self.popularity_ = PopularitySampler.from_counts(train.item_counts, alpha, device)
        return SelfAttentiveNetwork(self, train.num_items, generators)

    def batcher(self) -> Segments:
        """The last segment of each sequence, or all."""
        return Segments(self.max_len, self.batch_size, last_only=self.segments == "last")

    def objective(
        self, network: NextItemNetwork, batch: SegmentBatch, negatives: torch.Generator
    ) -> tuple[torch.Tensor, int]:
        """The loss of a batch; negatives of a target are items that its sequence does not hold."""
        loss = self.loss
        if not (self.new_negatives and isinstance(loss, SampledLoss) and not loss.sampling.shared):
            return super().objective(network, batch, negatives)
        at = np.flatnonzero(batch.target_mask)
        owners = torch.from_numpy(at // batch.target_mask.shape[1]).to(network.device)
        targets = torch.from_numpy(batch.targets.ravel()[at]).to(network.device)

        def draw(count: int, each: int) -> torch.Tensor:
            return loss.sampling.draw(each, count, self.num_items_, negatives, self.popularity_)

        drawn = draw(len(at), loss.num_negatives)
        held = torch.from_numpy(batch.sequence_items(self.num_items_)).to(network.device)
        for _ in range(REDRAWS):
            keys = owners[:, None] * self.num_items_ + drawn
            again = held[torch.searchsorted(held, keys).clamp(max=len(held) - 1)] == keys
            if not again.any():
                break
            drawn[again] = draw(int(again.sum()), 1).flatten()
        queries = network.encode_training(batch, torch.from_numpy(at).to(network.device))
        value = self.loss_(queries, network.item_factors, network.item_bias, targets, negatives, drawn=drawn)
        return value, len(at)
