"""The step of a GRU whose reset gate comes after the recurrent product, as in cuDNN and torch; equations in rnn.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import sigmoid_back, tanh_, tanh_back
from recsys_models.engine.unroll import At, Tensors, products


class GRUAfterStep:
    """r, z = σ(a + h U), n = tanh(a_n + r ⊙ (h U_n + u)), h' = (1 − z) ⊙ n + z ⊙ h.

    Gates (B, 3 H) in torch's order r, z, n; weights U (H, 3 H) and u (H,), the bias inside the reset.
    """

    states: ClassVar[int] = 1
    kept: ClassVar[dict[str, int]] = {"h U_n + u": 1}

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h,), (turned,) = at.before, at.kept
        size = h.shape[1]
        r, z, n = at.gates.chunk(3, dim=1)
        torch.addmm(weights[1], h, weights[0][:, 2 * size :], out=turned)
        at.gates[:, : 2 * size].addmm_(h, weights[0][:, : 2 * size]).sigmoid_()
        tanh_(n.addcmul_(r, turned))
        torch.lerp(n, h, z, out=at.after[0])

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (h,), (turned,), (grad_h,) = at.before, at.kept, grads
        size = h.shape[1]
        r, z, n = at.gates.chunk(3, dim=1)
        grad_r, grad_z, grad_n = at.grad_gates.chunk(3, dim=1)
        sigmoid_back((h - n).mul_(grad_h), z, grad_input=grad_z)
        tanh_back(torch.addcmul(grad_h, grad_h, z, value=-1.0), n, grad_input=grad_n)
        sigmoid_back(grad_n * turned, r, grad_input=grad_r)
        grad_turned = grad_n * r
        sums[0].addmm_(h.T, grad_turned)
        sums[1] += grad_turned
        grad_h.mul_(z).addmm_(at.grad_gates[:, : 2 * size], weights[0][:, : 2 * size].T)
        grad_h.addmm_(grad_turned, weights[0][:, 2 * size :].T)

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """For U_n (H, H) and, by row, for u (B, H)."""
        return [like.new_zeros(like.shape[1], like.shape[1]), torch.zeros_like(like)]

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        gates = products(whole.before[0], whole.grad_gates[..., : 2 * whole.before[0].shape[2]])
        return torch.cat([gates, sums[0]], dim=1), sums[1].sum(dim=0)
