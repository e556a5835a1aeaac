"""RNN, GRU and LSTM in all their forms, one history at a time; equations in recsys_models/rnn.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.rnn import GRU, LSTM, RNN
from reference.parts import cells
from reference.parts.histories import histories
from reference.parts.weights import arrays

Weights = dict[str, np.ndarray]


def scores(model: RNN, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query."""
    w = arrays(model.network_)
    state = _own_prefix if model.instances == "prefixes" else _whole
    states = np.stack([state(model, w, history.items.astype(np.int64)) for history in histories(batch)])
    queries = states if model.embedding_dim is None else states @ w["query.weight"].T + w["query.bias"]
    return queries @ w["item_embedding"][: model.num_items_].T + w["item_bias"]


def _whole(model: RNN, w: Weights, items: np.ndarray) -> np.ndarray:
    """The last layer's state (H,) after START and ``items``."""
    x = _read(model, w, np.append(model.num_items_, items), model.num_items_ + 1)
    if "recurrence.weight_ih_l0" in w:
        return _torch_layer(model, w, x)[-1]
    for number in range(1 + len(model.lower_layers)):
        x = layer_states(model, _layer(w, f"layers.{number}."), x)
    return x[-1]


def _own_prefix(model: RNN, w: Weights, items: np.ndarray) -> np.ndarray:
    """The state after the last of the last max_len ``items``, and that of reading them backwards after the first."""
    x = _read(model, w, items[-model.max_len :], model.num_items_)
    if len(x) == 0:
        return np.zeros(model.dim * (1 + model.bidirectional))
    for number in range(1 + len(model.lower_layers)):
        ahead = layer_states(model, _layer(w, f"layers.{number}."), x)
        if model.bidirectional:
            behind = layer_states(model, _layer(w, f"backward_layers.{number}."), x[::-1])[::-1]
            x = np.concatenate([ahead, behind], axis=1)
        else:
            x = ahead
    return np.concatenate([x[-1, : model.dim], x[0, model.dim :]])


def _read(model: RNN, w: Weights, items: np.ndarray, rows: int) -> np.ndarray:
    """The item vectors or one-hot items (T, ·)."""
    return np.eye(rows)[items] if model.embedding_dim is None else w["item_embedding"][items]


def _layer(w: Weights, prefix: str) -> Weights:
    """The weights of one layer by their own names."""
    return {name[len(prefix) :]: weight for name, weight in w.items() if name.startswith(prefix)}


def _torch_layer(model: RNN, w: Weights, x: np.ndarray) -> np.ndarray:
    """States (T, H) of torch's own layer, as it lays out its weights."""
    W, U = w["recurrence.weight_ih_l0"], w["recurrence.weight_hh_l0"]
    b, c = w["recurrence.bias_ih_l0"], w["recurrence.bias_hh_l0"]
    if isinstance(model, GRU):
        return cells.gru_after(x[:, None], W, U, b, c)[:, 0]
    return (cells.lstm if isinstance(model, LSTM) else cells.elman)(x[:, None], W, U, b + c)[:, 0]


def layer_states(model: RNN, w: Weights, x: np.ndarray) -> np.ndarray:
    """States (T, H) of one layer on the engine for inputs (T, I)."""
    phi, W, b, U = cells.ACTIVATIONS[model.activation], w["weight"], w["bias"], w["recurrent"]
    size = U.shape[0]
    h, c, found = np.zeros(size), np.zeros(size), []
    for a in x @ W + b:
        if isinstance(model, LSTM):
            i, f, o, g = np.split(a + h @ U, 4)
            p = w.get("peephole", np.zeros((3, size)))
            new = cells.sigmoid(f + p[1] * c) * c + cells.sigmoid(i + p[0] * c) * phi(g)
            h, c = cells.sigmoid(o + p[2] * new) * phi(new), new
        elif isinstance(model, GRU) and model.reset == "before":
            u, r = np.split(cells.sigmoid(a[: 2 * size] + h @ U), 2)
            h = (1 - u) * h + u * phi(a[2 * size :] + (r * h) @ w["candidate"])
        elif isinstance(model, GRU):
            turned = h @ U + w["recurrent_bias"]
            r, z = np.split(cells.sigmoid(a[: 2 * size] + turned[: 2 * size]), 2)
            h = (1 - z) * np.tanh(a[2 * size :] + r * turned[2 * size :]) + z * h
        else:
            h = phi(a + h @ U)
        found.append(h)
    return np.stack(found)
