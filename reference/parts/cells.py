"""Recurrent cells in float64 NumPy, one step at a time, written from the papers' equations alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
States = tuple[Array, ...]  # each (T, B, H)
Activation = Callable[[Array], Array]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^−x)."""
    return 1.0 / (1.0 + np.exp(-x))


def hard_sigmoid(x: Array) -> Array:
    """Theano's: 0.2 x + 0.5, cut to 0 … 1."""
    return np.clip(0.2 * x + 0.5, 0.0, 1.0)


ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0.0),
    "elu": lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))),
}


def elman(x: Array, W: Array, U: Array, b: Array) -> Array:
    """h_t = tanh(W x_t + U h_{t−1} + b) for x (T, B, E); all h, (T, B, H)."""
    h, out = np.zeros((x.shape[1], len(U))), []
    for step in x:
        h = np.tanh(step @ W.T + h @ U.T + b)
        out.append(h)
    return np.stack(out)


def gru_after(x: Array, W: Array, U: Array, w: Array, u: Array) -> Array:
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


def lstm(x: Array, W: Array, U: Array, b: Array) -> Array:
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


def peephole_lstm(a: Array, h: Array, c: Array, U: Array, p: Array) -> States:
    """The LSTM of Time-LSTM's paper from gates a (T, B, 4 H) in the order i, f, o, g."""
    states = []
    for step in a:
        i, f, o, g = np.split(step + h @ U, 4, axis=1)
        new = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * np.tanh(g)
        h, c = sigmoid(o + p[2] * new) * np.tanh(new), new
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def time_lstm_1(
    a: Array, gaps: Array, h: Array, c: Array, U: Array, p: Array, output_gap: Array, w: Array, activation: Activation
) -> States:
    """Time-LSTM 1 from gates a (T, B, 5 H) in the order i, f, o, g, T and gaps (T, B, 1)."""
    size, states = h.shape[1], []
    for step, gap in zip(a, gaps, strict=True):
        i, f, o, g = np.split(step[:, : 4 * size] + h @ U, 4, axis=1)
        gate = sigmoid(step[:, 4 * size :] + activation(gap * w))
        new = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * gate * np.tanh(g)
        h, c = sigmoid(o + gap * output_gap + p[2] * new) * np.tanh(new), new
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def time_lstm_2(
    a: Array,
    gaps: Array,
    h: Array,
    c: Array,
    U: Array,
    p: Array,
    output_gap: Array,
    w1: Array,
    w2: Array,
    activation: Activation,
) -> States:
    """Time-LSTM 2 from gates a (T, B, 6 H) in the order i, f, o, g, T1, T2."""
    size, states = h.shape[1], []
    for step, gap in zip(a, gaps, strict=True):
        i, f, o, g = np.split(step[:, : 4 * size] + h @ U, 4, axis=1)
        first = sigmoid(step[:, 4 * size : 5 * size] + activation(gap * w1))
        second = sigmoid(step[:, 5 * size :] + activation(gap * w2))
        keep, write = sigmoid(f + p[1] * c) * c, sigmoid(i + p[0] * c) * np.tanh(g)
        seen = keep + first * write
        h = sigmoid(o + gap * output_gap + p[2] * seen) * np.tanh(seen)
        c = keep + second * write
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def time_lstm_3(
    a: Array,
    gaps: Array,
    h: Array,
    c: Array,
    U: Array,
    p: Array,
    output_gap: Array,
    w1: Array,
    w2: Array,
    activation: Activation,
) -> States:
    """Time-LSTM 3 from gates a (T, B, 5 H) in the order i, o, g, T1, T2."""
    size, states = h.shape[1], []
    for step, gap in zip(a, gaps, strict=True):
        i, o, g = np.split(step[:, : 3 * size] + h @ U, 3, axis=1)
        first = sigmoid(step[:, 3 * size : 4 * size] + activation(gap * w1))
        second = sigmoid(step[:, 4 * size :] + activation(gap * w2))
        i, g = sigmoid(i + p[0] * c), np.tanh(g)
        seen = (1 - i * first) * c + i * first * g
        h = sigmoid(o + gap * output_gap + p[1] * seen) * np.tanh(seen)
        c = (1 - i) * c + i * second * g
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def mlstm(a: Array, h: Array, c: Array, U: Array, V: Array, v: Array, gate_inside: bool = False) -> States:
    """The multiplicative LSTM from gates a (T, B, 5 H) in the order i, f, o, g and the input's part of m.

    h = o ⊙ tanh(c), or with the gate inside tanh(o ⊙ c).
    """
    size, states = h.shape[1], []
    for step in a:
        m = step[:, 4 * size :] * (h @ V + v)
        i, f, o, g = np.split(step[:, : 4 * size] + m @ U, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = np.tanh(sigmoid(o) * c) if gate_inside else sigmoid(o) * np.tanh(c)
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def phased_lstm(
    a: Array,
    times: Array,
    h: Array,
    c: Array,
    U: Array,
    p: Array,
    period: Array,
    shift: Array,
    open_share: float,
    leak: float,
) -> States:
    """The Phased LSTM from gates a (T, B, 4 H) in the order i, f, o, g and times (T, B, 1)."""
    states = []
    for step, time in zip(a, times, strict=True):
        phase = np.mod(time - shift, period) / period
        k = np.where(phase < open_share / 2, 2 * phase / open_share,
                     np.where(phase < open_share, 2 - 2 * phase / open_share, leak * phase))  # fmt: skip
        i, f, o, g = np.split(step + h @ U, 4, axis=1)
        proposed = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * np.tanh(g)
        h = k * sigmoid(o + p[2] * proposed) * np.tanh(proposed) + (1 - k) * h
        c = k * proposed + (1 - k) * c
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def gru_before(a: Array, h: Array, U: Array, C: Array, gate: Activation = sigmoid) -> States:
    """The GRU of Donkers' eqs. 3–5 from gates a (T, B, 3 H) in the order u, r, k."""
    size, states = h.shape[1], []
    for step in a:
        u, r = np.split(gate(step[:, : 2 * size] + h @ U), 2, axis=1)
        k = np.tanh(step[:, 2 * size : 3 * size] + (r * h) @ C)
        h = (1 - u) * h + u * k
        states.append(h)
    return (np.stack(states),)


def rectified_gru(a: Array, users: Array, h: Array, U: Array, C: Array, V: Array, K: Array, slope: float) -> States:
    """Donkers' eqs. 6, 7 from gates a (T, B, 5 H) in the order u, r, k, κ1, κ2 and user vectors (T, B, H)."""
    size, states = h.shape[1], []
    for step, x in zip(a, users, strict=True):
        low, high = np.split(step[:, 3 * size :] + h @ K, 2, axis=1)
        filtered = np.where(x < low, 0.0, np.where((low < x) & (x < high), slope * x, x))
        step = step[:, : 3 * size].copy()
        step[:, : V.shape[1]] += filtered @ V
        (h,) = gru_before(step[None], h, U, C)[0]
        states.append(h)
    return (np.stack(states),)


def attentional_gru(a: Array, items: Array, users: Array, h: Array, U: Array, C: Array, M: Array, A: Array) -> States:
    """Donkers' eqs. 8–10, gate first, from gates a (T, B, 4 H) in the order u, r, k, ξ."""
    size, states = h.shape[1], []
    for step, e, x in zip(a, items, users, strict=True):
        xi = sigmoid(step[:, 3 * size :] + h @ A)
        mixed = np.concatenate([(1 - xi) * e, xi * x], axis=1) @ M
        (h,) = gru_before((step[:, : 3 * size] + mixed)[None], h, U, C)[0]
        states.append(h)
    return (np.stack(states),)


def attentional_gru_transformed(
    a: Array,
    items: Array,
    users: Array,
    projected_items: Array,
    projected_users: Array,
    h: Array,
    U: Array,
    C: Array,
    M: Array,
    A: Array,
) -> States:
    """The same with eq. 10's candidate given (1 − ξ) ⊙ (e M_e) + ξ ⊙ (x M_x)."""
    size, states = h.shape[1], []
    for step, e, x, te, tx in zip(a, items, users, projected_items, projected_users, strict=True):
        xi = sigmoid(step[:, 3 * size :] + h @ A)
        mixed = np.concatenate([np.concatenate([(1 - xi) * e, xi * x], axis=1) @ M, (1 - xi) * te + xi * tx], axis=1)
        (h,) = gru_before((step[:, : 3 * size] + mixed)[None], h, U, C)[0]
        states.append(h)
    return (np.stack(states),)
