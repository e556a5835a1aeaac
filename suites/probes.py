"""Probes: what the papers' models are for, asked of planted data on which the answer is known.

Time-LSTM (Zhu et al. 2017) where the time since the last item decides the next; the official code's clamp of its time
gate against the paper's constraint, on gaps near the 1e5 seconds that the clamp speaks of and far from them; user-based
GRUs (Donkers et al. 2017) where users differ in their habits. The claims are Encore's own wording of what each paper
would have to expect; either outcome is an answer.
"""

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Ranking
from harness.spec import Experiment, Suite
from recsys_data.datasets.planted_gaps import DAY, PlantedGaps
from recsys_data.datasets.planted_habits import PlantedHabits
from recsys_data.protocols.by_user import DisjointUsers
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.protocols.targets import EVERY_POSITION
from recsys_models.time_lstm import LSTMT, PeepholeLSTM, TimeLSTM1, TimeLSTM2, TimeLSTM3
from recsys_models.user_gru import AttentionalUserGRU, LinearUserGRU, RectifiedUserGRU, StandardGRU

# 1. Gaps of minutes, of days, of months; the model is told when the next event happens, as in the paper and its code.
DAYS = PlantedGaps()
MINUTES = PlantedGaps(short=(10.0, 60.0), long=(120.0, 600.0))
MONTHS = PlantedGaps(short=(30 * DAY, 60 * DAY), long=(100 * DAY, 400 * DAY))
OTHER_USERS = DisjointUsers(test=0.3, validation=0.1, target_rule=EVERY_POSITION, expose_query_times=True)
TIMED = {"dim": 24, "max_len": 30, "batch_size": 8, "learning_rate": 0.02, "epochs": 20, "patience": 4}

WITH_GAPS = {
    "LSTM": PeepholeLSTM(**TIMED),
    "LSTM_T": LSTMT(**TIMED),
    "Time-LSTM 1": TimeLSTM1(**TIMED),
    "Time-LSTM 2": TimeLSTM2(**TIMED),
    "Time-LSTM 3": TimeLSTM3(**TIMED),
}

# 2. The clamp, which speaks of raw seconds: all else as in the code; and the same cell and LSTM_T in days, to show what
#    the unit does.
RAW = {**TIMED, "inner": "tanh", "time_unit": 1.0}
CLAMPS = {
    "Time-LSTM 2, w ≤ 0": TimeLSTM2(variant="paper", **RAW),
    "Time-LSTM 2, official clamp": TimeLSTM2(variant="official", **RAW),
    "Time-LSTM 3, w ≤ 0": TimeLSTM3(variant="paper", **RAW),
    "Time-LSTM 3, official clamp": TimeLSTM3(variant="official", **RAW),
    "LSTM_T, seconds": LSTMT(time_unit=1.0, **TIMED),
    "Time-LSTM 2, w ≤ 0, days": TimeLSTM2(variant="paper", **{**RAW, "time_unit": DAY}),
    "LSTM_T": WITH_GAPS["LSTM_T"],
}

# 3. Users with habits of their own; without dropout and L2, so that nothing but the user's vector is looked at.
HABITS = PlantedHabits()
PER_USER = PerUserFractions(train=0.7, validation=0.1, test=0.2)
SMALL = {"dim": 48, "batch_size": 20, "learning_rate": 0.01, "epochs": 30, "patience": 4, "dropout": 0.0}
OF_USERS = {**SMALL, "user_dropout": 0.0, "user_l2": 0.0}
WITH_USERS = {
    "Standard GRU": StandardGRU(**SMALL),
    "Linear user GRU": LinearUserGRU(**OF_USERS),
    "Rectified user GRU": RectifiedUserGRU(**OF_USERS),
    "Rectified user GRU, straight-through": RectifiedUserGRU(threshold_gradient="straight-through", **OF_USERS),
    "Attentional user GRU": AttentionalUserGRU(**OF_USERS),
}


def beats(better: str, worse: str, where: str, dataset: PlantedGaps | PlantedHabits) -> Ranking:
    """The claim that ``better`` beats ``worse`` on a data set."""
    return Ranking(f"{better} beats {worse} where {where}", better, worse, dataset.name, "MRR@20")


SPANS = {"gaps are of days": DAYS, "gaps are of minutes": MINUTES, "gaps are of months": MONTHS}
CLAIMS = [
    *(beats(f"Time-LSTM {n}", "LSTM", "gaps decide", DAYS) for n in (1, 2, 3)),
    *(beats(f"Time-LSTM {n}", "LSTM_T", "gaps decide", DAYS) for n in (1, 2, 3)),
    *(
        beats(f"Time-LSTM {n}, w ≤ 0", f"Time-LSTM {n}, official clamp", where, data)
        for where, data in SPANS.items()
        for n in (2, 3)
    ),
    beats("Time-LSTM 2, w ≤ 0, days", "LSTM_T", "gaps are of months", MONTHS),
    *(beats(name, "Standard GRU", "users differ in habits", HABITS) for name in WITH_USERS if name != "Standard GRU"),
    beats("Rectified user GRU, straight-through", "Rectified user GRU", "users differ in habits", HABITS),
    beats("Attentional user GRU", "Linear user GRU", "users differ in habits", HABITS),
]

SUITE = Suite(
    name="probes",
    title="Probes: gaps that decide, the clamp of Time-LSTM's code, users with habits",
    experiments=[
        Experiment(DAYS, OTHER_USERS, {**WITH_GAPS, **CLAMPS}),
        Experiment(MINUTES, OTHER_USERS, CLAMPS),
        Experiment(MONTHS, OTHER_USERS, CLAMPS),
        Experiment(HABITS, PER_USER, WITH_USERS),
    ],
    seeds=range(3),
    metrics=[MRR(20), Recall(20)],
    claims=CLAIMS,
    notes=[
        "The data are planted: where gaps decide, MRR@20 is 1 for who reads them and 0.75 for who does not; where "
        "habits decide, 0.745 for who knows a user's habit and 0.600 for who goes by the last item alone.",
        "The clamp w ≥ −1e−5 of the official code leaves tanh(−1e−5 Δ): near 1e5 seconds, about a day, it is the one "
        "thing that tells gaps apart, and beyond some days it is −1 for all.",
        "The rectified gate's thresholds get no gradient (tests/recsys_models/engine/test_unroll.py and "
        "test_user_gru.py show it is exactly zero); straight-through is Encore's own extension.",
    ],
)
