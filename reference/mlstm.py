"""mLSTM and Spotlight's LSTM, scored by tied item vectors; equations in recsys_models/mlstm.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.mlstm import MLSTM, SpotlightLSTM
from reference.parts import cells
from reference.parts.histories import histories
from reference.parts.weights import arrays

OUTPUT = {"hidden": 0, "cell": 1}


def scores(model: SpotlightLSTM, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query. "official" padding: each row of the batch is filled up on the left with zeros."""
    w, found = arrays(model.network_), []
    longest = np.zeros(len(batch.items), dtype=np.int64)  # what each row's longest query reads
    np.maximum.at(longest, batch.query_positions[:, 0], batch.query_positions[:, 1])
    for (row, _), history in zip(batch.query_positions.tolist(), histories(batch), strict=True):
        pads = max(0, model.max_len - longest[row] - 1) if model.padding == "official" else 0
        found.append(_representation(model, w, history.items, pads))
    return np.stack(found) @ w["item_embedding"].T + w["item_bias"]


def _representation(model: SpotlightLSTM, w: dict[str, np.ndarray], items: np.ndarray, pads: int) -> np.ndarray:
    """The representation u (D,) after ``items``, with ``pads`` zero vectors read first."""
    read = w["item_embedding"][items.astype(np.int64)].reshape(-1, model.dim)
    x = np.concatenate([np.zeros((pads, model.dim)), read])[:, None]
    state = OUTPUT[model.output]
    if not isinstance(model, MLSTM):
        x, zero = np.concatenate([np.zeros((1, 1, model.dim)), x]), np.zeros((1, model.dim))
        a = x @ w["weight"] + w["bias"]
        return cells.peephole_lstm(a, zero, zero, w["recurrent"], np.zeros((3, model.dim)))[state][-1, 0]
    if len(x) == 0:
        return w["start"][0]
    bias = w["bias"] if model.biases else np.r_[w["bias"], np.zeros(model.dim)]
    v = w["hidden_bias"] if model.biases else np.zeros(model.dim)
    start, weights = w["start"], (w["recurrent"], w["hidden_weight"], v)
    found = cells.mlstm(x @ w["weight"] + bias, start, start, *weights, gate_inside=model.output_gate == "inside")
    return found[state][-1, 0]
