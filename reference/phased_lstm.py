"""The Phased LSTM; equations in recsys_models/phased_lstm.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.phased_lstm import PhasedLSTM
from reference.parts import cells
from reference.parts.histories import histories
from reference.parts.weights import arrays


def scores(model: PhasedLSTM, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query. A history's first event is at time 0, and so is START."""
    w = arrays(model.network_)
    leak = model.leak if model.variant == "official" else 0.0  # the code leaves it on at test
    zero, states = np.zeros((1, model.dim)), []
    for history in histories(batch):
        a = w["item_embedding"][history.items_with_start(len(w["item_embedding"]) - 1)][:, None] + w["bias"]
        since = history.times - history.times[0] if len(history.times) else history.times
        times = np.concatenate([[0.0], since])[:, None, None]
        hidden, _ = cells.phased_lstm(a, times, zero, zero, w["recurrent"], w["peepholes"], np.abs(w["period"]),
                                      w["shift"], model.open_share, leak)  # fmt: skip
        states.append(hidden[-1, 0])
    return np.stack(states) @ w["output"].T + w["item_bias"]
