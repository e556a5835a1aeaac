"""The cells of Time-LSTM 1, 2 and 3 for the recurrent engine; equations in time_lstm.py.

Each has one extra input, the gap Δ (B, 1), which gets no gradient. A time gate is T = σ(a_t + φ(Δ w)) with φ "sigmoid"
or "tanh"; the output gate also gets Δ w_o.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import ACTIVATIONS, sigmoid_backward, tanh_, tanh_backward
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, mm


class _TimeGatedCell:
    """The base of the three cells: the time gates and the sums of their weights' gradients."""

    states: ClassVar[int] = 2
    recurrent_gates: ClassVar[int] = 4  # the gates with a recurrent product; the time gates follow them
    peepholes: ClassVar[int] = 3

    def __init__(self, inner: str) -> None:
        self.inner = ACTIVATIONS[inner]

    def open_(self, gate: torch.Tensor, inner: torch.Tensor, gap: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Compute a time gate in place and save φ(Δ w) in ``inner``."""
        return gate.add_(self.inner.apply_(torch.mul(gap, weight, out=inner))).sigmoid_()

    def open_back(
        self,
        grad: torch.Tensor,
        gate: torch.Tensor,
        inner: torch.Tensor,
        gap: torch.Tensor,
        out: torch.Tensor,
        total: torch.Tensor,
    ) -> None:
        """Write the gradient by a_t into ``out`` from ``grad`` by the gate; add that by w to ``total``."""
        sigmoid_backward(grad, gate, grad_input=out)
        total.addcmul_(self.inner.backward(out, inner, grad_input=grad), gap)

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """One sum (B, H) per peephole, then one for w_o and one for each time gate's w."""
        return [torch.zeros_like(like) for _ in range(self.peepholes + len(weights) - 2)]

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients of U, the peepholes, w_o and each time gate's w."""
        size = all_steps.before[0].shape[2] * self.recurrent_gates
        totals = [total.sum(dim=0) for total in grad_sums]
        recurrent = products(all_steps.before[0], all_steps.grad_gates[..., :size])
        return (recurrent, torch.stack(totals[: self.peepholes]), *totals[self.peepholes :])


class TimeLSTM1Cell(_TimeGatedCell):
    """Time-LSTM 1. Gates i, f, o, g, T; weights U (H, 4 H), p (3, H), w_o (H,), w (H,)."""

    saved: ClassVar[dict[str, int]] = {"squashed cell": 1, "inner": 1, "write": 1}

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' and c' through the time gates."""
        (h, c), (new_h, new_c), (squashed, inner, write), (gap,) = (
            step.before,
            step.after,
            step.saved,
            step.extra_inputs,
        )
        recurrent, peepholes, output_weight, gate_weight = weights
        rows, size = h.shape
        add_product_(step.gates[:, : 4 * size], h, recurrent)
        write_keep, o, g, gate = step.gates.split([2 * size, size, size, size], dim=1)
        write_keep.view(rows, 2, size).addcmul_(c[:, None], peepholes[:2])
        write_keep.sigmoid_()
        self.open_(gate, inner, gap, gate_weight)
        torch.mul(write_keep[:, :size], gate, out=write)  # i ⊙ T
        torch.mul(write, tanh_(g), out=new_c).addcmul_(write_keep[:, size:], c)
        o.addcmul_(new_c, peepholes[2]).addcmul_(gap, output_weight).sigmoid_()
        torch.mul(o, tanh_(squashed.copy_(new_c)), out=new_h)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and states."""
        (grad_h, grad_c), (squashed, inner, write), (gap,) = grads, step.saved, step.extra_inputs
        recurrent, peepholes, _, _ = weights
        i, f, o, g, gate = step.gates.chunk(5, dim=1)
        grad_i, grad_f, grad_o, grad_g, grad_gate = step.grad_gates.chunk(5, dim=1)
        sigmoid_backward(grad_h * squashed, o, grad_input=grad_o)
        grad_c += tanh_backward(grad_h.mul_(o), squashed, grad_input=grad_h)
        grad_c.addcmul_(grad_o, peepholes[2])
        tanh_backward(grad_c * write, g, grad_input=grad_g)
        grad_write = grad_c * g
        sigmoid_backward(grad_write * gate, i, grad_input=grad_i)
        self.open_back(grad_write.mul_(i), gate, inner, gap, grad_gate, grad_sums[4])
        sigmoid_backward(grad_c * step.before[1], f, grad_input=grad_f)
        grad_c.mul_(f).addcmul_(grad_i, peepholes[0]).addcmul_(grad_f, peepholes[1])
        grad_sums[0].addcmul_(grad_i, step.before[1])
        grad_sums[1].addcmul_(grad_f, step.before[1])
        grad_sums[2].addcmul_(grad_o, step.after[1])
        grad_sums[3].addcmul_(grad_o, gap)
        mm(step.grad_gates[:, : recurrent.shape[1]], recurrent.T, out=grad_h)


class TimeLSTM2Cell(_TimeGatedCell):
    """Time-LSTM 2. Gates i, f, o, g, T1, T2; weights U (H, 4 H), p (3, H), w_o, w_1, w_2 (H,)."""

    saved: ClassVar[dict[str, int]] = {"seen cell": 1, "squashed cell": 1, "inner 1": 1, "inner 2": 1, "write": 1}

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' and c' through the time gates."""
        (h, c), (new_h, new_c), (gap,) = step.before, step.after, step.extra_inputs
        seen, squashed, inner1, inner2, write = step.saved
        recurrent, peepholes, output_weight, weight1, weight2 = weights
        rows, size = h.shape
        add_product_(step.gates[:, : 4 * size], h, recurrent)
        write_keep, o, g, gate1, gate2 = step.gates.split([2 * size, size, size, size, size], dim=1)
        write_keep.view(rows, 2, size).addcmul_(c[:, None], peepholes[:2])
        write_keep.sigmoid_()
        self.open_(gate1, inner1, gap, weight1)
        self.open_(gate2, inner2, gap, weight2)
        torch.mul(write_keep[:, :size], tanh_(g), out=write)  # i ⊙ g
        torch.mul(write_keep[:, size:], c, out=new_c)
        torch.addcmul(new_c, write, gate1, out=seen)
        new_c.addcmul_(write, gate2)
        o.addcmul_(seen, peepholes[2]).addcmul_(gap, output_weight).sigmoid_()
        torch.mul(o, tanh_(squashed.copy_(seen)), out=new_h)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and states."""
        (grad_h, grad_c), (gap,) = grads, step.extra_inputs
        seen, squashed, inner1, inner2, write = step.saved
        recurrent, peepholes, _, _, _ = weights
        i, f, o, g, gate1, gate2 = step.gates.chunk(6, dim=1)
        grad_i, grad_f, grad_o, grad_g, grad_gate1, grad_gate2 = step.grad_gates.chunk(6, dim=1)
        sigmoid_backward(grad_h * squashed, o, grad_input=grad_o)
        grad_seen = tanh_backward(grad_h.mul_(o), squashed, grad_input=grad_h).addcmul_(grad_o, peepholes[2])
        grad_write = (grad_seen * gate1).addcmul_(grad_c, gate2)
        self.open_back(grad_seen * write, gate1, inner1, gap, grad_gate1, grad_sums[4])
        self.open_back(grad_c * write, gate2, inner2, gap, grad_gate2, grad_sums[5])
        sigmoid_backward(grad_write * g, i, grad_input=grad_i)
        tanh_backward(grad_write.mul_(i), g, grad_input=grad_g)
        grad_sums[2].addcmul_(grad_o, seen)
        grad_c += grad_seen
        sigmoid_backward(grad_c * step.before[1], f, grad_input=grad_f)
        grad_c.mul_(f).addcmul_(grad_i, peepholes[0]).addcmul_(grad_f, peepholes[1])
        grad_sums[0].addcmul_(grad_i, step.before[1])
        grad_sums[1].addcmul_(grad_f, step.before[1])
        grad_sums[3].addcmul_(grad_o, gap)
        mm(step.grad_gates[:, : recurrent.shape[1]], recurrent.T, out=grad_h)


class TimeLSTM3Cell(_TimeGatedCell):
    """Time-LSTM 3. Gates i, o, g, T1, T2; weights U (H, 3 H), p (2, H) for i and o, w_o, w_1, w_2 (H,)."""

    recurrent_gates: ClassVar[int] = 3
    peepholes: ClassVar[int] = 2
    saved: ClassVar[dict[str, int]] = {"seen cell": 1, "squashed cell": 1, "inner 1": 1, "inner 2": 1}

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' and c' through the time gates."""
        (h, c), (new_h, new_c), (gap,) = step.before, step.after, step.extra_inputs
        seen, squashed, inner1, inner2 = step.saved
        recurrent, peepholes, output_weight, weight1, weight2 = weights
        size = h.shape[1]
        add_product_(step.gates[:, : 3 * size], h, recurrent)
        i, o, g, gate1, gate2 = step.gates.chunk(5, dim=1)
        i.addcmul_(c, peepholes[0]).sigmoid_()
        tanh_(g)
        self.open_(gate1, inner1, gap, weight1)
        self.open_(gate2, inner2, gap, weight2)
        torch.sub(g, c, out=seen).mul_(gate1).mul_(i).add_(c)  # (1 − i T1) c + i T1 g
        torch.mul(gate2, g, out=new_c).sub_(c).mul_(i).add_(c)  # (1 − i) c + i T2 g
        o.addcmul_(seen, peepholes[1]).addcmul_(gap, output_weight).sigmoid_()
        torch.mul(o, tanh_(squashed.copy_(seen)), out=new_h)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and states."""
        (grad_h, grad_c), (gap,), c = grads, step.extra_inputs, step.before[1]
        seen, squashed, inner1, inner2 = step.saved
        recurrent, peepholes, _, _, _ = weights
        i, o, g, gate1, gate2 = step.gates.chunk(5, dim=1)
        grad_i, grad_o, grad_g, grad_gate1, grad_gate2 = step.grad_gates.chunk(5, dim=1)
        sigmoid_backward(grad_h * squashed, o, grad_input=grad_o)
        grad_seen = tanh_backward(grad_h.mul_(o), squashed, grad_input=grad_h).addcmul_(grad_o, peepholes[1])
        grad_sums[1].addcmul_(grad_o, seen)
        grad_sums[2].addcmul_(grad_o, gap)
        mixed, stored = grad_seen * i, grad_c * i  # by T1 (g − c) and by T2 g − c
        tanh_backward((mixed * gate1).addcmul_(stored, gate2), g, grad_input=grad_g)
        change = g - c
        sigmoid_backward((grad_seen * gate1).mul_(change).addcmul_(grad_c, (gate2 * g).sub_(c)), i, grad_input=grad_i)
        grad_c.add_(grad_seen).sub_(stored).addcmul_(mixed, gate1, value=-1.0).addcmul_(grad_i, peepholes[0])
        grad_sums[0].addcmul_(grad_i, c)
        self.open_back(mixed.mul_(change), gate1, inner1, gap, grad_gate1, grad_sums[3])
        self.open_back(stored.mul_(g), gate2, inner2, gap, grad_gate2, grad_sums[4])
        mm(step.grad_gates[:, : recurrent.shape[1]], recurrent.T, out=grad_h)
