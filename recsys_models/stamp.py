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
                     class of the softmax, which trains it

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
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from recsys_data.checks import check_choice, check_range
from recsys_data.sequences import PAD, SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.networks.attention import Attend, Means, query_blocks
from recsys_models.networks.network import Generators, NextItemNetwork, check_items
from recsys_models.next_item import NextItemModel
from training.batches.prefixes import EqualLengthSessions, PrefixBatch, Prefixes
from training.control.dropout import Dropout
from training.losses.sampled import SampledLoss
from training.optimisers.optimisers import Adam, Optimiser

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


class MemoryNetwork(NextItemNetwork):
    """Item vectors, the two memories and their cells."""

    item_bias = None

    def __init__(self, model: STMP, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.num_items, self.max_len = num_items, model.max_len
        self.lookup_norm, self.last_click = model.lookup_norm, model.last_click
        self.averages, self.attends = model.averages, model.attends
        self.adds_mean = model.variant != "paper"
        self.padded = model.variant == "recbole" and model.averages
        self.pad_is_class = model.variant == "recbole" and not isinstance(model.loss, SampledLoss)
        self.generator = generators.weights
        dim, std, biased = model.dim, model.weight_std, model.variant != "official"

        self.item_embedding = self.normal(model.item_std, num_items + (model.variant == "recbole"), dim)
        self.current, self.current_bias = self.cell(dim, std, biased, model.last_click)
        self.general, self.general_bias = self.cell(dim, std, biased, model.averages)
        if model.attends:
            self.of_item, self.of_last, self.of_mean = (self.normal(std, dim, dim) for _ in range(3))  # W_1, W_2, W_3
            self.of_bias = nn.Parameter(torch.zeros(dim)) if biased else None  # b_a
            self.weigh = self.normal(std, dim)  # w_0
        self.dropout = Dropout(model.dropout, generators.dropout)

    def normal(self, std: float, *shape: int) -> nn.Parameter:
        """A weight drawn from N(0, std²)."""
        return nn.Parameter(torch.empty(*shape).normal_(0.0, std, generator=self.generator))

    def cell(self, dim: int, std: float, biased: bool, used: bool) -> tuple[nn.Parameter | None, nn.Parameter | None]:
        """The weight and the bias of a tanh cell; None for each that it lacks."""
        return (
            self.normal(std, dim, dim) if used else None,
            nn.Parameter(torch.zeros(dim)) if used and biased else None,
        )

    @property
    def item_factors(self) -> torch.Tensor:
        """The item vectors, (num_items, D); in training RecBole's variant adds the pad vector."""
        if len(self.item_embedding) == self.num_items or (self.training and self.pad_is_class):
            return self.item_embedding
        return self.item_embedding[: self.num_items]

    def lookup(self, items: np.ndarray) -> torch.Tensor:
        """The vectors (N, D) of items (N,), each cut to ``lookup_norm``; the table stays as it is."""
        vectors = nn.functional.embedding(torch.from_numpy(items).to(self.device), self.item_embedding)
        if self.lookup_norm is not None:
            norms = vectors.square().sum(dim=1, keepdim=True).clamp(min=self.lookup_norm**2).sqrt()
            vectors = vectors * (self.lookup_norm / norms)
        return self.dropout(vectors)

    def queries(self, items: np.ndarray, rows: np.ndarray, reads: np.ndarray) -> torch.Tensor:
        """Queries (N, D) of histories: the first ``reads`` (N,), at least 1, of ``rows`` (N,) of items (B, T).

        Histories are sorted by reads and then by row, without repeats.
        """
        slots = np.flatnonzero(items.ravel() != PAD)
        read = self.lookup(items.ravel()[slots])  # (E, D)
        blocks = query_blocks(rows, reads, self.max_len)
        filled = None if len(slots) == items.size else torch.from_numpy(slots).to(self.device)

        def spread(vectors: torch.Tensor) -> torch.Tensor:
            """Put vectors (E, D) of the events into their slots, (B, T, D)."""
            if filled is not None:
                vectors = vectors.new_zeros(items.size, vectors.shape[1]).index_copy(0, filled, vectors)
            return vectors.view(*items.shape, -1)

        values = spread(read)
        ends = torch.from_numpy(rows * items.shape[1] + reads - 1).to(self.device)
        last = nn.functional.embedding(ends, values.flatten(0, 1))
        if not self.averages:
            return self.score_query(None, last)
        counts = np.minimum(reads, self.max_len)
        mean = Means.apply(values, len(rows), blocks)
        empty = torch.from_numpy((self.max_len - counts)[:, None]).to(mean) if self.padded else None  # (N, 1)
        if empty is not None:
            mean = mean + empty / (self.max_len - empty) * self.pad_vector
        if not self.attends:
            return self.score_query(mean, last)
        attention_queries = last @ self.of_last + mean @ self.of_mean
        if self.of_bias is not None:
            attention_queries = attention_queries + self.of_bias
        memory = Attend.apply(values, spread(read @ self.of_item), attention_queries, self.weigh, blocks)
        if empty is not None:
            alphas = (attention_queries + self.pad_vector @ self.of_item).sigmoid() @ self.weigh  # (N,)
            memory = memory + empty * alphas[:, None] * self.pad_vector
        return self.score_query(memory + mean if self.adds_mean else memory, last)

    @property
    def pad_vector(self) -> torch.Tensor:
        """RecBole's vector of an empty slot, (D,)."""
        return self.item_embedding[self.num_items]

    def score_query(self, memory: torch.Tensor | None, last: torch.Tensor) -> torch.Tensor:
        """h_s ⊙ h_t (N, D), or the one that the model has, from m (N, D) and m_t (N, D)."""
        cells = []
        if memory is not None:
            cells.append(torch.tanh(memory @ self.general + (0.0 if self.general_bias is None else self.general_bias)))
        if self.last_click:
            cells.append(torch.tanh(last @ self.current + (0.0 if self.current_bias is None else self.current_bias)))
        return self.dropout(cells[0] * cells[1] if len(cells) == 2 else cells[0])

    def encode_training(self, batch: PrefixBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode every prefix that has a target."""
        steps, rows = np.nonzero(batch.target_mask.T)
        queries = self.queries(batch.inputs, rows, steps + 1)
        place = np.empty(batch.target_mask.shape, dtype=np.int64)
        place[rows, steps] = np.arange(len(rows))
        return nn.functional.embedding(torch.from_numpy(place.ravel()).to(positions.device)[positions], queries)

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, self.num_items)
        wanted, inverse = np.unique(batch.query_positions[:, ::-1], axis=0, return_inverse=True)
        reads, rows = wanted.T
        some = int(np.searchsorted(reads, 1))
        nothing = self.item_embedding.new_zeros(some, self.item_embedding.shape[1])
        answers = [self.score_query(nothing if self.averages else None, nothing)]
        if some < len(rows):
            answers.append(self.queries(batch.items[:, : reads[-1]], rows[some:], reads[some:]))
        return torch.cat(answers)[torch.from_numpy(inverse.reshape(-1)).to(self.device)]
