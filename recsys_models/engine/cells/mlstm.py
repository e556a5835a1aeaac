"""The multiplicative LSTM cell of the recurrent engine; equations in mlstm.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import sigmoid_backward, tanh_, tanh_backward
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, addmm, mm


class MLSTMCell:
    """An LSTM that reads m = n ⊙ (h V + v) in place of h, with n from the input.

    Gates (B, 5 H) in the order i, f, o, g, n; states h, c; weights U (H, 4 H), V (H, H), v (H,). gate_inside:
    h = tanh(o ⊙ c) instead of o ⊙ tanh(c).
    """

    states: ClassVar[int] = 2
    saved: ClassVar[dict[str, int]] = {"squashed cell": 1, "h V + v": 1, "m": 1}

    def __init__(self, *, gate_inside: bool = False) -> None:
        self.gate_inside = gate_inside

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' and c' from m."""
        (h, c), (new_h, new_c), (squashed, projected, mixed) = step.before, step.after, step.saved
        recurrent, turn, turn_bias = weights
        size = h.shape[1]
        addmm(turn_bias, h, turn, out=projected)
        torch.mul(step.gates[:, 4 * size :], projected, out=mixed)
        add_product_(step.gates[:, : 4 * size], mixed, recurrent)
        step.gates[:, : 3 * size].sigmoid_()
        i, f, o, g, _ = step.gates.chunk(5, dim=1)
        torch.mul(i, tanh_(g), out=new_c).addcmul_(f, c)
        if self.gate_inside:
            new_h.copy_(tanh_(torch.mul(o, new_c, out=squashed)))
        else:
            torch.mul(o, tanh_(squashed.copy_(new_c)), out=new_h)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and states."""
        (grad_h, grad_c), (squashed, projected, _) = grads, step.saved
        recurrent, turn, _ = weights
        i, f, o, g, n = step.gates.chunk(5, dim=1)
        grad_i, grad_f, grad_o, grad_g, grad_n = step.grad_gates.chunk(5, dim=1)
        if self.gate_inside:
            tanh_backward(grad_h, squashed, grad_input=grad_h)
            sigmoid_backward(grad_h * step.after[1], o, grad_input=grad_o)
            grad_c.addcmul_(grad_h, o)
        else:
            sigmoid_backward(grad_h * squashed, o, grad_input=grad_o)
            grad_c += tanh_backward(grad_h.mul_(o), squashed, grad_input=grad_h)
        sigmoid_backward(grad_c * g, i, grad_input=grad_i)
        sigmoid_backward(grad_c * step.before[1], f, grad_input=grad_f)
        tanh_backward(grad_c * i, g, grad_input=grad_g)
        grad_c *= f
        grad_mixed = mm(step.grad_gates[:, : recurrent.shape[1]], recurrent.T)
        torch.mul(grad_mixed, projected, out=grad_n)
        grad_projected = grad_mixed.mul_(n)
        add_product_(grad_sums[0], step.before[0].T, grad_projected)
        grad_sums[1] += grad_projected
        mm(grad_projected, turn.T, out=grad_h)

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """Sums for V (H, H) and, by row, for v (B, H)."""
        return [torch.zeros_like(weights[1]), torch.zeros_like(like)]

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U, V and v."""
        size = all_steps.before[0].shape[2]
        return (
            products(all_steps.saved[2], all_steps.grad_gates[..., : 4 * size]),
            grad_sums[0],
            grad_sums[1].sum(dim=0),
        )
