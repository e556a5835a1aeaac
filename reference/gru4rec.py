"""GRU4Rec, its layers one after another over a whole session; equations in recsys_models/gru4rec.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.gru4rec import GRU4Rec
from reference.parts import cells
from reference.parts.histories import histories
from reference.parts.weights import arrays


def scores(model: GRU4Rec, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query; nothing read leaves the state at zero."""
    w = arrays(model.network_)
    states = [_state(model, w, history.items.astype(np.int64)) for history in histories(batch)]
    return np.stack(states) @ w["output"].T + w["bias"]


def _state(model: GRU4Rec, w: dict[str, np.ndarray], items: np.ndarray) -> np.ndarray:
    """The last layer's state (H,) after ``items``."""
    if len(items) == 0:
        return np.zeros(model.dim)
    x = {"tied": w["output"], "separate": w.get("table"), "one-hot": np.eye(len(w["output"]))}[model.inputs][items]
    x = x[:, None]
    for number in range(len(model.lower_layers) + 1):
        layer = {name: w.get(f"layers.{number}.{name}") for name in ("weight", "bias", "recurrent", "candidate")}
        size = len(layer["recurrent"])
        if layer["candidate"] is not None:
            gates = x @ layer["weight"] + layer["bias"]
            (x,) = cells.gru_before(gates, np.zeros((1, size)), layer["recurrent"], layer["candidate"])
        else:
            second = w[f"layers.{number}.recurrent_bias"]
            x = cells.gru_after(x, layer["weight"].T, layer["recurrent"].T, layer["bias"], second)
    return x[-1, 0]
