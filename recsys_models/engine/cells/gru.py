"""Steps of GRUs whose reset gate comes before the recurrent product: plain, and with Donkers' user gates.

Equations in user_gru.py. Everywhere: state h; U (H, 2 H) for the gates u and r, C (H, H) for the candidate.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import TANH, Squash, sigmoid_back
from recsys_models.engine.unroll import At, Tensors, products


def finish(
    gates: torch.Tensor,
    h: torch.Tensor,
    new_h: torch.Tensor,
    reset: torch.Tensor,
    weights: Tensors,
    squash: Squash = TANH,
) -> None:
    """From gates u, r, k (B, 3 H) that hold all but the state's part: the new state, and r ⊙ h in ``reset``."""
    size = h.shape[1]
    gates[:, : 2 * size].addmm_(h, weights[0]).sigmoid_()
    u, r, k = gates.chunk(3, dim=1)
    torch.mul(r, h, out=reset)
    squash.apply_(k.addmm_(reset, weights[1]))
    torch.lerp(h, k, u, out=new_h)  # (1 − u) h + u k


def finish_back(
    gates: torch.Tensor,
    h: torch.Tensor,
    weights: Tensors,
    grad_h: torch.Tensor,
    out: torch.Tensor,
    squash: Squash = TANH,
) -> None:
    """The reverse of ``finish``: gradients by its gates into ``out`` (B, 3 H), by the old state into ``grad_h``."""
    size = h.shape[1]
    u, r, k = gates.chunk(3, dim=1)
    grad_u, grad_r, grad_k = out.chunk(3, dim=1)
    sigmoid_back((k - h).mul_(grad_h), u, grad_input=grad_u)
    squash.back(grad_h * u, k, grad_input=grad_k)
    grad_h.addcmul_(grad_h, u, value=-1.0)
    grad_reset = grad_k @ weights[1].T
    sigmoid_back(grad_reset * h, r, grad_input=grad_r)
    grad_h.addcmul_(grad_reset, r).addmm_(out[:, : 2 * size], weights[0].T)


class GRUStep:
    """The plain cell, which the linear user-based one is too. Gates u, r, k (B, 3 H); weights U, C.

    squash: what stands in the place of the candidate's tanh.
    """

    states: ClassVar[int] = 1
    kept: ClassVar[dict[str, int]] = {"r h": 1}

    def __init__(self, squash: Squash = TANH) -> None:
        self.squash = squash

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        finish(at.gates, at.before[0], at.after[0], at.kept[0], weights, self.squash)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        finish_back(at.gates, at.before[0], weights, grads[0], at.grad_gates, self.squash)

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """None."""
        return []

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        size = whole.before[0].shape[2]
        gates, candidate = whole.grad_gates.split([2 * size, whole.grad_gates.shape[2] - 2 * size], dim=2)
        return products(whole.before[0], gates), products(whole.kept[0], candidate[..., :size])


class RectifiedGRUStep(GRUStep):
    """The rectified linear user-based cell.

    Gates u, r, k, κ1, κ2 (B, 5 H); drive x (B, H), the user's vector, and where another than x is compared with the
    thresholds, that one too (without a gradient); weights U, C, V (H, 3 H), or (H, 2 H) where the
    candidate is not given the filtered vector, and K (H, 2 H) for the thresholds. slope: ω. The thresholds are only
    compared with, so their gradient is zero; ``straight_through`` replaces it by that of σ in place of the comparison.
    """

    kept: ClassVar[dict[str, int]] = {"r h": 1, "filtered": 1, "share": 1}

    def __init__(self, slope: float, *, straight_through: bool = False) -> None:
        self.slope = slope
        self.straight_through = straight_through

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h,), (reset, filtered, share), (x, *other) = at.before, at.kept, at.drives
        seen = other[0] if other else x
        size = h.shape[1]
        at.gates[:, 3 * size :].addmm_(h, weights[3])
        low, high = at.gates[:, 3 * size :].chunk(2, dim=1)
        share.fill_(1.0).masked_fill_((low < seen) & (seen < high), self.slope).masked_fill_(seen < low, 0.0)
        torch.mul(x, share, out=filtered)
        at.gates[:, : weights[2].shape[1]].addmm_(filtered, weights[2])
        finish(at.gates[:, : 3 * size], h, at.after[0], reset, weights)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (h,), (_, _, share), (x, *other) = at.before, at.kept, at.drives
        seen = other[0] if other else x
        size = h.shape[1]
        finish_back(at.gates[:, : 3 * size], h, weights, grads[0], at.grad_gates[:, : 3 * size])
        grad_filtered = at.grad_gates[:, : weights[2].shape[1]] @ weights[2].T
        torch.mul(grad_filtered, share, out=at.grad_drives[0])
        if other and at.grad_drives[1] is not None:
            at.grad_drives[1].zero_()
        if not self.straight_through:
            at.grad_gates[:, 3 * size :].zero_()
            return
        # the share of x that passes is ω [x > κ1] + (1 − ω) [x > κ2]; each bracket is taken for σ(x − κ)
        low, high = at.gates[:, 3 * size :].chunk(2, dim=1)
        grad_low, grad_high = at.grad_gates[:, 3 * size :].chunk(2, dim=1)
        grad_share = grad_filtered.mul_(x)
        sigmoid_back(grad_share * -self.slope, (seen - low).sigmoid_(), grad_input=grad_low)
        sigmoid_back(grad_share * (self.slope - 1.0), (seen - high).sigmoid_(), grad_input=grad_high)
        grads[0].addmm_(at.grad_gates[:, 3 * size :], weights[3].T)

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        size = whole.before[0].shape[2]
        by_user = products(whole.kept[1], whole.grad_gates[..., : weights[2].shape[1]])
        by_threshold = products(whole.before[0], whole.grad_gates[..., 3 * size :])
        return *super().weight_gradients(whole, weights, sums), by_user, by_threshold


class AttentionalGRUStep(GRUStep):
    """The attentional user-based cell.

    Gates u, r, k, ξ (B, 4 H); drives the item's vector e and the user's x (B, H); weights U, C, M (2 H, 3 H) for
    [(1 − ξ) e ; ξ x], and A (H, H) for ξ. ``gate_first`` False is the other reading of eq. 10, the candidate getting
    (1 − ξ) ⊙ (e M_e) + ξ ⊙ (x M_x): M is then (2 H, 2 H), and e M_e and x M_x are two drives more.
    """

    kept: ClassVar[dict[str, int]] = {"r h": 1, "mixed": 2}

    def __init__(self, *, gate_first: bool = True) -> None:
        self.gate_first = gate_first

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h,), (reset, mixed), (e, x, *turned) = at.before, at.kept, at.drives
        size = h.shape[1]
        attention = at.gates[:, 3 * size :].addmm_(h, weights[3]).sigmoid_()
        torch.mul(attention, x, out=mixed[:, size:])
        torch.addcmul(e, e, attention, value=-1.0, out=mixed[:, :size])
        at.gates[:, : weights[2].shape[1]].addmm_(mixed, weights[2])
        if not self.gate_first:
            at.gates[:, 2 * size : 3 * size].add_(torch.lerp(turned[0], turned[1], attention))
        finish(at.gates[:, : 3 * size], h, at.after[0], reset, weights)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (h,), (e, x, *turned) = at.before, at.drives
        size = h.shape[1]
        finish_back(at.gates[:, : 3 * size], h, weights, grads[0], at.grad_gates[:, : 3 * size])
        attention, grad_attention = at.gates[:, 3 * size :], at.grad_gates[:, 3 * size :]
        grad_e, grad_x = (at.grad_gates[:, : weights[2].shape[1]] @ weights[2].T).chunk(2, dim=1)
        total = (grad_x * x).addcmul_(grad_e, e, value=-1.0)
        torch.mul(grad_x, attention, out=at.grad_drives[1])
        torch.addcmul(grad_e, grad_e, attention, value=-1.0, out=at.grad_drives[0])
        if not self.gate_first:
            grad_k = at.grad_gates[:, 2 * size : 3 * size]
            total.addcmul_(grad_k, turned[1] - turned[0])
            torch.mul(grad_k, attention, out=at.grad_drives[3])
            torch.addcmul(grad_k, grad_k, attention, value=-1.0, out=at.grad_drives[2])
        sigmoid_back(total, attention, grad_input=grad_attention)
        grads[0].addmm_(grad_attention, weights[3].T)

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        size = whole.before[0].shape[2]
        by_mixed = products(whole.kept[1], whole.grad_gates[..., : weights[2].shape[1]])
        by_attention = products(whole.before[0], whole.grad_gates[..., 3 * size :])
        return *super().weight_gradients(whole, weights, sums), by_mixed, by_attention
