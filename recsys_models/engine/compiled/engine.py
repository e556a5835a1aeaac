"""The compiled engine: Time-LSTM 1, the multiplicative LSTM and the GRU with reset before the product, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from recsys_models.engine.activations import ACTIVATIONS, SIGMOID, TANH
from recsys_models.engine.cells.gru import GRUResetBeforeCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.engine.cells.time_lstm import TimeLSTM1Cell
from recsys_models.engine.compiled import kernels
from recsys_models.engine.engine import Engine
from recsys_models.engine.unroll import RecurrentCell, StepTensors, Tensors, products


class CompiledLoop:
    """The loops of kernels.py; products outside the loop stay torch's."""

    fills_tapes = True

    def forward(self, cell: RecurrentCell, all_steps: StepTensors, weights: Tensors) -> None:
        """Run every step in machine code."""
        gates, given = all_steps.gates.numpy(), _arrays(weights)
        before, after, saved = (_arrays(each) for each in (all_steps.before, all_steps.after, all_steps.saved))
        if isinstance(cell, TimeLSTM1Cell):
            kernels.time_lstm_forward(gates, *_arrays(all_steps.extra_inputs), *before, *after, *saved, *given,
                                      cell.inner == ACTIVATIONS["tanh"])  # fmt: skip
        elif isinstance(cell, MLSTMCell):
            kernels.mlstm_forward(gates, *before, *after, *saved, *given, cell.gate_inside)
        else:
            kernels.gru_forward(gates, *before, *after, *saved, *given)

    def backward(
        self,
        cell: RecurrentCell,
        all_steps: StepTensors,
        weights: Tensors,
        grads: list[torch.Tensor],
        grad_sums: list[torch.Tensor],
        grad_outputs: Sequence[torch.Tensor | None],
    ) -> None:
        """Run every step backward in machine code."""
        gates, grad_gates, given = all_steps.gates.numpy(), all_steps.grad_gates.numpy(), _arrays(weights)
        before, after, saved = (_arrays(each) for each in (all_steps.before, all_steps.after, all_steps.saved))
        by_state, like = _arrays(grads), all_steps.before[0]
        by_h = np.zeros(like.shape, gates.dtype) if grad_outputs[0] is None else grad_outputs[0].contiguous().numpy()
        if isinstance(cell, GRUResetBeforeCell):
            kernels.gru_backward(gates, *before, *given, by_h, grad_gates, *by_state)
            return
        by_c = like.new_empty(0, *like.shape[1:]) if grad_outputs[1] is None else grad_outputs[1].contiguous()
        if isinstance(cell, TimeLSTM1Cell):
            sums = np.zeros((len(grad_sums), *like.shape[1:]), gates.dtype)
            kernels.time_lstm_backward(gates, *_arrays(all_steps.extra_inputs), before[1], after[1], *saved, *given[:2],
                                       cell.inner == ACTIVATIONS["tanh"], by_h, by_c.numpy(), grad_gates, *by_state,
                                       sums)  # fmt: skip
            for total, found in zip(grad_sums, sums, strict=True):
                total += torch.from_numpy(found)
        elif isinstance(cell, MLSTMCell):
            projected = torch.empty_like(like)
            kernels.mlstm_backward(gates, before[1], after[1], *saved[:2], *given[:2], cell.gate_inside, by_h,
                                   by_c.numpy(), grad_gates, projected.numpy(), *by_state)  # fmt: skip
            grad_sums[0] += products(like, projected)
            grad_sums[1] += projected.sum(dim=0)


def _supports(cell: RecurrentCell, device: str, dtype: torch.dtype) -> bool:
    """Whether there is a loop for the cell, which only runs on the CPU."""
    if type(cell) is GRUResetBeforeCell:
        known = (cell.activation, cell.gate) == (TANH, SIGMOID)
    else:
        known = type(cell) in (MLSTMCell, TimeLSTM1Cell)
    return known and device.startswith("cpu") and dtype in (torch.float32, torch.float64)


def _arrays(tensors: Tensors) -> list[np.ndarray]:
    """The tensors as arrays, copied where their rows do not lie side by side."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


COMPILED = Engine("compiled", CompiledLoop(), _supports)
