"""The LSTM's step for the recurrent engine: with peepholes or without, with Time-LSTM 1's gate or without."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import TANH, Squash, sigmoid_back
from recsys_models.engine.unroll import At, Tensors, products


class LSTMStep:
    """LSTM (Hochreiter and Schmidhuber 1997), with the peepholes of Gers and Schmidhuber (2000) unless switched off.

        i, f = σ(a_i + h U_i + p_i ⊙ c),  g = tanh(a_g + h U_g),  c' = f ⊙ c + i ⊙ g,
        o = σ(a_o + h U_o + p_o ⊙ c'),  h' = o ⊙ tanh(c')

    Gates (B, 4 H) in the order i, f, o, g; states h, c; weights U (H, 4 H) and, with peepholes, p (3, H) for i, f, o.
    squash: what stands in the place of tanh.
    """

    states: ClassVar[int] = 2
    kept: ClassVar[dict[str, int]] = {"squashed cell": 1}

    def __init__(self, *, peepholes: bool = True, squash: Squash = TANH) -> None:
        self.peepholes = peepholes
        self.squash = squash

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h, c), (new_h, new_c), (squashed,) = at.before, at.after, at.kept
        rows, size = h.shape
        at.gates.addmm_(h, weights[0])
        write_keep, o, g = at.gates.split([2 * size, size, size], dim=1)
        if self.peepholes:
            write_keep.view(rows, 2, size).addcmul_(c[:, None], weights[1][:2])
        write_keep.sigmoid_()
        torch.mul(write_keep[:, :size], self.squash.apply_(g), out=new_c)
        new_c.addcmul_(write_keep[:, size:], c)
        if self.peepholes:
            o.addcmul_(new_c, weights[1][2])
        o.sigmoid_()
        torch.mul(o, self.squash.apply_(squashed.copy_(new_c)), out=new_h)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        grad_h, grad_c = grads
        i, f, o, g = at.gates.chunk(4, dim=1)
        grad_i, grad_f, grad_o, grad_g = at.grad_gates.chunk(4, dim=1)
        (squashed,) = at.kept
        sigmoid_back(grad_h * squashed, o, grad_input=grad_o)
        grad_c += self.squash.back(grad_h.mul_(o), squashed, grad_input=grad_h)
        if self.peepholes:
            grad_c.addcmul_(grad_o, weights[1][2])
        sigmoid_back(grad_c * g, i, grad_input=grad_i)
        sigmoid_back(grad_c * at.before[1], f, grad_input=grad_f)
        self.squash.back(grad_c * i, g, grad_input=grad_g)
        grad_c *= f
        if self.peepholes:
            grad_c.addcmul_(grad_i, weights[1][0]).addcmul_(grad_f, weights[1][1])
            sums[0].addcmul_(grad_i, at.before[1])
            sums[1].addcmul_(grad_f, at.before[1])
            sums[2].addcmul_(grad_o, at.after[1])
        torch.mm(at.grad_gates, weights[0].T, out=grad_h)

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """One sum a peephole."""
        return [torch.zeros_like(like) for _ in range(3)] if self.peepholes else []

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        recurrent = products(whole.before[0], whole.grad_gates)
        return (recurrent, torch.stack([total.sum(dim=0) for total in sums])) if self.peepholes else (recurrent,)
