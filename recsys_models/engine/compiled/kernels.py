"""The compiled loops over time, with their activation functions; steps as in the cells of engine/cells.

They share one file because numba does not rebuild a cached caller when a callee in another file changes.
"""

# ruff: noqa: ANN001, ANN201, ANN202  (numba infers these)

from __future__ import annotations

import math

import numba
import numpy as np
from numba.extending import overload

compiled = numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")  # products and sums may fuse, no more
ONE, HALF = np.float32(1.0), np.float32(0.5)  # exact, and they leave float32 and float64 what they are
# tanh x ≈ x P(x²) / Q(x²) on −9 … 9, the coefficients of Eigen's ptanh; within 4e-7 in float32
_BOUND = np.float32(9.0)
_P = tuple(np.float32(value) for value in (4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05,
           5.12229709037114e-08, -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16))  # fmt: skip
_Q = tuple(np.float32(value) for value in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04,
           1.19825839466702e-06))  # fmt: skip
_P0, _P1, _P2, _P3, _P4, _P5, _P6 = _P
_Q0, _Q1, _Q2, _Q3 = _Q


def tanh(value):
    """The hyperbolic tangent inside compiled code: exact in float64, a ratio of polynomials in float32."""
    return math.tanh(value)


@overload(tanh)
def _compiled_tanh(value):
    """The implementation for the type of ``value``."""
    if value == numba.float64:
        return lambda value: math.tanh(value)

    def ratio(value):
        x = _BOUND if value > _BOUND else (-_BOUND if value < -_BOUND else value)
        y = x * x
        above = _P0 + y * (_P1 + y * (_P2 + y * (_P3 + y * (_P4 + y * (_P5 + y * _P6)))))
        return x * above / (_Q0 + y * (_Q1 + y * (_Q2 + y * _Q3)))

    return ratio


@compiled
def sigmoid(value):
    """σ(x) = ½ + ½ tanh(x / 2)."""
    return HALF + HALF * tanh(HALF * value)


@compiled
def in_place(values, by_tanh):
    """Apply tanh or σ to every number."""
    for j in range(len(values)):
        values[j] = tanh(values[j]) if by_tanh else sigmoid(values[j])


@compiled
def time_lstm_forward(
    gates, gaps, h_before, c_before, h_after, c_after, squashed, inner, write,
    recurrent, peepholes, output_weight, gate_weight, by_tanh,
):  # fmt: skip
    """Write h' and c' for every step; gates i, f, o, g, T (T, B, 5 H), gaps (T, B, 1)."""
    steps, rows, size = h_before.shape
    four = np.empty((rows, 4 * size), gates.dtype)
    for t in range(steps):
        np.dot(h_before[t], recurrent, four)
        for b in range(rows):
            a, s, c, gap, thin = gates[t, b], four[b], c_before[t, b], gaps[t, b, 0], squashed[t, b]
            new_h, new_c, opened, passed = h_after[t, b], c_after[t, b], inner[t, b], write[t, b]
            for j in range(size):
                a[j] = sigmoid(a[j] + s[j] + c[j] * peepholes[0, j])
            for j in range(size):
                a[size + j] = sigmoid(a[size + j] + s[size + j] + c[j] * peepholes[1, j])
            for j in range(3 * size, 4 * size):
                a[j] = tanh(a[j] + s[j])
            if by_tanh:
                for j in range(size):
                    opened[j] = tanh(gap * gate_weight[j])
            else:
                for j in range(size):
                    opened[j] = sigmoid(gap * gate_weight[j])
            for j in range(size):
                a[4 * size + j] = sigmoid(a[4 * size + j] + opened[j])
            for j in range(size):
                passed[j] = a[j] * a[4 * size + j]
                new_c[j] = passed[j] * a[3 * size + j] + a[size + j] * c[j]
            for j in range(size):
                o = a[2 * size + j] + s[2 * size + j] + new_c[j] * peepholes[2, j] + gap * output_weight[j]
                a[2 * size + j] = sigmoid(o)
            for j in range(size):
                thin[j] = tanh(new_c[j])
                new_h[j] = a[2 * size + j] * thin[j]


@compiled
def time_lstm_backward(
    gates, gaps, c_before, c_after, squashed, inner, write, recurrent, peepholes, by_tanh,
    output_h, output_c, grad_gates, grad_h, grad_c, sums,
):  # fmt: skip
    """Write the gradients by the gates; ``grad_h`` and ``grad_c`` become those by the first states.

    sums (5, B, H): added up for the three peepholes, w_o and w.
    """
    steps, rows, size = c_before.shape
    four = np.empty((rows, 4 * size), gates.dtype)
    recurrent_turned = np.ascontiguousarray(recurrent.T)  # its products take half the time
    for t in range(steps - 1, -1, -1):
        for b in range(rows):
            a, c, new_c, gap = gates[t, b], c_before[t, b], c_after[t, b], gaps[t, b, 0]
            thin, opened, passed, left, out = squashed[t, b], inner[t, b], write[t, b], four[b], grad_gates[t, b]
            total_h, total_c, given_h = grad_h[b], grad_c[b], output_h[t, b]
            if len(output_c):
                given_c = output_c[t, b]
                for j in range(size):
                    total_c[j] += given_c[j]
            for j in range(size):
                o, grad, s = a[2 * size + j], total_h[j] + given_h[j], thin[j]
                by_o = grad * s * o * (ONE - o)
                left[2 * size + j] = by_o
                total_c[j] += grad * o * (ONE - s * s) + by_o * peepholes[2, j]
            for j in range(size):
                i, g, gate, grad = a[j], a[3 * size + j], a[4 * size + j], total_c[j]
                left[3 * size + j] = grad * passed[j] * (ONE - g * g)
                left[j] = grad * g * gate * i * (ONE - i)
                out[4 * size + j] = grad * g * i * gate * (ONE - gate)
            for j in range(size):
                f, grad = a[size + j], total_c[j]
                by_f = grad * c[j] * f * (ONE - f)
                left[size + j] = by_f
                total_c[j] = grad * f + left[j] * peepholes[0, j] + by_f * peepholes[1, j]
            for j in range(4 * size):
                out[j] = left[j]
            first, second, third = sums[0, b], sums[1, b], sums[2, b]
            for j in range(size):
                first[j] += left[j] * c[j]
                second[j] += left[size + j] * c[j]
            for j in range(size):
                third[j] += left[2 * size + j] * new_c[j]
            by_gap, by_gate = sums[3, b], sums[4, b]
            for j in range(size):
                by_gap[j] += left[2 * size + j] * gap
            for j in range(size):
                slope = ONE - opened[j] * opened[j] if by_tanh else opened[j] * (ONE - opened[j])
                by_gate[j] += out[4 * size + j] * slope * gap
        np.dot(four, recurrent_turned, grad_h)


@compiled
def mlstm_forward(
    gates, h_before, c_before, h_after, c_after, squashed, projected, mixed,
    recurrent, turn, turn_bias, inside,
):  # fmt: skip
    """Write h' and c' for every step; gates i, f, o, g, n (T, B, 5 H)."""
    steps, rows, size = h_before.shape
    four = np.empty((rows, 4 * size), gates.dtype)
    for t in range(steps):
        np.dot(h_before[t], turn, projected[t])
        for b in range(rows):
            a, turned, m = gates[t, b], projected[t, b], mixed[t, b]
            for j in range(size):
                turned[j] += turn_bias[j]
                m[j] = a[4 * size + j] * turned[j]
        np.dot(mixed[t], recurrent, four)
        for b in range(rows):
            a, s, c, new_h, new_c, thin = (
                gates[t, b],
                four[b],
                c_before[t, b],
                h_after[t, b],
                c_after[t, b],
                squashed[t, b],
            )
            for j in range(3 * size):
                a[j] = sigmoid(a[j] + s[j])
            for j in range(3 * size, 4 * size):
                a[j] = tanh(a[j] + s[j])
            for j in range(size):
                new_c[j] = a[j] * a[3 * size + j] + a[size + j] * c[j]
            if inside:
                for j in range(size):
                    thin[j] = tanh(a[2 * size + j] * new_c[j])
                    new_h[j] = thin[j]
            else:
                for j in range(size):
                    thin[j] = tanh(new_c[j])
                    new_h[j] = a[2 * size + j] * thin[j]


@compiled
def mlstm_backward(
    gates, c_before, c_after, squashed, projected, recurrent, turn, inside,
    output_h, output_c, grad_gates, grad_projected, grad_h, grad_c,
):  # fmt: skip
    """Write the gradients by the gates and by h V + v; ``grad_h`` and ``grad_c`` become those by the first states."""
    steps, rows, size = c_before.shape
    four, by_mixed = np.empty((rows, 4 * size), gates.dtype), np.empty((rows, size), gates.dtype)
    recurrent_turned, turn_turned = np.ascontiguousarray(recurrent.T), np.ascontiguousarray(turn.T)
    for t in range(steps - 1, -1, -1):
        for b in range(rows):
            a, c, new_c, thin = gates[t, b], c_before[t, b], c_after[t, b], squashed[t, b]
            total_h, total_c, given_h, left = grad_h[b], grad_c[b], output_h[t, b], four[b]
            if len(output_c):
                given_c = output_c[t, b]
                for j in range(size):
                    total_c[j] += given_c[j]
            for j in range(size):
                o, grad, s = a[2 * size + j], total_h[j] + given_h[j], thin[j]
                if inside:
                    grad *= ONE - s * s
                    left[2 * size + j] = grad * new_c[j] * o * (ONE - o)
                    total_c[j] += grad * o
                else:
                    left[2 * size + j] = grad * s * o * (ONE - o)
                    total_c[j] += grad * o * (ONE - s * s)
            for j in range(size):
                i, f, g, grad = a[j], a[size + j], a[3 * size + j], total_c[j]
                left[j] = grad * g * i * (ONE - i)
                left[size + j] = grad * c[j] * f * (ONE - f)
                left[3 * size + j] = grad * i * (ONE - g * g)
                total_c[j] = grad * f
        np.dot(four, recurrent_turned, by_mixed)
        for b in range(rows):
            a, out, left, by = gates[t, b], grad_gates[t, b], four[b], by_mixed[b]
            turned, down = projected[t, b], grad_projected[t, b]
            for j in range(4 * size):
                out[j] = left[j]
            for j in range(size):
                out[4 * size + j] = by[j] * turned[j]
                down[j] = by[j] * a[4 * size + j]
        np.dot(grad_projected[t], turn_turned, grad_h)


@compiled
def gru_forward(gates, before, after, reset, recurrent, candidate):
    """Write h' for every step; gates u, r, k (T, B, 3 H)."""
    steps, rows, size = before.shape
    both, one = np.empty((rows, 2 * size), gates.dtype), np.empty((rows, size), gates.dtype)
    for t in range(steps):
        np.dot(before[t], recurrent, both)
        for b in range(rows):
            a, h, s, kept = gates[t, b], before[t, b], both[b], reset[t, b]
            for j in range(2 * size):
                a[j] = sigmoid(a[j] + s[j])
            for j in range(size):
                kept[j] = a[size + j] * h[j]
        np.dot(reset[t], candidate, one)
        for b in range(rows):
            a, h, s, new = gates[t, b], before[t, b], one[b], after[t, b]
            for j in range(size):
                k = tanh(a[2 * size + j] + s[j])
                a[2 * size + j] = k
                new[j] = h[j] + a[j] * (k - h[j])


@compiled
def gru_backward(gates, before, recurrent, candidate, grad_output, grad_gates, grad_h):
    """Write the gradients by the gates; ``grad_h`` (B, H) becomes the gradient by the first state."""
    steps, rows, size = before.shape
    both, one = np.empty((rows, 2 * size), gates.dtype), np.empty((rows, size), gates.dtype)
    through, reset = np.empty((rows, size), gates.dtype), np.empty((rows, size), gates.dtype)
    recurrent_turned, candidate_turned = np.ascontiguousarray(recurrent.T), np.ascontiguousarray(candidate.T)
    for t in range(steps - 1, -1, -1):
        for b in range(rows):
            a, h, given, out = gates[t, b], before[t, b], grad_output[t, b], grad_gates[t, b]
            total, kept, left = grad_h[b], one[b], both[b]
            for j in range(size):
                u, k, grad = a[j], a[2 * size + j], total[j] + given[j]
                left[j] = (k - h[j]) * grad * u * (ONE - u)
                kept[j] = grad * u * (ONE - k * k)
                total[j] = grad * (ONE - u)
                out[j] = left[j]
                out[2 * size + j] = kept[j]
        np.dot(one, candidate_turned, reset)
        for b in range(rows):
            a, h, out, total, kept, left = gates[t, b], before[t, b], grad_gates[t, b], grad_h[b], reset[b], both[b]
            for j in range(size):
                r = a[size + j]
                left[size + j] = kept[j] * h[j] * r * (ONE - r)
                total[j] += kept[j] * r
                out[size + j] = left[size + j]
        np.dot(both, recurrent_turned, through)
        grad_h += through
