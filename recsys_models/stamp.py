"""STAMP, STMP and STMO: session models that combine the last click with a summary of the session.

Liu, Zeng, Mokhosi and Zhang 2018, "STAMP: Short-Term Attention/Memory Priority Model for Session-based
Recommendation", KDD 2018 (10.1145/3219819.3219950); code uestcnlp/STAMP; also RecBole's STAMP. The paper itself was not
at hand: equations are from notes on it, checked against both codes, and are given by name. For the vectors x_1 … x_t of
the items of a session:

    general memory   m_s = (1/t) Σ_i x_i                        (STMP)
    attention        α_i = w_0 · σ(W_1 x_i + W_2 x_t + W_3 m_s + b_a),  m_a = Σ_i α_i x_i; no softmax over i   (STAMP)
    current memory   m_t = x_t
    cells            h_s = tanh(W_s m + b_s) with m = m_s (STMP) or m_a (STAMP),  h_t = tanh(W_t m_t + b_t)
    score            ⟨h_s, h_t, x_j⟩ = Σ_k h_s,k h_t,k x_j,k: so Factored, with the query h_s ⊙ h_t

``variant`` names the readings of this:

    paper            biases everywhere; m = m_a
    official         no biases; m = m_a + m_s; input item vectors are cut to the norm ``lookup_norm`` (1.0 for
                     YooChoose, 1.5 for Diginetica), while the output table stays as it is, and so does the pad
                     vector below, since no code has both
    recbole_masked   biases; m = m_a + m_s
    recbole          the same, and the empty slots of a list of max_len hold a pad vector without a mask: it is in the
                     sum over the list (which is divided by the true length), it is attended to, and it is one more
                     class of the softmax, which alone trains it: look-ups give it no gradient

STMO is only named in the paper: h_t alone, scored by h_t · x_j, is a reconstruction. ``last_click`` false leaves h_t
out of the score (the paper's STMP− and STAMP−, from memory); STAMP's attention still sees the last click.

First weights: item vectors N(0, item_std²), all others N(0, weight_std²), biases 0, as in both codes; their values for
the paper are from memory, and the logs of two published runs show item vectors with a larger deviation.

Departures. The σ that the paper puts around the score before its softmax bounds the loss from below near log V, so that
nothing could be learnt; neither code has it. The paper prints −Σ_j [y_j log p_j + (1 − y_j) log(1 − p_j)]; both codes
minimise the cross-entropy, its first part, and so does this. The official code goes down the sum of a batch's losses
(``reduction``): Adam ignores a constant factor, but the code's batches of equal lengths hold from one to 512 targets,
and under a mean the many small ones would move the weights as far as the large ones. It bounds each tensor's gradient:
control=FitControl(clip=ClipTensor(150.0)). RecBole's BPR draws negatives that are new to the user; here they may
be any item (training.losses.sampled). dropout (on input item vectors and on the query) is Encore's own. An item unseen
in training is read as 0; in the official code it has its first, untrained vector, which is nearly 0. An empty history,
which occurs in no code, has m_s = m_t = 0: the scores come from the biases alone, and without biases all items tie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice, check_range
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from training.batches.prefixes import EqualLengthSessions, PrefixBatch, Prefixes
from training.optimisers.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    import torch

    from recsys_models.networks.network import Generators, NextItemNetwork
    from recsys_models.networks.stamp import MemoryNetwork

VARIANTS = ("paper", "official", "recbole", "recbole_masked")
BATCHES = ("sessions", "prefixes", "equal lengths")
REDUCTIONS = ("mean", "sum")


@dataclass(kw_only=True)
class STMP(NextItemModel):
    """The short-term memory priority model: the mean of the session and its last click.

    dim: size of all vectors; max_len: a query reads at most its last max_len events, at test as in training (the
    official code reads all: set it to the longest session); batch_size: targets a step, about. batches: "sessions"
    reads all prefixes of a session side by side, "prefixes" shuffles each prefix on its own (RecBole), "equal lengths"
    takes sessions of one length and a step a position (official). reduction: the weights go down the "mean" of a
    batch's losses, or their "sum" (official). variant, lookup_norm (None: not cut), item_std, weight_std, last_click:
    see the module. For the other fields see NextItemModel.
    """

    family: ClassVar[str] = "attention"
    orders_batches: ClassVar[bool] = True
    averages: ClassVar[bool] = True
    attends: ClassVar[bool] = False

    dim: int = 100
    max_len: int = 50
    batch_size: int = 512
    learning_rate: float = 3e-3
    optimiser: Optimiser = field(default_factory=Adam)
    variant: str = "paper"
    batches: str = "sessions"
    reduction: str = "mean"
    lookup_norm: float | None = None
    last_click: bool = True
    item_std: float = 0.002
    weight_std: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "variant", VARIANTS)
        check_choice(self, "batches", BATCHES)
        check_choice(self, "reduction", REDUCTIONS)
        check_range(self, "lookup_norm", above=0, or_none=True)
        check_range(self, "item_std", "weight_std", above=0, finite=True)
        if not (self.last_click or self.averages):
            raise ValueError("last_click must be true in a model of the last click alone, got False")

    def engine(self, device: str) -> str:
        """No loop: all prefixes at once."""
        return "torch-prefixes"

    def network(self, train: TrainingSet, generators: Generators) -> MemoryNetwork:
        """The network of all three models."""
        from recsys_models.networks.stamp import MemoryNetwork

        return MemoryNetwork(self, train.num_items, generators)

    def batcher(self) -> Prefixes | EqualLengthSessions:
        """Prefixes of all sessions, or sessions of equal length."""
        if self.batches == "equal lengths":
            return EqualLengthSessions(self.max_len, self.batch_size)
        return Prefixes(
            self.max_len, self.batch_size, targets_per_row=self.max_len if self.batches == "sessions" else 1
        )

    def objective(
        self, network: NextItemNetwork, batch: PrefixBatch, negatives: torch.Generator
    ) -> tuple[torch.Tensor, int]:
        """The mean loss with the gradient of the mean or of the sum."""
        mean, count = super().objective(network, batch, negatives)
        if self.reduction == "mean":
            return mean, count
        return mean.detach() + (mean - mean.detach()) * count, count


@dataclass(kw_only=True)
class STAMP(STMP):
    """The short-term attention/memory priority model: STMP with an attentive memory of the session."""

    attends: ClassVar[bool] = True


@dataclass(kw_only=True)
class STMO(STMP):
    """The last click alone, scored by h_t · x_j; a reconstruction, see the module."""

    averages: ClassVar[bool] = False
