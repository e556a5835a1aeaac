"""The steps with other activations: states against NumPy, reverses by finite differences."""

import numpy as np
import pytest
import torch

from recsys_models.engine.activations import ACTIVATIONS
from recsys_models.engine.cells.elman import ElmanCell
from recsys_models.engine.cells.gru import GRUResetBeforeCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.unroll import unroll
from reference.parts.cells import sigmoid

T, B, H = 4, 3, 2
PHI = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0.0),
    "elu": lambda x: np.where(x > 0.0, x, np.expm1(x)),
}


def vanilla(a, phi, h, U):
    states = []
    for step in a:
        h = phi(step + h @ U)
        states.append(h)
    return np.stack(states)


def lstm(a, phi, h, c, U):
    states = []
    for step in a:
        i, f, o, g = np.split(step + h @ U, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * phi(g)
        h = sigmoid(o) * phi(c)
        states.append(h)
    return np.stack(states)


def gru(a, phi, h, U, C):
    states = []
    for step in a:
        u, r = np.split(sigmoid(step[:, : 2 * H] + h @ U), 2, axis=1)
        h = (1 - u) * h + u * phi(step[:, 2 * H :] + (r * h) @ C)
        states.append(h)
    return np.stack(states)


CELLS = {
    "vanilla": (ElmanCell, 1, 1, [(H, H)], vanilla),
    "LSTM": (lambda activation: LSTMCell(peepholes=False, activation=activation), 2, 4, [(H, 4 * H)], lstm),
    "GRU": (GRUResetBeforeCell, 1, 3, [(H, 2 * H), (H, H)], gru),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_states_and_reverse(name, activation):
    make, states, gates, shapes, oracle = CELLS[name]
    generator = torch.Generator().manual_seed(3)
    drawn = [(T, B, gates * H), (gates * H,), *[(B, H)] * states, *shapes]
    tensors = [torch.randn(*s, dtype=torch.float64, generator=generator, requires_grad=True) for s in drawn]

    def run(inputs, bias, *rest):
        return unroll(make(ACTIVATIONS[activation]), inputs, None, bias, rest[:states], rest[states:])

    a, b, *rest = (tensor.detach().numpy() for tensor in tensors)
    np.testing.assert_allclose(run(*tensors)[0].detach().numpy(), oracle(a + b, PHI[activation], *rest), atol=1e-12)
    assert torch.autograd.gradcheck(run, tensors)
