"""GRU cells with the reset gate before the recurrent product: standard, and with Donkers' user gates.

Equations in user_gru.py. Everywhere: state h; U (H, 2 H) for the gates u and r, C (H, H) for the candidate.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import SIGMOID, TANH, Activation, sigmoid_backward
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, mm


def gru_forward(
    gates: torch.Tensor,
    h: torch.Tensor,
    new_h: torch.Tensor,
    reset: torch.Tensor,
    weights: Tensors,
    activation: Activation = TANH,
    gate: Activation = SIGMOID,
) -> None:
    """Write the new state, and r ⊙ h into ``reset``, from gates u, r, k (B, 3 H) that lack the state's part."""
    size = h.shape[1]
    gate.apply_(add_product_(gates[:, : 2 * size], h, weights[0]))
    u, r, k = gates.chunk(3, dim=1)
    torch.mul(r, h, out=reset)
    activation.apply_(add_product_(k, reset, weights[1]))
    torch.lerp(h, k, u, out=new_h)  # (1 − u) h + u k


def gru_backward(
    gates: torch.Tensor,
    h: torch.Tensor,
    weights: Tensors,
    grad_h: torch.Tensor,
    out: torch.Tensor,
    activation: Activation = TANH,
    gate: Activation = SIGMOID,
) -> None:
    """Write the gradients of ``gru_forward`` by its gates into ``out`` (B, 3 H), by the old state into ``grad_h``."""
    size = h.shape[1]
    u, r, k = gates.chunk(3, dim=1)
    grad_u, grad_r, grad_k = out.chunk(3, dim=1)
    gate.backward((k - h).mul_(grad_h), u, grad_input=grad_u)
    activation.backward(grad_h * u, k, grad_input=grad_k)
    grad_h.addcmul_(grad_h, u, value=-1.0)
    grad_reset = mm(grad_k, weights[1].T)
    gate.backward(grad_reset * h, r, grad_input=grad_r)
    add_product_(grad_h.addcmul_(grad_reset, r), out[:, : 2 * size], weights[0].T)


class GRUResetBeforeCell:
    """The standard cell, also used by the linear user-based GRU. Gates u, r, k (B, 3 H); weights U, C.

    activation: the function in place of the candidate's tanh; gate: that in place of the gates' sigmoid.
    """

    states: ClassVar[int] = 1
    saved: ClassVar[dict[str, int]] = {"r h": 1}

    def __init__(self, activation: Activation = TANH, gate: Activation = SIGMOID) -> None:
        self.activation, self.gate = activation, gate

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' from u, r and k."""
        gru_forward(step.gates, step.before[0], step.after[0], step.saved[0], weights, self.activation, self.gate)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and state."""
        gru_backward(step.gates, step.before[0], weights, grads[0], step.grad_gates, self.activation, self.gate)

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """No sums inside the loop."""
        return []

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U and C."""
        size = all_steps.before[0].shape[2]
        gates, candidate = all_steps.grad_gates.split([2 * size, all_steps.grad_gates.shape[2] - 2 * size], dim=2)
        return products(all_steps.before[0], gates), products(all_steps.saved[0], candidate[..., :size])


class RectifiedGRUCell(GRUResetBeforeCell):
    """The rectified linear user-based cell.

    Gates u, r, k, κ1, κ2 (B, 5 H); extra inputs x (B, H), the user's vector, and optionally another vector to compare
    with the thresholds (without a gradient); weights U, C, V (H, 3 H), or (H, 2 H) if the candidate does not read the
    filtered vector, and K (H, 2 H) for the thresholds. slope: ω. The thresholds occur in comparisons only, so their
    gradient is zero; ``straight_through`` takes that of σ in place of the comparison.
    """

    saved: ClassVar[dict[str, int]] = {"r h": 1, "filtered": 1, "share": 1}

    def __init__(self, slope: float, *, straight_through: bool = False) -> None:
        self.slope = slope
        self.straight_through = straight_through

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Filter x, then write h'."""
        (h,), (reset, filtered, share), (x, *other) = step.before, step.saved, step.extra_inputs
        compared = other[0] if other else x
        size = h.shape[1]
        add_product_(step.gates[:, 3 * size :], h, weights[3])
        low, high = step.gates[:, 3 * size :].chunk(2, dim=1)
        share.fill_(1.0).masked_fill_((low < compared) & (compared < high), self.slope).masked_fill_(
            compared < low, 0.0
        )
        torch.mul(x, share, out=filtered)
        add_product_(step.gates[:, : weights[2].shape[1]], filtered, weights[2])
        gru_forward(step.gates[:, : 3 * size], h, step.after[0], reset, weights)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates, user's vector and state."""
        (h,), (_, _, share), (x, *other) = step.before, step.saved, step.extra_inputs
        compared = other[0] if other else x
        size = h.shape[1]
        gru_backward(step.gates[:, : 3 * size], h, weights, grads[0], step.grad_gates[:, : 3 * size])
        grad_filtered = mm(step.grad_gates[:, : weights[2].shape[1]], weights[2].T)
        torch.mul(grad_filtered, share, out=step.grad_extra_inputs[0])
        if other and step.grad_extra_inputs[1] is not None:
            step.grad_extra_inputs[1].zero_()
        if not self.straight_through:
            step.grad_gates[:, 3 * size :].zero_()
            return
        # the share of x that passes is ω [x > κ1] + (1 − ω) [x > κ2]; each bracket becomes σ(x − κ)
        low, high = step.gates[:, 3 * size :].chunk(2, dim=1)
        grad_low, grad_high = step.grad_gates[:, 3 * size :].chunk(2, dim=1)
        grad_share = grad_filtered.mul_(x)
        sigmoid_backward(grad_share * -self.slope, (compared - low).sigmoid_(), grad_input=grad_low)
        sigmoid_backward(grad_share * (self.slope - 1.0), (compared - high).sigmoid_(), grad_input=grad_high)
        add_product_(grads[0], step.grad_gates[:, 3 * size :], weights[3].T)

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U, C, V and K."""
        size = all_steps.before[0].shape[2]
        by_user = products(all_steps.saved[1], all_steps.grad_gates[..., : weights[2].shape[1]])
        by_threshold = products(all_steps.before[0], all_steps.grad_gates[..., 3 * size :])
        return *super().weight_gradients(all_steps, weights, grad_sums), by_user, by_threshold


class AttentionalGRUCell(GRUResetBeforeCell):
    """The attentional user-based cell.

    Gates u, r, k, ξ (B, 4 H); extra inputs the item's vector e and the user's x (B, H); weights U, C, M (2 H, 3 H) for
    [(1 − ξ) e ; ξ x], and A (H, H) for ξ. ``gate_first`` False is the other reading of eq. 10, in which the candidate
    gets (1 − ξ) ⊙ (e M_e) + ξ ⊙ (x M_x): M is then (2 H, 2 H), and e M_e and x M_x are two more extra inputs.
    """

    saved: ClassVar[dict[str, int]] = {"r h": 1, "mixed": 2}

    def __init__(self, *, gate_first: bool = True) -> None:
        self.gate_first = gate_first

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Weigh e against x, then write h'."""
        (h,), (reset, mixed), (e, x, *projected) = step.before, step.saved, step.extra_inputs
        size = h.shape[1]
        attention = add_product_(step.gates[:, 3 * size :], h, weights[3]).sigmoid_()
        torch.mul(attention, x, out=mixed[:, size:])
        torch.addcmul(e, e, attention, value=-1.0, out=mixed[:, :size])
        add_product_(step.gates[:, : weights[2].shape[1]], mixed, weights[2])
        if not self.gate_first:
            step.gates[:, 2 * size : 3 * size].add_(torch.lerp(projected[0], projected[1], attention))
        gru_forward(step.gates[:, : 3 * size], h, step.after[0], reset, weights)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates, both vectors and state."""
        (h,), (e, x, *projected) = step.before, step.extra_inputs
        size = h.shape[1]
        gru_backward(step.gates[:, : 3 * size], h, weights, grads[0], step.grad_gates[:, : 3 * size])
        attention, grad_attention = step.gates[:, 3 * size :], step.grad_gates[:, 3 * size :]
        grad_e, grad_x = mm(step.grad_gates[:, : weights[2].shape[1]], weights[2].T).chunk(2, dim=1)
        total = (grad_x * x).addcmul_(grad_e, e, value=-1.0)
        torch.mul(grad_x, attention, out=step.grad_extra_inputs[1])
        torch.addcmul(grad_e, grad_e, attention, value=-1.0, out=step.grad_extra_inputs[0])
        if not self.gate_first:
            grad_k = step.grad_gates[:, 2 * size : 3 * size]
            total.addcmul_(grad_k, projected[1] - projected[0])
            torch.mul(grad_k, attention, out=step.grad_extra_inputs[3])
            torch.addcmul(grad_k, grad_k, attention, value=-1.0, out=step.grad_extra_inputs[2])
        sigmoid_backward(total, attention, grad_input=grad_attention)
        add_product_(grads[0], grad_attention, weights[3].T)

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U, C, M and A."""
        size = all_steps.before[0].shape[2]
        by_mixed = products(all_steps.saved[1], all_steps.grad_gates[..., : weights[2].shape[1]])
        by_attention = products(all_steps.before[0], all_steps.grad_gates[..., 3 * size :])
        return *super().weight_gradients(all_steps, weights, grad_sums), by_mixed, by_attention
