"""Time-LSTM 1, 2 and 3, and the LSTM and LSTM_T beside them.

Zhu, Li, Liao, Wang, Guan, Liu and Cai 2017, "What to do next: modeling user behaviors by Time-LSTM", IJCAI, 3602–3608;
official code DarryO/time_lstm. Row vectors; x_m is item m, one-hot; Δ_m the time from it to the next event.

LSTM, with peepholes:
    i_m = σ(x_m W_i + h_{m−1} U_i + p_i ⊙ c_{m−1} + b_i),  f_m = σ(x_m W_f + h_{m−1} U_f + p_f ⊙ c_{m−1} + b_f)
    g_m = tanh(x_m W_g + h_{m−1} U_g + b_g),  c_m = f_m ⊙ c_{m−1} + i_m ⊙ g_m
    o_m = σ(x_m W_o + h_{m−1} U_o + p_o ⊙ c_m + b_o),  h_m = o_m ⊙ tanh(c_m)
LSTM_T: the same with [x_m ; Δ_m] for x_m.
Time-LSTM 1, with φ an activation function:
    T_m = σ(x_m W_t + φ(Δ_m w_t) + b_t),  c_m = f_m ⊙ c_{m−1} + i_m ⊙ T_m ⊙ g_m,  o_m with Δ_m w_o added inside σ
Time-LSTM 2, w_1 ≤ 0:
    T1_m = σ(x_m W_1 + φ(Δ_m w_1) + b_1),  T2_m = σ(x_m W_2 + φ(Δ_m w_2) + b_2)
    c̃_m = f_m ⊙ c_{m−1} + i_m ⊙ T1_m ⊙ g_m,  which o_m and h_m see;  c_m = f_m ⊙ c_{m−1} + i_m ⊙ T2_m ⊙ g_m, carried
Time-LSTM 3, without f:
    c̃_m = (1 − i_m ⊙ T1_m) ⊙ c_{m−1} + i_m ⊙ T1_m ⊙ g_m,  c_m = (1 − i_m) ⊙ c_{m−1} + i_m ⊙ T2_m ⊙ g_m
Scores h_m V + b; the loss is a full softmax at every step.

Where paper and official code differ there is a field: ``variant`` (w_1 ≤ 0 as the paper demands, or w_1 ≥ −1e−5 as the
code clamps it, which leaves most units at −1e−5 without a gradient), ``inner`` (φ: the code takes tanh; the paper says
a sigmoid function), ``time_unit`` (the code's is 1 second; the paper's is not known), ``gap`` ("next": the model
reads the time until the next event, as in both; "previous": only the gap before the event it reads).

Departures: START is read before the first event, so that the first event is a target too and an empty history has an
answer; windows of a user's history where the code keeps the first max_len events only, shuffled where it keeps file
order; AdamW and early stopping by default (the code: AdaGrad 0.01, no stopping; optimiser=Adagrad() gives that);
embedding_dim puts an item embedding before the gates, None is the paper's one-hot input. The paper's constraint is kept
by projection before every training step. The code's options --bn (batch normalisation of the input) and --sigmoid_on (a
sigmoid of the raw gaps), off there, are not offered. Users are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.time_lstm import INNER_ACTIVATIONS, TimeLSTM1Cell, TimeLSTM2Cell, TimeLSTM3Cell
from recsys_models.engine.gaps import SEMANTICS, history_gaps, query_gaps, to_extra_input, training_gaps
from recsys_models.engine.unroll import RecurrentCell, unroll
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start
from recsys_models.next_item import NextItemModel
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout

VARIANTS = ("paper", "official")
OFFICIAL_CLAMP = -1e-5


@dataclass(kw_only=True)
class PeepholeLSTM(NextItemModel):
    """The paper's LSTM: peepholes, one-hot input, an output matrix of its own; see NextItemModel for other fields.

    embedding_dim: size of an item embedding before the gates, or None for one-hot input.
    """

    num_gates: ClassVar[int] = 4
    num_recurrent: ClassVar[int] = 4  # the gates with a recurrent product
    num_peepholes: ClassVar[int] = 3
    gate_weights: ClassVar[tuple[str, ...]] = ()  # the vectors that multiply the gap inside the step
    reads_gap: ClassVar[bool] = False  # the gap is part of the input, as in LSTM_T

    embedding_dim: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "embedding_dim", at_least=1, or_none=True)

    def cell(self) -> RecurrentCell:
        """The cell of the engine."""
        return LSTMCell()

    def network(self, train: TrainingSet, generators: Generators) -> TimeLSTMNetwork:
        """The network of all five models."""
        return TimeLSTMNetwork(self, train.num_items, generators)


@dataclass(kw_only=True)
class _TimeAware(PeepholeLSTM):
    """gap: "next" or "previous", see the module; time_unit: the seconds that a gap of 1 stands for."""

    clock: ClassVar[Clock] = Clock.RELATIVE
    signals: ClassVar[frozenset[str]] = frozenset({"order", "gaps"})

    gap: str = "next"
    time_unit: float = 86_400.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "gap", SEMANTICS)
        check_range(self, "time_unit", above=0, finite=True, unit="seconds")


@dataclass(kw_only=True)
class LSTMT(_TimeAware):
    """LSTM_T: the paper's LSTM with the gap as one more input."""

    reads_gap: ClassVar[bool] = True


@dataclass(kw_only=True)
class TimeLSTM1(_TimeAware):
    """Time-LSTM 1: one time gate on what is written. inner: φ, "sigmoid" or "tanh"."""

    num_gates: ClassVar[int] = 5
    gate_weights: ClassVar[tuple[str, ...]] = ("output_gap", "gap_0")
    cell_type: ClassVar[type[RecurrentCell]] = TimeLSTM1Cell

    inner: str = "sigmoid"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "inner", INNER_ACTIVATIONS)

    def cell(self) -> RecurrentCell:
        """The cell with its time gates."""
        return self.cell_type(self.inner)


@dataclass(kw_only=True)
class TimeLSTM2(TimeLSTM1):
    """Time-LSTM 2: a time gate for the next answer and one for what is carried.

    variant: how w_1 is bounded, "paper" (≤ 0) or "official" (≥ −1e−5).
    """

    num_gates: ClassVar[int] = 6
    gate_weights: ClassVar[tuple[str, ...]] = ("output_gap", "gap_1", "gap_2")
    cell_type: ClassVar[type[RecurrentCell]] = TimeLSTM2Cell

    variant: str = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "variant", VARIANTS)


@dataclass(kw_only=True)
class TimeLSTM3(TimeLSTM2):
    """Time-LSTM 3: as 2, with the forget gate replaced by one minus the input gate."""

    num_gates: ClassVar[int] = 5
    num_recurrent: ClassVar[int] = 3
    num_peepholes: ClassVar[int] = 2
    cell_type: ClassVar[type[RecurrentCell]] = TimeLSTM3Cell


class TimeLSTMNetwork(NextItemNetwork):
    """One of the five cells on one-hot or embedded items, and an output matrix."""

    def __init__(self, model: PeepholeLSTM, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.cell, self.timed, self.reads_gap = model.cell(), isinstance(model, _TimeAware), model.reads_gap
        self.gap, self.unit = getattr(model, "gap", ""), getattr(model, "time_unit", 1.0)
        self.variant, self.name = getattr(model, "variant", ""), type(model).__name__
        dim, width = model.dim, model.dim * model.num_gates
        embedding_dim = model.embedding_dim or width
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, embedding_dim))
        self.weight = None if model.embedding_dim is None else nn.Parameter(torch.empty(embedding_dim, width))
        self.gap_row = nn.Parameter(torch.empty(width)) if model.reads_gap else None
        self.recurrent = nn.Parameter(torch.empty(dim, dim * model.num_recurrent))
        self.peepholes = nn.Parameter(torch.empty(model.num_peepholes, dim))
        self.order = model.gate_weights  # a ParameterDict sorts by name
        self.gap_weights = nn.ParameterDict({name: nn.Parameter(torch.empty(dim)) for name in self.order})
        self.output = nn.Parameter(torch.empty(num_items, dim))
        self.bias = nn.Parameter(torch.zeros(width))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(model.dropout, generators.dropout)
        for name, weight in self.named_parameters():
            if name == "gap_weights.gap_1":
                nn.init.uniform_(weight, -1.0, 0.0, generator=generators.weights)
            elif name not in ("bias", "item_bias"):
                std = 0.01 if name == "output" else 0.1
                nn.init.normal_(weight, std=std, generator=generators.weights)

    @property
    def item_factors(self) -> torch.Tensor:
        """The output matrix, (num_items, H)."""
        return self.output

    def cell_weights(self) -> list[torch.Tensor]:
        """The weights that the cell takes at every step; w_1 within the bound of the variant."""
        weights = dict(self.gap_weights.items())
        if self.variant == "paper":
            weights["gap_1"] = weights["gap_1"].clamp(max=0.0)
        elif self.variant == "official":
            weights["gap_1"] = weights["gap_1"].clamp(min=OFFICIAL_CLAMP)
        return [self.recurrent, self.peepholes, *(weights[name] for name in self.order)]

    def inputs(self, items: torch.Tensor, gaps: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """The engine's inputs (T, B, ·) and their matrix; LSTM_T's include the gap."""
        if not self.reads_gap:
            return items, self.weight
        if self.weight is None:
            return items + gaps * self.gap_row, None
        return torch.cat([items, gaps], dim=2), torch.cat([self.weight, self.gap_row[None]])

    def unroll(
        self, items: torch.Tensor, gaps: torch.Tensor | None, initial: tuple[torch.Tensor, ...] | None = None
    ) -> tuple[torch.Tensor, ...]:
        """States h and c (T, B, H) after every step of item vectors (T, B, E) with gaps (T, B, 1)."""
        inputs, weight = self.inputs(items, gaps)
        zero = items.new_zeros(items.shape[1], len(self.recurrent))
        extra_inputs = [gaps] if self.gap_weights else []
        return unroll(self.cell, inputs, weight, self.bias, initial or (zero, zero), self.cell_weights(), extra_inputs)

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows, with their gaps."""
        if self.variant == "paper":
            with torch.no_grad():
                self.gap_weights["gap_1"].clamp_(max=0.0)
        items = self.dropout(self.embed(batch.inputs.T))  # (T, B, E)
        gaps = to_extra_input(training_gaps(batch, self.gap), self.unit, items) if self.timed else None
        hidden = self.unroll(items, gaps)[0]
        return self.dropout(hidden.transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query; with gap="next" its last step runs again with the query's own gap."""
        check_items(batch, len(self.item_bias))
        items = self.embed(items_with_start(batch).T)  # (1 + T, B, E)
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        gaps = to_extra_input(history_gaps(batch, self.gap, len(items)), self.unit, items) if self.timed else None
        states = self.unroll(items, gaps)
        if not (self.timed and self.gap == "next"):
            return states[0][reads, rows]
        before = tuple(torch.cat([torch.zeros_like(state[:1]), state])[reads, rows] for state in states)
        asked_gaps = to_extra_input(query_gaps(batch, self.name)[:, None], self.unit, items)
        return self.unroll(items[reads, rows][None], asked_gaps, before)[0][0]
