"""GRU4Rec's cells and losses in float64 NumPy, written from the papers' equations and from nothing else."""

import numpy as np

from reference.parts.cells import sigmoid


def gru_before_z(x, h, W, b, U, C):
    """GRU4Rec's cell (2016, eqs. 1–4) for one step x (B, I): gates z, r and h̃ by blocks of W; h' = (1 − z) h + z h̃."""
    size = h.shape[1]
    a = x @ W + b
    z, r = np.split(sigmoid(a[:, : 2 * size] + h @ U), 2, axis=1)
    return (1 - z) * h + z * np.tanh(a[:, 2 * size :] + (r * h) @ C)


def torch_gru_step(x, h, W, b, U, u):
    """One step of the GRU with the reset after the product and two biases; blocks r, z, n."""
    size = h.shape[1]
    a, c = x @ W + b, h @ U + u
    r, z = np.split(sigmoid(a[:, : 2 * size] + c[:, : 2 * size]), 2, axis=1)
    return (1 - z) * np.tanh(a[:, 2 * size :] + r * c[:, 2 * size :]) + z * h


def sampled_cross_entropy(scores, taken):
    """Σ over rows of −log softmax of the diagonal, each column's score first lowered by ``taken``."""
    s = scores - taken
    return -(np.diag(s) - np.log(np.exp(s).sum(axis=1))).sum()


def bpr_max(scores, regularisation, elu):
    """Σ over rows i of −log Σ_j w_j σ(s_i − s_j) + λ Σ_j w_j s_j², j all columns but i's own."""
    s = np.where(scores > 0, scores, elu * np.expm1(scores)) if elu else scores
    total = 0.0
    for i, row in enumerate(s):
        rest = np.delete(row, i)
        w = np.exp(rest) / np.exp(rest).sum()
        total += -np.log((w * sigmoid(row[i] - rest)).sum()) + regularisation * (w * rest**2).sum()
    return total


def top1(scores, weighted):
    """Σ over rows of the mean, or softmax-weighted mean, over the other columns of σ(s_j − s_i) + σ(s_j²)."""
    total = 0.0
    for i, row in enumerate(scores):
        rest = np.delete(row, i)
        w = np.exp(rest) / np.exp(rest).sum() if weighted else np.full(len(rest), 1 / len(rest))
        total += (w * (sigmoid(rest - row[i]) + sigmoid(rest**2))).sum()
    return total
