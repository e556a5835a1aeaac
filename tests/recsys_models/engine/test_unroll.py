"""Every step of the engine: its states against NumPy, its reverse by finite differences and against autograd."""

import numpy as np
import pytest
import torch

from recsys_models.engine.activations import HARD_SIGMOID, tanh_
from recsys_models.engine.cells.gru import AttentionalGRUCell, GRUResetBeforeCell, RectifiedGRUCell
from recsys_models.engine.cells.gru_reset_after import GRUResetAfterCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.engine.cells.phased_lstm import PhasedLSTMCell
from recsys_models.engine.cells.time_lstm import TimeLSTM1Cell, TimeLSTM2Cell, TimeLSTM3Cell
from recsys_models.engine.unroll import unroll
from reference.parts import cells as oracles

T, B, E, H = 4, 3, 5, 2
ACTIVATION = {"sigmoid": oracles.sigmoid, "tanh": np.tanh}


def without_peepholes(a, h, c, U):
    return oracles.peephole_lstm(a, h, c, U, np.zeros((3, H)))


def timed(oracle, inner):
    return lambda a, h, c, U, p, *rest: oracle(a, rest[-1], h, c, U, p, *rest[:-1], ACTIVATION[inner])


def phased(a, h, c, U, p, period, shift, times):
    return oracles.phased_lstm(a, times, h, c, U, p, period, shift, 0.4, 0.1)


def gru_after(a, h, U, u):
    states = []
    for step in a:
        (r, z), n = (
            oracles.sigmoid(step[:, : 2 * H] + h @ U[:, : 2 * H]).reshape(-1, 2, H).swapaxes(0, 1),
            h @ U[:, 2 * H :] + u,
        )
        h = (1 - z) * np.tanh(step[:, 2 * H :] + r * n) + z * h
        states.append(h)
    return (np.stack(states),)


def mlstm_gate_inside(a, h, c, U, V, v):
    states = []
    for step in a:
        m = step[:, 4 * H :] * (h @ V + v)
        i, f, o, g = np.split(step[:, : 4 * H] + m @ U, 4, axis=1)
        c = oracles.sigmoid(f) * c + oracles.sigmoid(i) * np.tanh(g)
        h = np.tanh(oracles.sigmoid(o) * c)
        states.append((h, c))
    return tuple(map(np.stack, zip(*states, strict=True)))


def rectified_by_another(a, h, U, C, V, K, x, seen):
    states = []
    for step, own, other in zip(a, x, seen, strict=True):
        low, high = np.split(step[:, 3 * H :] + h @ K, 2, axis=1)
        passed = np.where(other < low, 0.0, np.where((low < other) & (other < high), 0.2, 1.0))
        (h,) = oracles.gru_before((step[:, : 3 * H] + (passed * own) @ V)[None], h, U, C)[0]
        states.append(h)
    return (np.stack(states),)


# name: cell, states, gates, shapes of the weights, widths of the extra inputs, oracle(a, states, weights, extra inputs)
CELLS = {
    "LSTM": (LSTMCell(peepholes=False), 2, 4, [(H, 4 * H)], [], without_peepholes),
    "peephole LSTM": (LSTMCell(), 2, 4, [(H, 4 * H), (3, H)], [], oracles.peephole_lstm),
    "mLSTM": (MLSTMCell(), 2, 5, [(H, 4 * H), (H, H), (H,)], [], oracles.mlstm),
    "Phased LSTM": (PhasedLSTMCell(0.4, 0.1), 2, 4, [(H, 4 * H), (3, H), (H,), (H,)], [1], phased),
    "mLSTM, gate inside": (
        MLSTMCell(gate_inside=True), 2, 5, [(H, 4 * H), (H, H), (H,)], [], mlstm_gate_inside),
    "GRU, reset after": (GRUResetAfterCell(), 1, 3, [(H, 3 * H), (H,)], [], gru_after),
    "rectified GRU, another compared": (
        RectifiedGRUCell(0.2), 1, 5, [(H, 2 * H), (H, H), (H, 3 * H), (H, 2 * H)], [H, H], rectified_by_another),
    "GRU": (GRUResetBeforeCell(), 1, 3, [(H, 2 * H), (H, H)], [], oracles.gru_before),
    "GRU, hard gates": (
        GRUResetBeforeCell(gate=HARD_SIGMOID), 1, 3, [(H, 2 * H), (H, H)], [],
        lambda a, h, U, C: oracles.gru_before(a, h, U, C, oracles.hard_sigmoid)),
    "rectified GRU": (
        RectifiedGRUCell(0.2), 1, 5, [(H, 2 * H), (H, H), (H, 3 * H), (H, 2 * H)], [H],
        lambda a, h, U, C, V, K, x: oracles.rectified_gru(a, x, h, U, C, V, K, 0.2)),
    "rectified GRU, candidate unfiltered": (
        RectifiedGRUCell(0.2), 1, 5, [(H, 2 * H), (H, H), (H, 2 * H), (H, 2 * H)], [H],
        lambda a, h, U, C, V, K, x: oracles.rectified_gru(a, x, h, U, C, V, K, 0.2)),
    "attentional GRU": (
        AttentionalGRUCell(), 1, 4, [(H, 2 * H), (H, H), (2 * H, 3 * H), (H, H)], [H, H],
        lambda a, h, U, C, M, A, e, x: oracles.attentional_gru(a, e, x, h, U, C, M, A)),
    "attentional GRU, transform first": (
        AttentionalGRUCell(gate_first=False), 1, 4, [(H, 2 * H), (H, H), (2 * H, 2 * H), (H, H)], [H] * 4,
        lambda a, h, U, C, M, A, *d: oracles.attentional_gru_transformed(a, *d, h, U, C, M, A)),
}  # fmt: skip
for inner in ACTIVATION:
    CELLS |= {
        f"Time-LSTM 1 {inner}": (
            TimeLSTM1Cell(inner), 2, 5, [(H, 4 * H), (3, H), (H,), (H,)], [1], timed(oracles.time_lstm_1, inner)),
        f"Time-LSTM 2 {inner}": (
            TimeLSTM2Cell(inner), 2, 6, [(H, 4 * H), (3, H), *[(H,)] * 3], [1], timed(oracles.time_lstm_2, inner)),
        f"Time-LSTM 3 {inner}": (
            TimeLSTM3Cell(inner), 2, 5, [(H, 3 * H), (2, H), *[(H,)] * 3], [1], timed(oracles.time_lstm_3, inner)),
    }  # fmt: skip


def case(name, dtype):
    cell, states, gates, shapes, extra_inputs, oracle = CELLS[name]
    generator = torch.Generator().manual_seed(len(name))

    def draw(*shape):
        return torch.randn(*shape, dtype=dtype, generator=generator, requires_grad=True)

    inputs = [draw(T, B, E), draw(E, gates * H), draw(gates * H), *[draw(B, H) for _ in range(states)]]
    inputs += [draw(*shape) for shape in shapes]
    given = [draw(T, B, width) for width in extra_inputs]
    if extra_inputs == [1]:  # a gap or a time: never negative, and without a gradient
        given = [given[0].detach().abs()]
    last = len(inputs)

    def run(x, W, b, *rest):
        by = rest[last - 3 :] or given
        return unroll(cell, x, W, b, rest[:states], rest[states : last - 3], by)

    return run, inputs + [extra_input for extra_input in given if extra_input.requires_grad], given, oracle


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_states_equal_the_equations(name, dtype, tolerance):
    run, inputs, given, oracle = case(name, dtype)
    with torch.no_grad():
        silent = run(*inputs)
    states = run(*inputs)
    constants = [extra_input for extra_input in given if not extra_input.requires_grad]
    x, W, b, *rest = [tensor.detach().double().numpy() for tensor in [*inputs, *constants]]
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
    hidden, cell = unroll(LSTMCell(peepholes=False), x, reordered(layer.weight_ih_l0), bias, (zero, zero),
                          (reordered(layer.weight_hh_l0),))  # fmt: skip
    expected, (_, last) = layer(x)
    assert torch.allclose(hidden, expected, atol=1e-6) and torch.allclose(cell[-1], last[0], atol=1e-6)


def test_inputs_without_a_matrix_and_a_bias_for_each_row():
    run, (x, W, b, *rest), _, _ = case("LSTM", torch.float64)
    rows = torch.randn(B, 4 * H, dtype=torch.float64, requires_grad=True)

    def hoisted(gates, rows, h, c, U):
        return unroll(LSTMCell(peepholes=False), gates, None, rows, (h, c), (U,))

    def with_rows(x, W, rows, h, c, U):
        return unroll(LSTMCell(peepholes=False), x, W, rows, (h, c), (U,))

    gates = (x @ W).detach().requires_grad_()
    for one, two in zip(hoisted(gates, b, *rest), run(x, W, b, *rest), strict=True):
        assert torch.allclose(one, two, rtol=1e-12)
    assert torch.autograd.gradcheck(hoisted, (gates, rows, *rest))
    assert torch.autograd.gradcheck(with_rows, (x, W, rows, *rest))


def test_a_narrow_matrix_fills_the_last_gates():
    run, (x, W, b, h, c, U), _, _ = case("LSTM", torch.float64)
    narrow = W[:, 3 * H :].detach().requires_grad_()

    def filled(x, narrow, b, h, c, U):
        return unroll(LSTMCell(peepholes=False), x, narrow, b, (h, c), (U,))

    wide = torch.cat([torch.zeros(E, 3 * H, dtype=torch.float64), narrow], dim=1)
    for one, two in zip(filled(x, narrow, b, h, c, U), run(x, wide, b, h, c, U), strict=True):
        assert torch.allclose(one, two, rtol=1e-12)
    assert torch.autograd.gradcheck(filled, (x, narrow, b, h, c, U))
    untouched = b.detach().clone()
    filled(x[:1, :1], narrow, b, h[:1], c[:1], U)  # one row of one step, where the bias has the gates' own shape
    assert torch.equal(b, untouched)


def test_the_rectified_gates_thresholds_get_no_gradient_unless_it_is_passed_straight_through():
    _, inputs, (x,), _ = case("rectified GRU", torch.float64)
    _, W, b, h, U, C, V, K, _ = inputs
    for straight_through in (False, True):
        cell = RectifiedGRUCell(0.2, straight_through=straight_through)
        (states,) = unroll(cell, inputs[0], W, b, (h,), (U, C, V, K), (x,))
        by_matrix, by_bias, by_thresholds = torch.autograd.grad(states.sum(), (W, b, K))
        assert (by_matrix[:, : 3 * H] != 0).all() and (by_bias[: 3 * H] != 0).all()
        for gradient in (by_matrix[:, 3 * H :], by_bias[3 * H :], by_thresholds):
            assert (gradient != 0).any() if straight_through else (gradient == 0).all()


def test_straight_through_takes_a_sigmoid_for_each_comparison():
    _, inputs, _, _ = case("rectified GRU", torch.float64)
    zero, slope, one = torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64)

    def naive(a, W, b, h, U, C, V, K, x):
        states = []
        for step, user in zip(a @ W + b, x, strict=True):
            low, high = (step[:, 3 * H :] + h @ K).chunk(2, dim=1)
            fixed = user.detach()
            hard = torch.where(fixed < low, zero, torch.where(fixed < high, slope, one))
            soft = 0.2 * torch.sigmoid(fixed - low) + 0.8 * torch.sigmoid(fixed - high)
            filtered = user * ((hard - soft).detach() + soft)
            u, r, k = (step[:, : 3 * H] + filtered @ V).chunk(3, dim=1)
            u, r = torch.sigmoid(torch.cat([u, r], dim=1) + h @ U).chunk(2, dim=1)
            h = (1 - u) * h + u * torch.tanh(k + (r * h) @ C)
            states.append(h)
        return torch.stack(states)

    def engine(a, W, b, h, U, C, V, K, x):
        return unroll(RectifiedGRUCell(0.2, straight_through=True), a, W, b, (h,), (U, C, V, K), (x,))[0]

    got, want = (torch.autograd.grad(f(*inputs).sum(), inputs) for f in (engine, naive))
    assert all(torch.allclose(a, b, rtol=1e-10) for a, b in zip(got, want, strict=True))


def test_the_fast_tanh_is_within_two_ten_millionths():
    x = torch.linspace(-20, 20, 100_001)
    assert (tanh_(x.clone()).double() - torch.tanh(x.double())).abs().max() < 2e-7
