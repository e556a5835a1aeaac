"""The LSTM with peepholes, LSTM_T and Time-LSTM 1 to 3; equations in recsys_models/time_lstm.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.time_lstm import LSTMT, PeepholeLSTM, TimeLSTM1, TimeLSTM2, TimeLSTM3
from reference.parts import cells
from reference.parts.histories import History, histories
from reference.parts.weights import arrays


def scores(model: PeepholeLSTM, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query."""
    w = arrays(model.network_)
    states = np.stack([_hidden(model, w, history)[-1, 0] for history in histories(batch)])
    return states @ w["output"].T + w["item_bias"]


def gaps_of(history: History, semantics: str) -> np.ndarray:
    """The seconds given to START and to each item, (1 + T, 1, 1): 0 at START and where nothing came before.

    "next": until the next event, and at the last until the query; "previous": since the event before.
    """
    between = np.diff(history.times)
    if semantics == "next":
        last = [history.when - history.times[-1]] if len(history.times) else []
        return np.concatenate([[0.0], between, last])[:, None, None]
    return np.concatenate([[0.0] * (1 + min(1, len(history.times))), between])[:, None, None]


def _hidden(model: PeepholeLSTM, w: dict[str, np.ndarray], history: History) -> np.ndarray:
    """Hidden states (1 + T, 1, H) for START and the items."""
    x = w["item_embedding"][history.items_with_start(len(w["item_embedding"]) - 1)][:, None]
    if model.embedding_dim is not None:
        x = x @ w["weight"]
    timed = type(model) is not PeepholeLSTM
    gaps = gaps_of(history, model.gap) / model.time_unit if timed else None
    if isinstance(model, LSTMT):
        x = x + gaps * w["gap_row"]
    a, zero = x + w["bias"], np.zeros((1, model.dim))
    U, p = w["recurrent"], w["peepholes"]
    if not isinstance(model, TimeLSTM1):
        return cells.peephole_lstm(a, zero, zero, U, p)[0]
    activation = cells.sigmoid if model.inner == "sigmoid" else np.tanh
    output_gap = w["gap_weights.output_gap"]
    if not isinstance(model, TimeLSTM2):
        return cells.time_lstm_1(a, gaps, zero, zero, U, p, output_gap, w["gap_weights.gap_0"], activation)[0]
    first = w["gap_weights.gap_1"]
    first = np.minimum(first, 0) if model.variant == "paper" else np.maximum(first, -1e-5)
    cell = cells.time_lstm_3 if isinstance(model, TimeLSTM3) else cells.time_lstm_2
    return cell(a, gaps, zero, zero, U, p, output_gap, first, w["gap_weights.gap_2"], activation)[0]
