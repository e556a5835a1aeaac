"""The Elman cell of the recurrent engine (Elman 1990); equations in tied_rnn.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import TANH, Activation
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, mm


class ElmanCell:
    """h' = φ(a + h U). Gates a (B, H); weights U (H, H); activation: φ."""

    states: ClassVar[int] = 1
    saved: ClassVar[dict[str, int]] = {}

    def __init__(self, activation: Activation = TANH) -> None:
        self.activation = activation

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' = φ(a + h U)."""
        step.after[0].copy_(self.activation.apply_(add_product_(step.gates, step.before[0], weights[0])))

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and state."""
        self.activation.backward(grads[0], step.gates, grad_input=step.grad_gates)
        mm(step.grad_gates, weights[0].T, out=grads[0])

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """No sums inside the loop."""
        return []

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradient of U."""
        return (products(all_steps.before[0], all_steps.grad_gates),)
