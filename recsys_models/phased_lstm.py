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

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel

if TYPE_CHECKING:
    from recsys_models.networks.network import Generators
    from recsys_models.networks.phased_lstm import PhasedNetwork

VARIANTS = ("paper", "official")


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
        from recsys_models.networks.phased_lstm import PhasedNetwork

        return PhasedNetwork(self, train.num_items, generators)
