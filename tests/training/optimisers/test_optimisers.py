import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from training.optimisers.optimisers import SGD, Adadelta, Adagrad, Adam, AdamW, Nesterov, RMSprop

GRADIENTS = [[1.0, -2.0], [0.5, 0.25], [-3.0, 0.0]]
RATE, DECAY = 0.1, 0.2


def plain_sgd(w, g, s, t):
    return w - RATE * (g + DECAY * w)


def momentum_sgd(w, g, s, t):
    s["v"] = 0.5 * s.get("v", 0) + g + DECAY * w
    return w - RATE * s["v"]


def nesterov(w, g, s, t):
    g = g + DECAY * w
    s["v"] = 0.8 * s.get("v", 0) + g
    return w - RATE * (g + 0.8 * s["v"])


def adagrad(start, eps, inside):
    def step(w, g, s, t):
        g = g + DECAY * w
        s["a"] = s.get("a", start) + g**2
        return w - RATE * g / (np.sqrt(s["a"] + eps) if inside else np.sqrt(s["a"]) + eps)

    return step


def momentum_adagrad(eps, inside):
    def step(w, g, s, t):
        g = g + DECAY * w
        s["a"] = s.get("a", 0.1) + g**2
        s["v"] = 0.6 * s.get("v", 0) - RATE * g / (np.sqrt(s["a"] + eps) if inside else np.sqrt(s["a"]) + eps)
        return w + s["v"]

    return step


def adadelta(w, g, s, t):
    g = g + DECAY * w
    s["a"] = 0.9 * s.get("a", 0) + 0.1 * g**2
    u = g * np.sqrt(s.get("b", 0) + 1e-3) / np.sqrt(s["a"] + 1e-3)
    s["b"] = 0.9 * s.get("b", 0) + 0.1 * u**2
    return w - RATE * u


def rmsprop(start, eps, inside):
    def step(w, g, s, t):
        g = g + DECAY * w
        s["a"] = 0.7 * s.get("a", start) + 0.3 * g**2
        return w - RATE * g / (np.sqrt(s["a"] + eps) if inside else np.sqrt(s["a"]) + eps)

    return step


def adam(decoupled):
    def step(w, g, s, t):
        w, g = (w - RATE * DECAY * w, g) if decoupled else (w, g + DECAY * w)
        s["m"] = 0.8 * s.get("m", 0) + 0.2 * g
        s["a"] = 0.6 * s.get("a", 0) + 0.4 * g**2
        return w - RATE * (s["m"] / (1 - 0.8**t)) / (np.sqrt(s["a"] / (1 - 0.6**t)) + 1e-2)

    return step


BY_HAND = [
    (SGD(), plain_sgd),
    (SGD(momentum=0.5), momentum_sgd),
    (Nesterov(momentum=0.8), nesterov),
    (Adagrad(), adagrad(0.0, 1e-6, True)),
    (Adagrad(initial_accumulator=0.1, eps=0.0), adagrad(0.1, 0.0, True)),
    (Adagrad(initial_accumulator=0.1, eps=1e-2, eps_inside=False), adagrad(0.1, 1e-2, False)),
    (Adagrad(initial_accumulator=0.1, momentum=0.6), momentum_adagrad(1e-6, True)),
    (Adagrad(initial_accumulator=0.1, eps=1e-2, eps_inside=False, momentum=0.6), momentum_adagrad(1e-2, False)),
    (Adadelta(rho=0.9, eps=1e-3), adadelta),
    (RMSprop(rho=0.7, eps=1e-2), rmsprop(0.0, 1e-2, True)),
    (RMSprop(rho=0.7, eps=1e-2, eps_inside=False), rmsprop(0.0, 1e-2, False)),
    (RMSprop(rho=0.7, initial_accumulator=1.0), rmsprop(1.0, 1e-6, True)),
    (Adam(beta1=0.8, beta2=0.6, eps=1e-2), adam(False)),
    (AdamW(beta1=0.8, beta2=0.6, eps=1e-2), adam(True)),
]


def weight():
    return nn.Parameter(torch.tensor([1.0, -0.5], dtype=torch.float64))


def stepped(optimiser, weight, gradients):
    for gradient in gradients:
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
    return weight.detach().numpy()


@pytest.mark.parametrize("value, rule", BY_HAND, ids=lambda v: getattr(v, "__name__", repr(v)))
def test_three_steps_by_hand(value, rule):
    one, expected, state = weight(), np.array([1.0, -0.5]), {}
    for t, gradient in enumerate(GRADIENTS, start=1):
        expected = rule(expected, np.array(gradient), state, t)
    assert stepped(value.build([one], RATE, DECAY), one, GRADIENTS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("value", [value for value, _ in BY_HAND], ids=repr)
def test_a_saved_optimiser_goes_on_as_if_nothing_had_happened(value):
    calm, killed = weight(), weight()
    expected = stepped(value.build([calm], RATE, DECAY), calm, GRADIENTS)
    first = value.build([killed], RATE, DECAY)
    stepped(first, killed, GRADIENTS[:1])
    second = value.build([killed], RATE, DECAY)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert np.array_equal(stepped(second, killed, GRADIENTS[1:]), expected)


@pytest.mark.parametrize(
    "fields", [{}, {"momentum": 0.6}, {"momentum": 0.6, "eps": 1e-2, "eps_inside": False}], ids=repr
)
def test_row_sparse_gradients_touch_their_rows_only(fields):
    dense, sparse = (nn.Parameter(torch.ones(4, 2, dtype=torch.float64)) for _ in range(2))
    optimisers = [Adagrad(**fields).build([w], RATE, 0.0) for w in (dense, sparse)]
    rows, values = torch.tensor([2, 0, 2]), torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]], dtype=torch.float64)
    sparse.grad = torch.sparse_coo_tensor(rows[None], values, (4, 2))  # row 2 twice: its gradients are summed first
    dense.grad = sparse.grad.to_dense()
    for optimiser in optimisers:
        optimiser.step()
    assert torch.allclose(dense, sparse, rtol=1e-12, atol=0.0) and sparse[1].tolist() == [1.0, 1.0]
    sparse.grad = torch.sparse_coo_tensor([[1]], [[1.0, 1.0]], (4, 2), dtype=torch.float64)
    before = sparse[[0, 2, 3]].clone()
    optimisers[1].step()
    assert torch.equal(sparse[[0, 2, 3]], before)  # no velocity carries rows on that are not looked up


def test_the_first_step_of_tensorflows_adagrad_is_shorter():
    # g = 0.1: Lasagne moves by about the learning rate, TensorFlow by η · 0.1 / √(0.1 + 0.01) = 0.3015 η
    steps = {}
    for start, eps in ((0.0, 1e-6), (0.1, 0.0)):
        one = weight()
        optimiser = Adagrad(initial_accumulator=start, eps=eps).build([one], RATE, 0.0)
        steps[start] = (1.0 - stepped(optimiser, one, [[0.1, 0.1]])[0]) / RATE
    assert steps[0.0] == pytest.approx(1.0, rel=1e-4) and steps[0.1] == pytest.approx(0.1 / math.sqrt(0.11))


@pytest.mark.parametrize("kind, fields, words", [
    (SGD, {"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1.0"),
    (Nesterov, {"momentum": 0.0}, "momentum must be above 0 and below 1, got 0.0"),
    (Adagrad, {"eps": -1.0}, "eps must be at least 0, got -1.0"),
    (Adagrad, {"initial_accumulator": -0.1}, "initial_accumulator must be at least 0, got -0.1"),
    (Adagrad, {"eps": 0.0}, "eps must be above 0 where accumulators start at 0, got 0.0"),
    (RMSprop, {"rho": 1.5}, "rho must be at least 0 and below 1, got 1.5"),
    (Adadelta, {"eps": 0.0}, "eps must be above 0 where accumulators start at 0, got 0.0"),
    (AdamW, {"beta1": 1.0}, "beta1 must be at least 0 and below 1, got 1.0"),
    (Adam, {"beta2": -0.1}, "beta2 must be at least 0 and below 1, got -0.1"),
])  # fmt: skip
def test_a_field_out_of_range_is_named(kind, fields, words):
    with pytest.raises(ValueError, match=words):
        kind(**fields)
