"""Recurrent layers on the engine: the weights of a cell and its states over many steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from recsys_models.engine.activations import SIGMOID, TANH, Activation
from recsys_models.engine.cells.elman import ElmanCell
from recsys_models.engine.cells.gru import GRUResetBeforeCell
from recsys_models.engine.cells.gru_reset_after import GRUResetAfterCell
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.engine import TORCH, Engine
from recsys_models.engine.unroll import RecurrentCell


class RecurrentLayer(nn.Module):
    """The base of the layers: input matrix ``weight`` (I, G), ``bias`` (G,), and a subclass's recurrent weights.

    one_hot: the inputs are item numbers (T, B), each of which selects its row of ``weight``, instead of (T, B, I); a
    ``weight`` with the attribute ``row_sparse`` set true then gets a row-sparse gradient. The caller draws the weights.
    """

    engine: Engine = TORCH  # replaced for a fit on another engine
    num_gates: ClassVar[int]

    def __init__(self, cell: RecurrentCell, num_inputs: int, size: int, *, one_hot: bool = False) -> None:
        super().__init__()
        self.cell, self.size, self.one_hot = cell, size, one_hot
        self.weight = nn.Parameter(torch.empty(num_inputs, self.num_gates * size))
        self.bias = nn.Parameter(torch.zeros(self.num_gates * size))

    def input_bias(self) -> torch.Tensor:
        """The bias of all gates, (G,)."""
        return self.bias

    def cell_weights(self) -> tuple[torch.Tensor, ...]:
        """The weights that the cell takes at every step."""
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor, initial: Sequence[torch.Tensor] = ()) -> tuple[torch.Tensor, ...]:
        """The states after every step, (T, B, H) each, from zeros or from ``initial``, (B, H) each."""
        if not initial:
            initial = [self.weight.new_zeros(inputs.shape[1], self.size)] * self.cell.states
        if not self.one_hot:
            return self.engine.unroll(self.cell, inputs, self.weight, self.input_bias(), initial, self.cell_weights())
        sparse = getattr(self.weight, "row_sparse", False)
        gates = nn.functional.embedding(inputs, self.weight, sparse=sparse)
        return self.engine.unroll(self.cell, gates, None, self.input_bias(), initial, self.cell_weights())


class GRUResetBeforeLayer(RecurrentLayer):
    """A GRU with the reset gate before the recurrent product and one bias; gates u, r, k."""

    num_gates = 3

    def __init__(
        self,
        num_inputs: int,
        size: int,
        *,
        one_hot: bool = False,
        activation: Activation = TANH,
        gate: Activation = SIGMOID,
    ) -> None:
        super().__init__(GRUResetBeforeCell(activation, gate), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, 2 * size))
        self.candidate = nn.Parameter(torch.empty(size, size))

    def cell_weights(self) -> tuple[torch.Tensor, ...]:
        """U (H, 2 H) and C (H, H)."""
        return self.recurrent, self.candidate


class GRUResetAfterLayer(RecurrentLayer):
    """A GRU with the reset gate after the recurrent product and two biases, as in torch; gates r, z, n."""

    num_gates = 3

    def __init__(self, num_inputs: int, size: int, *, one_hot: bool = False) -> None:
        super().__init__(GRUResetAfterCell(), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, 3 * size))
        self.recurrent_bias = nn.Parameter(torch.zeros(3 * size))

    def input_bias(self) -> torch.Tensor:
        """The bias of all gates, with both biases of r and z added."""
        return self.bias + nn.functional.pad(self.recurrent_bias[: 2 * self.size], (0, self.size))

    def cell_weights(self) -> tuple[torch.Tensor, ...]:
        """U (H, 3 H) and the bias inside the reset, (H,)."""
        return self.recurrent, self.recurrent_bias[2 * self.size :]


class LSTMLayer(RecurrentLayer):
    """An LSTM, with peepholes or without; gates i, f, o, g; states h and c."""

    num_gates = 4

    def __init__(
        self,
        num_inputs: int,
        size: int,
        *,
        one_hot: bool = False,
        activation: Activation = TANH,
        peepholes: bool = False,
    ) -> None:
        super().__init__(LSTMCell(peepholes=peepholes, activation=activation), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, 4 * size))
        self.peephole = nn.Parameter(torch.empty(3, size)) if peepholes else None

    def cell_weights(self) -> tuple[torch.Tensor, ...]:
        """U (H, 4 H) and, with peepholes, p (3, H)."""
        return (self.recurrent,) if self.peephole is None else (self.recurrent, self.peephole)


class ElmanLayer(RecurrentLayer):
    """An Elman layer; one gate, U (H, H)."""

    num_gates = 1

    def __init__(self, num_inputs: int, size: int, *, one_hot: bool = False, activation: Activation = TANH) -> None:
        super().__init__(ElmanCell(activation), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, size))

    def cell_weights(self) -> tuple[torch.Tensor, ...]:
        """U (H, H)."""
        return (self.recurrent,)
