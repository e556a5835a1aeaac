"""Recurrent cells in float64 NumPy, one step at a time, written from the papers' equations and from nothing else."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def arrays(module):
    """The float64 copies of a network's weights by name."""
    return {name: weight.detach().double().numpy() for name, weight in module.named_parameters()}


def elman(x, W, U, b):
    """h_t = tanh(W x_t + U h_{t−1} + b) for x (T, B, E); all h, (T, B, H)."""
    h, out = np.zeros((x.shape[1], len(U))), []
    for step in x:
        h = np.tanh(step @ W.T + h @ U.T + b)
        out.append(h)
    return np.stack(out)


def gru_after(x, W, U, w, u):
    """Cho's GRU, reset after the product; W, U stacked as r, z, n."""
    size = U.shape[1]
    h, out = np.zeros((x.shape[1], size)), []
    for step in x:
        a, c = step @ W.T + w, h @ U.T + u
        r, z = sigmoid(a[:, :size] + c[:, :size]), sigmoid(a[:, size : 2 * size] + c[:, size : 2 * size])
        n = np.tanh(a[:, 2 * size :] + r * c[:, 2 * size :])
        h = (1 - z) * n + z * h
        out.append(h)
    return np.stack(out)


def lstm(x, W, U, b):
    """LSTM without peepholes; W, U stacked as i, f, g, o."""
    size = U.shape[1]
    h = c = np.zeros((x.shape[1], size))
    out = []
    for step in x:
        i, f, g, o = np.split(step @ W.T + h @ U.T + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.stack(out)
