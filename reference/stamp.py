"""STAMP, STMP and STMO in their four readings, event by event; equations in recsys_models/stamp.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.stamp import STAMP, STMO, STMP
from reference.parts.cells import sigmoid
from reference.parts.histories import histories
from reference.parts.weights import arrays


def scores(model: STMP, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query."""
    w = arrays(model.network_)
    queries = np.stack([query(model, w, history.items.astype(np.int64)) for history in histories(batch)])
    return queries @ w["item_embedding"][: model.num_items_].T


def query(model: STMP, w: dict[str, np.ndarray], items: np.ndarray) -> np.ndarray:
    """The query (D,) after ``items``; of none, the two memories are 0."""
    table = w["item_embedding"]
    pad = table[-1]  # where there is one; it is not cut
    zero = np.zeros(table.shape[1])
    if model.lookup_norm is not None:
        table = np.stack([x * min(1.0, model.lookup_norm / np.sqrt((x * x).sum())) for x in table])
    read = items[max(0, len(items) - model.max_len) :]
    x = [table[item] if item >= 0 else zero for item in read]  # what training has not seen
    if model.variant == "recbole" and len(read):
        x += [pad] * (model.max_len - len(read))  # the pad vector in every empty slot
    last = x[len(read) - 1] if len(read) else zero
    mean = sum(x, zero) / max(1, len(read))
    memory = mean
    if isinstance(model, STAMP):
        attention = last @ w["of_last"] + mean @ w["of_mean"] + w.get("of_bias", zero)
        memory = sum((w["weigh"] @ sigmoid(e @ w["of_item"] + attention) * e for e in x), zero)
        memory = memory if model.variant == "paper" else memory + mean
    answer = np.ones_like(zero)
    if not isinstance(model, STMO):
        answer = answer * np.tanh(memory @ w["general"] + w.get("general_bias", zero))
    if model.last_click:
        answer = answer * np.tanh(last @ w["current"] + w.get("current_bias", zero))
    return answer
