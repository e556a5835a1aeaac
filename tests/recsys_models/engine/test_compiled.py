"""The compiled engine: finite differences, the reference engine, small and large batches, fits and their keys."""

import dataclasses

import numpy as np
import pytest
import torch

from harness.cells.keys import engine_of
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.engine.activations import HARD_SIGMOID
from recsys_models.engine.cells.gru import GRUResetBeforeCell, RectifiedGRUCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.engine.cells.time_lstm import TimeLSTM1Cell, TimeLSTM2Cell
from recsys_models.engine.compiled.engine import COMPILED
from recsys_models.engine.compiled.kernels import in_place
from recsys_models.engine.engine import TORCH
from recsys_models.rnn import GRU
from recsys_models.time_lstm import TimeLSTM1
from recsys_models.user_gru import LinearUserGRU
from suites.zoo import NETWORKS
from training.run import Run, check_engine

H = 3  # gates in H; shapes of the weights; whether there are gaps
CELLS = {
    "Time-LSTM 1, tanh": (TimeLSTM1Cell("tanh"), 5, [(H, 4 * H), (3, H), (H,), (H,)], True),
    "Time-LSTM 1, sigmoid": (TimeLSTM1Cell("sigmoid"), 5, [(H, 4 * H), (3, H), (H,), (H,)], True),
    "mLSTM": (MLSTMCell(), 5, [(H, 4 * H), (H, H), (H,)], False),
    "mLSTM, gate inside": (MLSTMCell(gate_inside=True), 5, [(H, 4 * H), (H, H), (H,)], False),
    "GRU": (GRUResetBeforeCell(), 3, [(H, 2 * H), (H, H)], False),
}


def arguments(name, rows, steps, dtype):
    cell, gates, shapes, timed = CELLS[name]
    rng = np.random.default_rng(0)

    def draw(*shape):
        return torch.from_numpy(rng.standard_normal(shape)).to(dtype).requires_grad_()

    side = [draw(steps, rows, 2), draw(2, gates * H), draw(gates * H)]
    initial, weights = [draw(rows, H) for _ in range(cell.states)], [draw(*shape) for shape in shapes]
    return cell, side, initial, weights, [draw(steps, rows, 1).detach()] if timed else []


@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_is_that_of_finite_differences(name):
    cell, side, initial, weights, extra = arguments(name, 2, 3, torch.float64)
    count = len(initial)

    def states(*given):
        return COMPILED.unroll(cell, *given[:3], given[3 : 3 + count], given[3 + count :], extra)

    assert torch.autograd.gradcheck(states, [*side, *initial, *weights])


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("rows, steps", [(1, 1), (5, 7), (40, 4)])
def test_states_and_gradients_are_those_of_the_reference_engine(name, rows, steps):
    found = {}
    for engine, dtype in [(TORCH, torch.float64), (COMPILED, torch.float32), (COMPILED, torch.float64)]:
        cell, side, initial, weights, extra = arguments(name, rows, steps, dtype)
        states = engine.unroll(cell, *side, initial, weights, extra)
        (states[0].square().sum() + sum(s[-1].sum() for s in states[1:])).backward()
        found[engine.name, dtype] = [*states, *(each.grad for each in (*side, *initial, *weights))]
    exact = found.pop(("torch-unrolled", torch.float64))
    for (_, dtype), values in found.items():
        for ours, wanted in zip(values, exact, strict=True):
            error = (ours.double() - wanted).abs().max() / wanted.abs().max().clamp(min=1.0)
            assert error < (2e-5 if dtype == torch.float32 else 1e-12)


def test_the_activations_are_within_their_bound_of_numpy():
    values = np.concatenate([np.linspace(-20, 20, 400_001), [1e-30, -1e-9, 0.0]]).astype(np.float32)
    for tanh in (True, False):
        exact = np.tanh(values.astype(np.float64)) if tanh else 1 / (1 + np.exp(-values.astype(np.float64)))
        found = values.copy()
        in_place(found, tanh)
        assert np.abs(found - exact).max() < 4e-7
    nan = np.array([np.nan], np.float32)
    in_place(nan, True)
    assert np.isnan(nan[0])


def test_what_it_does_not_run_is_refused_in_one_sentence():
    for cell in (LSTMCell(), TimeLSTM2Cell("tanh"), RectifiedGRUCell(0.2), GRUResetBeforeCell(gate=HARD_SIGMOID)):
        assert not COMPILED.supports(cell, "cpu", torch.float32) and TORCH.supports(cell, "cpu", torch.float32)
    cell, *_ = CELLS["GRU"]
    assert not COMPILED.supports(cell, "cuda", torch.float32) and not COMPILED.supports(cell, "cpu", torch.float16)
    zero = torch.zeros(1, 1, 4 * H)
    with pytest.raises(ValueError, match="engine compiled does not run LSTMCell in torch.float32 on cpu: use --engine"):
        COMPILED.unroll(LSTMCell(), zero, None, zero[0, 0], [zero[0, :, :H]] * 2, [torch.zeros(H, 4 * H)])
    for engine, device, precision, message in [
        ("fast", "cpu", "float32", "unknown engine 'fast': expected torch or compiled"),
        ("compiled", "cuda:0", "float32", "engine compiled runs on the CPU, and the device is cuda:0"),
        ("compiled", "cpu", "bfloat16", "computes in float32, and the precision is bfloat16"),
    ]:
        with pytest.raises(ValueError, match=message):
            check_engine(engine, device, precision)


@pytest.mark.parametrize("name", NETWORKS)
def test_each_model_says_whether_the_engine_runs_it(name):
    chosen, plain = engine_of(NETWORKS[name], "cpu", "compiled"), engine_of(NETWORKS[name], "cpu")
    runs = name in ("Time-LSTM 1", "mLSTM", "Standard GRU", "Linear user GRU")
    assert chosen == ("compiled-cpu" if runs else plain)


FITTED = [TimeLSTM1(dim=6, gap="previous"), NETWORKS["mLSTM"], LinearUserGRU(dim=6), GRU(dim=6)]


@pytest.mark.parametrize("model", FITTED, ids=lambda model: type(model).__name__)
def test_a_fit_computes_with_what_its_key_says_and_repeats_its_bits(model, tmp_path):
    data = MarkovChainSequences(num_users=20, num_items=20, length=12).load()
    split = PerUserFractions(train=0.8, validation=0.1, test=0.1).prepare(data)
    model = dataclasses.replace(model, epochs=3, batch_size=5)

    def kill(record):
        if record["event"] == "epoch" and record["epoch"] == 2:
            raise KeyboardInterrupt

    def fitted(engine, folder=None, log=lambda record: None):
        run = Run(2, engine=engine, checkpoint=folder, log=log)
        found = dataclasses.replace(model).fit(split.train, run)
        assert found.engine_ == engine_of(model, "cpu", engine)
        return list(found.network_.state_dict().values())

    compiled, plain = fitted("compiled"), fitted("torch")
    with pytest.raises(KeyboardInterrupt):
        fitted("compiled", tmp_path, kill)
    assert all(map(torch.equal, compiled, fitted("compiled", tmp_path)))
    assert all(map(torch.equal, compiled, plain)) == isinstance(model, GRU)  # torch's own layer, whatever the engine
    assert all(torch.allclose(one, other, atol=5e-3) for one, other in zip(compiled, plain, strict=True))
