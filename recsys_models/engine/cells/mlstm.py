"""The multiplicative LSTM's step for the recurrent engine; equations in mlstm.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import sigmoid_back, tanh_, tanh_back
from recsys_models.engine.unroll import At, Tensors, products


class MultiplicativeLSTMStep:
    """An LSTM that is given m = n ⊙ (h V + v) where it would read h, with n from the input.

    Gates (B, 5 H) in the order i, f, o, g, n; states h, c; weights U (H, 4 H), V (H, H), v (H,). gate_inside:
    h = tanh(o ⊙ c) instead of o ⊙ tanh(c).
    """

    states: ClassVar[int] = 2
    kept: ClassVar[dict[str, int]] = {"squashed cell": 1, "h V + v": 1, "m": 1}

    def __init__(self, *, gate_inside: bool = False) -> None:
        self.gate_inside = gate_inside

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h, c), (new_h, new_c), (squashed, turned, mixed) = at.before, at.after, at.kept
        recurrent, turn, turn_bias = weights
        size = h.shape[1]
        torch.addmm(turn_bias, h, turn, out=turned)
        torch.mul(at.gates[:, 4 * size :], turned, out=mixed)
        at.gates[:, : 4 * size].addmm_(mixed, recurrent)
        at.gates[:, : 3 * size].sigmoid_()
        i, f, o, g, _ = at.gates.chunk(5, dim=1)
        torch.mul(i, tanh_(g), out=new_c).addcmul_(f, c)
        if self.gate_inside:
            new_h.copy_(tanh_(torch.mul(o, new_c, out=squashed)))
        else:
            torch.mul(o, tanh_(squashed.copy_(new_c)), out=new_h)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (grad_h, grad_c), (squashed, turned, _) = grads, at.kept
        recurrent, turn, _ = weights
        i, f, o, g, n = at.gates.chunk(5, dim=1)
        grad_i, grad_f, grad_o, grad_g, grad_n = at.grad_gates.chunk(5, dim=1)
        if self.gate_inside:
            tanh_back(grad_h, squashed, grad_input=grad_h)
            sigmoid_back(grad_h * at.after[1], o, grad_input=grad_o)
            grad_c.addcmul_(grad_h, o)
        else:
            sigmoid_back(grad_h * squashed, o, grad_input=grad_o)
            grad_c += tanh_back(grad_h.mul_(o), squashed, grad_input=grad_h)
        sigmoid_back(grad_c * g, i, grad_input=grad_i)
        sigmoid_back(grad_c * at.before[1], f, grad_input=grad_f)
        tanh_back(grad_c * i, g, grad_input=grad_g)
        grad_c *= f
        grad_mixed = torch.mm(at.grad_gates[:, : recurrent.shape[1]], recurrent.T)
        torch.mul(grad_mixed, turned, out=grad_n)
        grad_turned = grad_mixed.mul_(n)
        sums[0].addmm_(at.before[0].T, grad_turned)
        sums[1] += grad_turned
        torch.mm(grad_turned, turn.T, out=grad_h)

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """For V (H, H) and, by row, for v (B, H)."""
        return [torch.zeros_like(weights[1]), torch.zeros_like(like)]

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        size = whole.before[0].shape[2]
        return products(whole.kept[2], whole.grad_gates[..., : 4 * size]), sums[0], sums[1].sum(dim=0)
