"""NARM with every encoder and decoder, event by event; equations in recsys_models/narm.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.narm import NARM
from reference.parts.cells import gru_before, hard_sigmoid, sigmoid
from reference.parts.histories import histories
from reference.parts.weights import arrays


def scores(model: NARM, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query."""
    w = arrays(model.network_)
    contexts = np.stack([context(model, w, history.items.astype(np.int64)) for history in histories(batch)])
    if model.decoder == "full":
        return contexts @ w["output"].T + w["item_bias"]
    return contexts @ w["bilinear"].T @ w["item_embedding"].T


def context(model: NARM, w: dict[str, np.ndarray], items: np.ndarray) -> np.ndarray:
    """The vector c after ``items``: 0 after none."""
    if len(items) == 0:
        return np.zeros(model.dim * (2 if model.encoder == "hybrid" else 1))
    gate = hard_sigmoid if model.variant == "official" else sigmoid
    zero = np.zeros(model.embedding_dim)
    x = np.stack([w["item_embedding"][i] if i >= 0 else zero for i in items[max(0, len(items) - model.max_len) :]])
    gates = (x @ w["gru.weight"] + w["gru.bias"])[:, None]
    (states,) = gru_before(gates, np.zeros((1, model.dim)), w["gru.recurrent"], w["gru.candidate"], gate)
    h = states[:, 0]
    if model.encoder == "global":
        return h[-1]
    alphas = np.array([w["weigh"] @ gate(h[-1] @ w["of_last"] + state @ w["of_state"]) for state in h])
    if model.variant == "official":
        alphas = np.exp(alphas - alphas.max())
        alphas = alphas / alphas.sum()
    local = sum(alpha * state for alpha, state in zip(alphas, h, strict=True))
    return local if model.encoder == "local" else np.concatenate([h[-1], local])
