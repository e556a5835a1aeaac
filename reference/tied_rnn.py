"""RNN-CCE, item by item; equations in recsys_models/tied_rnn.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.tied_rnn import RNNCCE
from reference.parts import cells
from reference.parts.histories import histories
from reference.parts.weights import arrays


def scores(model: RNNCCE, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query, each history cut to its last max_len items."""
    w, length = arrays(model.network_), model.max_len
    states = np.stack([state(model, w, h.items.astype(np.int64)[-length:]) for h in histories(batch)])
    return states @ w.get("output", w["item_embedding"]).T + w["item_bias"]


def state(model: RNNCCE, w: dict[str, np.ndarray], items: np.ndarray) -> np.ndarray:
    """The state h (H,) after ``items``."""
    size, activation = model.dim, cells.ACTIVATIONS[model.activation]
    h, c = np.concatenate([w.get("start", np.zeros((0, size))), np.zeros((2, size))])[:2]
    U, p = w["recurrent.0"], w.get("recurrent.1", np.zeros((3, size)))
    for item in items:
        x = w["item_embedding"][item]
        a = (x if "weight" not in w else x @ w["weight"]) + w["bias"]
        if model.cell == "vanilla":
            h = activation(a + h @ U)
        elif model.cell == "GRU":
            u, r = np.split(cells.sigmoid(a[: 2 * size] + h @ U), 2)
            h = (1 - u) * h + u * activation(a[2 * size :] + (r * h) @ w["recurrent.1"])
        else:
            i, f, o, g = np.split(a + h @ U, 4)
            new = cells.sigmoid(f + p[1] * c) * c + cells.sigmoid(i + p[0] * c) * activation(g)
            h, c = cells.sigmoid(o + p[2] * new) * activation(new), new
    return h
