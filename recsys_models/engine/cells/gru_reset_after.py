"""The GRU cell with the reset gate after the recurrent product, as in cuDNN and torch; equations in rnn.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import sigmoid_backward, tanh_, tanh_backward
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, addmm


class GRUResetAfterCell:
    """r, z = σ(a + h U), n = tanh(a_n + r ⊙ (h U_n + u)), h' = (1 − z) ⊙ n + z ⊙ h.

    Gates (B, 3 H) in torch's order r, z, n; weights U (H, 3 H) and u (H,), the bias inside the reset.
    """

    states: ClassVar[int] = 1
    saved: ClassVar[dict[str, int]] = {"h U_n + u": 1}

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' from r, z and n."""
        (h,), (projected,) = step.before, step.saved
        size = h.shape[1]
        r, z, n = step.gates.chunk(3, dim=1)
        addmm(weights[1], h, weights[0][:, 2 * size :], out=projected)
        add_product_(step.gates[:, : 2 * size], h, weights[0][:, : 2 * size]).sigmoid_()
        tanh_(n.addcmul_(r, projected))
        torch.lerp(n, h, z, out=step.after[0])

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and state."""
        (h,), (projected,), (grad_h,) = step.before, step.saved, grads
        size = h.shape[1]
        r, z, n = step.gates.chunk(3, dim=1)
        grad_r, grad_z, grad_n = step.grad_gates.chunk(3, dim=1)
        sigmoid_backward((h - n).mul_(grad_h), z, grad_input=grad_z)
        tanh_backward(torch.addcmul(grad_h, grad_h, z, value=-1.0), n, grad_input=grad_n)
        sigmoid_backward(grad_n * projected, r, grad_input=grad_r)
        grad_projected = grad_n * r
        add_product_(grad_sums[0], h.T, grad_projected)
        grad_sums[1] += grad_projected
        add_product_(grad_h.mul_(z), step.grad_gates[:, : 2 * size], weights[0][:, : 2 * size].T)
        add_product_(grad_h, grad_projected, weights[0][:, 2 * size :].T)

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """Sums for U_n (H, H) and, by row, for u (B, H)."""
        return [like.new_zeros(like.shape[1], like.shape[1]), torch.zeros_like(like)]

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U and u."""
        gates = products(all_steps.before[0], all_steps.grad_gates[..., : 2 * all_steps.before[0].shape[2]])
        return torch.cat([gates, grad_sums[0]], dim=1), grad_sums[1].sum(dim=0)
