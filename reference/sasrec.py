"""SASRec in both variants, one position of one history at a time; equations in recsys_models/sasrec.py."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_models.sasrec import SASRec
from reference.parts.histories import histories
from reference.parts.weights import arrays

Weights = dict[str, np.ndarray]


def scores(model: SASRec, batch: SequenceBatch) -> np.ndarray:
    """Scores (M, N) of every query."""
    w = arrays(model.network_)
    queries = np.stack([query(model, w, history.items.astype(np.int64)) for history in histories(batch)])
    return queries @ w["item_embedding"].T


def query(model: SASRec, w: Weights, items: np.ndarray) -> np.ndarray:
    """The query (D,) after ``items``."""
    official = model.variant == "official"
    read = items[max(0, len(items) - model.max_len) :]
    first = model.max_len - len(read) if model.positions == "from the end" else 0
    scale = np.sqrt(model.dim) if official else 1.0
    x = [w["position_embedding"][first + t] + (scale * w["item_embedding"][i] if i >= 0 else 0.0)
         for t, i in enumerate(read)]  # fmt: skip
    for number in range(model.blocks):
        x = block(model, w, f"blocks.{number}.", x)
    last = x[-1] if x else np.zeros(model.dim)
    return norm(w, "norm.", last) if official else last


def norm(w: Weights, prefix: str, x: np.ndarray) -> np.ndarray:
    """Layer normalisation of one vector."""
    return w[prefix + "gain"] * (x - x.mean()) / np.sqrt(x.var() + 1e-8) + w[prefix + "shift"]


def affine(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    """Multiply by W and add b, if there is one."""
    return x @ w[name] + w.get(name + "_bias", 0.0)


def block(model: SASRec, w: Weights, prefix: str, x: list[np.ndarray]) -> list[np.ndarray]:
    """The outputs of one block for each position."""
    official, size, out = model.variant == "official", model.dim // model.heads, []
    normed = [norm(w, prefix + "attention_norm.", v) for v in x]
    read = x if official else normed
    keys, values = ([affine(w, prefix + name, v) for v in read] for name in ("key", "value"))
    for t, own in enumerate(normed):
        q = affine(w, prefix + "query", own)
        heads = []
        for part in (slice(h * size, (h + 1) * size) for h in range(model.heads)):
            shares = np.exp([q[part] @ keys[j][part] / np.sqrt(size) for j in range(t + 1)])
            heads.append(sum(share * values[j][part] for j, share in enumerate(shares)) / shares.sum())
        state = (own if official else x[t]) + np.concatenate(heads)
        inside = norm(w, prefix + "forward_norm.", state)
        forward = affine(w, prefix + "outer", np.maximum(affine(w, prefix + "inner", inside), 0.0))
        out.append((inside if official else state) + forward)
    return out
