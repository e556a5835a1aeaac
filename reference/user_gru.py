"""The standard GRU of Donkers et al. and the linear, rectified and attentional user-based ones."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.user_gru import AttentionalUserGRU, LinearUserGRU, RectifiedUserGRU, StandardGRU
from reference.parts import cells
from reference.parts.histories import histories
from reference.parts.weights import arrays


def scores(model: StandardGRU, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query; a user unseen in training has the mean of all vectors."""
    w = arrays(model.network_)
    users = w.get("user_embedding", np.zeros((1, model.dim)))
    states = []
    for history in histories(batch):
        x = users[history.user] if 0 <= history.user < len(users) else users.mean(axis=0)
        states.append(_hidden(model, w, history.items_with_start(len(w["item_embedding"]) - 1), x)[-1])
    return np.stack(states) @ w["output"].T + w["item_bias"]


def _hidden(model: StandardGRU, w: dict[str, np.ndarray], items: np.ndarray, x: np.ndarray) -> np.ndarray:
    """States (T, H) for ``items`` of a user with vector x."""
    e = w["item_embedding"][items][:, None]
    x, size, b = np.broadcast_to(x, e.shape), model.dim, w["bias"]
    U, C, h = w["recurrent"], w["candidate"], np.zeros((1, model.dim))
    if isinstance(model, RectifiedUserGRU):
        a = e @ w["weight"] + b
        a[..., 5 * size - w["user_weight"].shape[1] :] += x @ w["user_weight"]
        return cells.rectified_gru(a, x, h, U, C, w["filtered"], w["thresholds"], model.slope)[0][:, 0]
    if isinstance(model, AttentionalUserGRU):
        a = np.broadcast_to(b, (len(e), 1, 4 * size)).copy()
        a[..., 3 * size :] += e @ w["weight"] + x @ w["user_weight"]
        if model.bracket == "gate first":
            return cells.attentional_gru(a, e, x, h, U, C, w["mixed"], w["attention"])[0][:, 0]
        turned = e @ w["turn_item"], x @ w["turn_user"]
        return cells.attentional_gru_transformed(a, e, x, *turned, h, U, C, w["mixed"], w["attention"])[0][:, 0]
    if isinstance(model, LinearUserGRU):
        a = np.concatenate([e, x], axis=2) @ np.concatenate([w["weight"], w["user_weight"]]) + b
        return cells.gru_before(a, h, U, C)[0][:, 0]
    return cells.gru_before(e @ w["weight"] + b, h, U, C)[0][:, 0]
