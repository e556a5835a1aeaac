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
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel

if TYPE_CHECKING:
    from recsys_models.engine.unroll import RecurrentCell
    from recsys_models.networks.network import Generators
    from recsys_models.networks.time_lstm import TimeLSTMNetwork

VARIANTS = ("paper", "official")
GAPS = ("next", "previous")
INNER_ACTIVATIONS = ("sigmoid", "tanh")


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
        from recsys_models.engine.cells.lstm import LSTMCell

        return LSTMCell()

    def network(self, train: TrainingSet, generators: Generators) -> TimeLSTMNetwork:
        """The network of all five models."""
        from recsys_models.networks.time_lstm import TimeLSTMNetwork

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
        check_choice(self, "gap", GAPS)
        check_range(self, "time_unit", above=0, finite=True, unit="seconds")


@dataclass(kw_only=True)
class LSTMT(_TimeAware):
    """LSTM_T: the paper's LSTM with the gap as one more input."""

    reads_gap: ClassVar[bool] = True


@dataclass(kw_only=True)
class TimeLSTM1(_TimeAware):
    """Time-LSTM 1: one time gate on what is written. inner: φ, "sigmoid" or "tanh"."""

    num_gates: ClassVar[int] = 5
    has_compiled_loop: ClassVar[bool] = True
    gate_weights: ClassVar[tuple[str, ...]] = ("output_gap", "gap_0")
    cell_type: ClassVar[str] = "TimeLSTM1Cell"

    inner: str = "sigmoid"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "inner", INNER_ACTIVATIONS)

    def cell(self) -> RecurrentCell:
        """The cell with its time gates."""
        from recsys_models.engine.cells import time_lstm

        return getattr(time_lstm, self.cell_type)(self.inner)


@dataclass(kw_only=True)
class TimeLSTM2(TimeLSTM1):
    """Time-LSTM 2: a time gate for the next answer and one for what is carried.

    variant: how w_1 is bounded, "paper" (≤ 0) or "official" (≥ −1e−5).
    """

    num_gates: ClassVar[int] = 6
    has_compiled_loop: ClassVar[bool] = False
    gate_weights: ClassVar[tuple[str, ...]] = ("output_gap", "gap_1", "gap_2")
    cell_type: ClassVar[str] = "TimeLSTM2Cell"

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
    cell_type: ClassVar[str] = "TimeLSTM3Cell"
