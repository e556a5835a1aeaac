"""RNN, GRU and LSTM as torch lays out their weights; equations in recsys_models/rnn.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.rnn import RNN
from witness import cells
from witness.histories import histories
from witness.weights import arrays


def scores(model: RNN, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query."""
    w = arrays(model.network_)
    W, U = w["recurrence.weight_ih_l0"], w["recurrence.weight_hh_l0"]
    b, c = w["recurrence.bias_ih_l0"], w["recurrence.bias_hh_l0"]
    read = {
        "RNN": lambda x: cells.elman(x, W, U, b + c),
        "GRU": lambda x: cells.gru_after(x, W, U, b, c),
        "LSTM": lambda x: cells.lstm(x, W, U, b + c),
    }[type(model).__name__]
    start = len(w["item_embedding"]) - 1
    states = np.stack([read(w["item_embedding"][h.with_start(start)][:, None])[-1, 0] for h in histories(batch)])
    queries = states @ w["query.weight"].T + w["query.bias"]
    return queries @ w["item_embedding"][:-1].T + w["item_bias"]
