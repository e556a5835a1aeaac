"""Recurrent layers on the engine: the weights of a cell, its input side, and its states over many steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import nn

from recsys_models.engine.activations import TANH, Squash
from recsys_models.engine.cells.elman import VanillaStep
from recsys_models.engine.cells.gru import GRUStep
from recsys_models.engine.cells.gru_reset_after import GRUAfterStep
from recsys_models.engine.cells.lstm import LSTMStep
from recsys_models.engine.unroll import Cell, unroll


class RecurrentLayer(nn.Module):
    """One layer: input matrix ``weight`` (I, G), ``bias`` (G,), and what a subclass multiplies its states with.

    one_hot: the inputs are item numbers (T, B), each of which picks its row of ``weight``, instead of (T, B, I); a
    ``weight`` with an attribute ``row_sparse`` set true then gets a row-sparse gradient. Weights are not drawn here.
    """

    num_gates: ClassVar[int]

    def __init__(self, cell: Cell, num_inputs: int, size: int, *, one_hot: bool = False) -> None:
        super().__init__()
        self.cell, self.size, self.one_hot = cell, size, one_hot
        self.weight = nn.Parameter(torch.empty(num_inputs, self.num_gates * size))
        self.bias = nn.Parameter(torch.zeros(self.num_gates * size))

    def input_bias(self) -> torch.Tensor:
        """The bias of all gates, (G,)."""
        return self.bias

    def step_weights(self) -> tuple[torch.Tensor, ...]:
        """What the step multiplies the states with."""
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor, initial: Sequence[torch.Tensor] = ()) -> tuple[torch.Tensor, ...]:
        """The states after every step, (T, B, H) each, from zeros or from ``initial``, (B, H) each."""
        if not initial:
            initial = [self.weight.new_zeros(inputs.shape[1], self.size)] * self.cell.states
        if not self.one_hot:
            return unroll(self.cell, inputs, self.weight, self.input_bias(), initial, self.step_weights())
        sparse = getattr(self.weight, "row_sparse", False)
        gates = nn.functional.embedding(inputs, self.weight, sparse=sparse)
        return unroll(self.cell, gates, None, self.input_bias(), initial, self.step_weights())


class BeforeGRU(RecurrentLayer):
    """A GRU with the reset gate before the recurrent product and one bias; gates u, r, k."""

    num_gates = 3

    def __init__(self, num_inputs: int, size: int, *, one_hot: bool = False, squash: Squash = TANH) -> None:
        super().__init__(GRUStep(squash), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, 2 * size))
        self.candidate = nn.Parameter(torch.empty(size, size))

    def step_weights(self) -> tuple[torch.Tensor, ...]:
        """See RecurrentLayer."""
        return self.recurrent, self.candidate


class AfterGRU(RecurrentLayer):
    """A GRU with the reset gate after the recurrent product and two biases, as in torch; gates r, z, n."""

    num_gates = 3

    def __init__(self, num_inputs: int, size: int, *, one_hot: bool = False) -> None:
        super().__init__(GRUAfterStep(), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, 3 * size))
        self.recurrent_bias = nn.Parameter(torch.zeros(3 * size))

    def input_bias(self) -> torch.Tensor:
        """See RecurrentLayer; the second bias of r and z is one with the first."""
        return self.bias + nn.functional.pad(self.recurrent_bias[: 2 * self.size], (0, self.size))

    def step_weights(self) -> tuple[torch.Tensor, ...]:
        """See RecurrentLayer."""
        return self.recurrent, self.recurrent_bias[2 * self.size :]


class LSTMLayer(RecurrentLayer):
    """An LSTM, with peepholes or without; gates i, f, o, g; it answers with h and c."""

    num_gates = 4

    def __init__(
        self, num_inputs: int, size: int, *, one_hot: bool = False, squash: Squash = TANH, peepholes: bool = False
    ) -> None:
        super().__init__(LSTMStep(peepholes=peepholes, squash=squash), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, 4 * size))
        self.peephole = nn.Parameter(torch.empty(3, size)) if peepholes else None

    def step_weights(self) -> tuple[torch.Tensor, ...]:
        """See RecurrentLayer."""
        return (self.recurrent,) if self.peephole is None else (self.recurrent, self.peephole)


class VanillaLayer(RecurrentLayer):
    """An Elman layer; one gate."""

    num_gates = 1

    def __init__(self, num_inputs: int, size: int, *, one_hot: bool = False, squash: Squash = TANH) -> None:
        super().__init__(VanillaStep(squash), num_inputs, size, one_hot=one_hot)
        self.recurrent = nn.Parameter(torch.empty(size, size))

    def step_weights(self) -> tuple[torch.Tensor, ...]:
        """See RecurrentLayer."""
        return (self.recurrent,)
