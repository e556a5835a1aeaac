"""PhasedLSTM: an LSTM whose units open and close with the time of the event.

Neil, Pfeiffer and Liu 2016, "Phased LSTM: accelerating recurrent network training for long or event-based sequences",
NIPS; as the baseline of Time-LSTM's code (DarryO/time_lstm, plstm.py, after dannyneil/public_plstm). For an event at
time t (seconds since the sequence's first event), by unit:

    φ = ((t − s) mod τ) / τ                                                                        (eq. 6)
    k = 2 φ / r for φ < r / 2,  2 − 2 φ / r for r / 2 ≤ φ < r,  α φ otherwise                       (eq. 7)
    c̃ = f ⊙ c_{−1} + i ⊙ g,  c = k ⊙ c̃ + (1 − k) ⊙ c_{−1}                                         (eqs. 8, 9)
    h̃ = o ⊙ tanh(c̃),  h = k ⊙ h̃ + (1 − k) ⊙ h_{−1}                                                (eqs. 10, 11)

with i, f, o and g those of the LSTM with peepholes (time_lstm.py; o sees c̃). τ and s are learnt, r = ``open_share`` is
fixed, α = ``leak``. Scores h V + b on one-hot input, a full softmax at every step.

``variant``: "paper" draws τ log-uniformly from ``periods`` and s from U(0, τ), and takes α = 0 outside training;
"official" draws τ from U(``periods``) and −s from U(0, 1000), keeps α at test (its predictor is built without the
deterministic flag), and begins with a forget bias of 2. The code's periods are 10 to 100 seconds; the default here, an
hour to thirty days, is for events that are hours and days apart.

The time is kept in float64 until the phase is taken: in float32 a time of 1e8 s is rounded to 8 s. The code's times are
wrong wherever an event was filtered away (it adds absolute times); ours are the events' own.

Departures: START is read before the first event, at time 0, and answers an empty history; windows instead of the first
max_len events; AdamW and early stopping by default (the code: AdaGrad 0.01). Users are ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.phased_lstm import PhasedLSTMCell
from recsys_models.engine.gaps import history_gaps, training_gaps
from recsys_models.engine.unroll import unroll
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start
from recsys_models.next_item import NextItemModel
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout

VARIANTS = ("paper", "official")
OFFICIAL_SHIFT = 1000.0


@dataclass(kw_only=True)
class PhasedLSTM(NextItemModel):
    """The Phased LSTM; periods: shortest and longest first τ in seconds; see the module and NextItemModel."""

    clock: ClassVar[Clock] = Clock.RELATIVE
    signals: ClassVar[frozenset[str]] = frozenset({"order", "time"})

    variant: str = "paper"
    periods: tuple[float, float] = (3_600.0, 2_592_000.0)
    open_share: float = 0.05
    leak: float = 0.001

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "variant", VARIANTS)
        if len(self.periods) != 2 or not 0.0 < self.periods[0] <= self.periods[1]:
            raise ValueError(f"periods must be two rising numbers of seconds above 0, got {self.periods}")
        check_range(self, "open_share", above=0, at_most=1)
        check_range(self, "leak", at_least=0, at_most=1)

    def network(self, train: TrainingSet, generators: Generators) -> PhasedNetwork:
        """The phased network."""
        return PhasedNetwork(self, train.num_items, generators)


class PhasedNetwork(NextItemNetwork):
    """The phased cell on one-hot items, and an output matrix."""

    def __init__(self, model: PhasedLSTM, num_items: int, generators: Generators) -> None:
        super().__init__()
        dim, generator = model.dim, generators.weights
        self.open_share, self.leak, self.leaks_at_test = model.open_share, model.leak, model.variant == "official"
        self.item_embedding = nn.Parameter(torch.empty(num_items + 1, 4 * dim))
        self.recurrent = nn.Parameter(torch.empty(dim, 4 * dim))
        self.peepholes = nn.Parameter(torch.empty(3, dim))
        self.bias = nn.Parameter(torch.zeros(4 * dim))
        self.output = nn.Parameter(torch.empty(num_items, dim))
        self.item_bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = Dropout(model.dropout, generators.dropout)
        for weight, std in (
            (self.item_embedding, 0.1),
            (self.recurrent, 0.1),
            (self.peepholes, 0.1),
            (self.output, 0.01),
        ):
            nn.init.normal_(weight, std=std, generator=generator)
        shortest, longest = model.periods
        if model.variant == "paper":
            period = torch.empty(dim).uniform_(math.log(shortest), math.log(longest), generator=generator).exp()
            shift = torch.rand(dim, generator=generator) * period
        else:
            period = torch.empty(dim).uniform_(shortest, longest, generator=generator)
            shift = torch.rand(dim, generator=generator) * -OFFICIAL_SHIFT
            with torch.no_grad():
                self.bias[dim : 2 * dim] = 2.0
        self.period, self.shift = nn.Parameter(period), nn.Parameter(shift)

    @property
    def item_factors(self) -> torch.Tensor:
        """The output matrix, (num_items, H)."""
        return self.output

    def hidden(self, items: np.ndarray, times: np.ndarray) -> torch.Tensor:
        """States h (T, B, H) after every step of items (B, T) at times (B, T), seconds since the first event."""
        gates = self.dropout(self.embed(items.T))
        clock = torch.from_numpy(np.ascontiguousarray(times.T)[..., None]).to(self.device)
        cell = PhasedLSTMCell(self.open_share, self.leak if self.training or self.leaks_at_test else 0.0)
        zero = gates.new_zeros(gates.shape[1], len(self.recurrent))
        weights = (self.recurrent, self.peepholes, self.period.abs(), self.shift)
        return unroll(cell, gates, None, self.bias, (zero, zero), weights, (clock,))[0]

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows; raise ValueError for a clock that runs backwards."""
        training_gaps(batch, "next")
        first = batch.sequences.timestamps[batch.sequences.offsets[batch.rows]]
        times = np.where(batch.target_mask, batch.input_times - first[:, None], 0.0)
        return self.dropout(self.hidden(batch.inputs, times).transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.item_bias))
        items = items_with_start(batch)
        times = np.cumsum(history_gaps(batch, "previous", items.shape[1]), axis=1)
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return self.hidden(items, times)[reads, rows]
