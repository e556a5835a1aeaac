"""The LSTM cell of the recurrent engine, with or without peepholes."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import TANH, Activation, sigmoid_backward
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, mm


class LSTMCell:
    """LSTM (Hochreiter and Schmidhuber 1997), with peepholes (Gers and Schmidhuber 2000) unless ``peepholes`` is false.

        i, f = σ(a_i + h U_i + p_i ⊙ c),  g = tanh(a_g + h U_g),  c' = f ⊙ c + i ⊙ g,
        o = σ(a_o + h U_o + p_o ⊙ c'),  h' = o ⊙ tanh(c')

    Gates (B, 4 H) in the order i, f, o, g; states h, c; weights U (H, 4 H) and, with peepholes, p (3, H) for i, f, o.
    activation: the function in place of tanh.
    """

    states: ClassVar[int] = 2
    saved: ClassVar[dict[str, int]] = {"squashed cell": 1}

    def __init__(self, *, peepholes: bool = True, activation: Activation = TANH) -> None:
        self.peepholes = peepholes
        self.activation = activation

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' and c'."""
        (h, c), (new_h, new_c), (squashed,) = step.before, step.after, step.saved
        rows, size = h.shape
        add_product_(step.gates, h, weights[0])
        write_keep, o, g = step.gates.split([2 * size, size, size], dim=1)
        if self.peepholes:
            write_keep.view(rows, 2, size).addcmul_(c[:, None], weights[1][:2])
        write_keep.sigmoid_()
        torch.mul(write_keep[:, :size], self.activation.apply_(g), out=new_c)
        new_c.addcmul_(write_keep[:, size:], c)
        if self.peepholes:
            o.addcmul_(new_c, weights[1][2])
        o.sigmoid_()
        torch.mul(o, self.activation.apply_(squashed.copy_(new_c)), out=new_h)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and states."""
        grad_h, grad_c = grads
        i, f, o, g = step.gates.chunk(4, dim=1)
        grad_i, grad_f, grad_o, grad_g = step.grad_gates.chunk(4, dim=1)
        (squashed,) = step.saved
        sigmoid_backward(grad_h * squashed, o, grad_input=grad_o)
        grad_c += self.activation.backward(grad_h.mul_(o), squashed, grad_input=grad_h)
        if self.peepholes:
            grad_c.addcmul_(grad_o, weights[1][2])
        sigmoid_backward(grad_c * g, i, grad_input=grad_i)
        sigmoid_backward(grad_c * step.before[1], f, grad_input=grad_f)
        self.activation.backward(grad_c * i, g, grad_input=grad_g)
        grad_c *= f
        if self.peepholes:
            grad_c.addcmul_(grad_i, weights[1][0]).addcmul_(grad_f, weights[1][1])
            grad_sums[0].addcmul_(grad_i, step.before[1])
            grad_sums[1].addcmul_(grad_f, step.before[1])
            grad_sums[2].addcmul_(grad_o, step.after[1])
        mm(step.grad_gates, weights[0].T, out=grad_h)

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """One sum per peephole."""
        return [torch.zeros_like(like) for _ in range(3)] if self.peepholes else []

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U and, with peepholes, p."""
        recurrent = products(all_steps.before[0], all_steps.grad_gates)
        return (recurrent, torch.stack([total.sum(dim=0) for total in grad_sums])) if self.peepholes else (recurrent,)
