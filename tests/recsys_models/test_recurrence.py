"""Every step of the engine: its states against NumPy, its reverse by finite differences and against autograd."""

import numpy as np
import pytest
import torch

from recsys_models.lstm_step import LSTMStep
from recsys_models.mlstm_step import MultiplicativeLSTMStep
from recsys_models.recurrence import unroll
from recsys_models.squash import tanh_
from recsys_models.time_lstm_step import TimeLSTM1Step, TimeLSTM2Step, TimeLSTM3Step
from tests.recsys_models import oracles

T, B, E, H = 4, 3, 5, 2
SQUASH = {"sigmoid": oracles.sigmoid, "tanh": np.tanh}


def without_peepholes(a, h, c, U):
    return oracles.peephole_lstm(a, h, c, U, np.zeros((3, H)))


def timed(oracle, inner):
    return lambda a, h, c, U, p, *rest: oracle(a, rest[-1], h, c, U, p, *rest[:-1], SQUASH[inner])


# name: cell, states, gates, shapes of the step's weights, widths of its drives, oracle(a, states, weights, drives)
CELLS = {
    "LSTM": (LSTMStep(peepholes=False), 2, 4, [(H, 4 * H)], [], without_peepholes),
    "peephole LSTM": (LSTMStep(), 2, 4, [(H, 4 * H), (3, H)], [], oracles.peephole_lstm),
    "mLSTM": (MultiplicativeLSTMStep(), 2, 5, [(H, 4 * H), (H, H), (H,)], [], oracles.mlstm),
}
for inner in SQUASH:
    CELLS |= {
        f"Time-LSTM 1 {inner}": (
            TimeLSTM1Step(inner), 2, 5, [(H, 4 * H), (3, H), (H,), (H,)], [1], timed(oracles.time_lstm_1, inner)),
        f"Time-LSTM 2 {inner}": (
            TimeLSTM2Step(inner), 2, 6, [(H, 4 * H), (3, H), *[(H,)] * 3], [1], timed(oracles.time_lstm_2, inner)),
        f"Time-LSTM 3 {inner}": (
            TimeLSTM3Step(inner), 2, 5, [(H, 3 * H), (2, H), *[(H,)] * 3], [1], timed(oracles.time_lstm_3, inner)),
    }  # fmt: skip


def case(name, dtype):
    cell, states, gates, shapes, drives, oracle = CELLS[name]
    generator = torch.Generator().manual_seed(len(name))

    def draw(*shape):
        return torch.randn(*shape, dtype=dtype, generator=generator, requires_grad=True)

    inputs = [draw(T, B, E), draw(E, gates * H), draw(gates * H), *[draw(B, H) for _ in range(states)]]
    inputs += [draw(*shape) for shape in shapes]
    given = [draw(T, B, width).detach().abs() for width in drives]  # gaps: no gradient, not negative

    def run(x, W, b, *rest):
        return unroll(cell, x, W, b, rest[:states], rest[states:], given)

    return run, inputs, given, oracle


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_states_equal_the_equations(name, dtype, tolerance):
    run, inputs, given, oracle = case(name, dtype)
    with torch.no_grad():
        silent = run(*inputs)
    states = run(*inputs)
    x, W, b, *rest = [tensor.detach().double().numpy() for tensor in [*inputs, *given]]
    expected = oracle(x @ W + b, *rest)
    for got, quiet, want in zip(states, silent, expected, strict=True):
        assert np.abs(got.detach().double().numpy() - want).max() < tolerance
        assert torch.equal(got, quiet)  # without a tape the same bits come out


@pytest.mark.parametrize("name", CELLS)
def test_the_reverse_equals_finite_differences(name):
    run, inputs, _, _ = case(name, torch.float64)
    assert torch.autograd.gradcheck(run, inputs)


def naive_lstm(x, W, b, h, c, U):
    states = []
    for step in x:
        i, f, o, g = (step @ W + b + h @ U).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append((h, c))
    return tuple(map(torch.stack, zip(*states, strict=True)))


def test_the_reverse_equals_autograd_through_the_plain_loop():
    run, inputs, _, _ = case("LSTM", torch.float64)
    weights = [torch.randn(T, B, H, dtype=torch.float64) for _ in range(2)]

    def gradients(states):
        return torch.autograd.grad(sum((w * s).sum() for w, s in zip(weights, states, strict=True)), inputs)

    for got, want in zip(gradients(run(*inputs)), gradients(naive_lstm(*inputs)), strict=True):
        assert torch.allclose(got, want, rtol=1e-10, atol=1e-12)


def test_the_engine_equals_torchs_lstm():
    layer = torch.nn.LSTM(E, H)
    x = torch.randn(T, B, E)
    order = torch.tensor([0, 1, 3, 2])  # torch's gates are i, f, g, o

    def reordered(weight):
        return weight.detach().view(4, H, -1)[order].reshape(4 * H, -1).T.contiguous()

    bias = reordered(layer.bias_ih_l0 + layer.bias_hh_l0)[0]
    zero = torch.zeros(B, H)
    hidden, cell = unroll(LSTMStep(peepholes=False), x, reordered(layer.weight_ih_l0), bias, (zero, zero),
                          (reordered(layer.weight_hh_l0),))  # fmt: skip
    expected, (_, last) = layer(x)
    assert torch.allclose(hidden, expected, atol=1e-6) and torch.allclose(cell[-1], last[0], atol=1e-6)


def test_inputs_without_a_matrix_and_a_bias_for_each_row():
    run, (x, W, b, *rest), _, _ = case("LSTM", torch.float64)
    rows = torch.randn(B, 4 * H, dtype=torch.float64, requires_grad=True)

    def hoisted(gates, rows, h, c, U):
        return unroll(LSTMStep(peepholes=False), gates, None, rows, (h, c), (U,))

    def with_rows(x, W, rows, h, c, U):
        return unroll(LSTMStep(peepholes=False), x, W, rows, (h, c), (U,))

    gates = (x @ W).detach().requires_grad_()
    for one, two in zip(hoisted(gates, b, *rest), run(x, W, b, *rest), strict=True):
        assert torch.allclose(one, two, rtol=1e-12)
    assert torch.autograd.gradcheck(hoisted, (gates, rows, *rest))
    assert torch.autograd.gradcheck(with_rows, (x, W, rows, *rest))


def test_the_fast_tanh_is_within_two_ten_millionths():
    x = torch.linspace(-20, 20, 100_001)
    assert (tanh_(x.clone()).double() - torch.tanh(x.double())).abs().max() < 2e-7
