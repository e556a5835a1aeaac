"""The Phased LSTM cell of the recurrent engine; equations in phased_lstm.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import sigmoid_backward, tanh_, tanh_backward
from recsys_models.engine.unroll import StepTensors, Tensors, products
from training.precision import add_product_, addmm


class PhasedLSTMCell:
    """An LSTM with peepholes whose states change by the openness k of a clock in each unit.

    Gates (B, 4 H) in the order i, f, o, g; states h, c; weights U (H, 4 H), p (3, H) for i, f, o, period (H,), shift
    (H,). One extra input, the time t (B, 1) in float64, without a gradient: the phase is taken before rounding to
    float32.
    """

    states: ClassVar[int] = 2
    saved: ClassVar[dict[str, int]] = {"squashed": 1, "proposed cell": 1, "openness": 1, "slope": 1, "cycles": 1}

    def __init__(self, open_share: float, leak: float) -> None:
        self.open_share = open_share
        self.leak = leak

    def open_(self, time: torch.Tensor, weights: Tensors, saved: Tensors) -> None:
        """Write k, its slope by the phase, and the number of cycles since the shift."""
        _, _, period, shift = weights
        _, _, openness, slope, cycles = saved
        exact = (time - shift.double()).div_(period.double())  # (B, H)
        cycles.copy_(exact)
        phase = exact.sub_(exact.floor()).to(openness.dtype)
        steep = 2.0 / self.open_share
        is_open = phase < self.open_share
        rising = 1.0 - (phase * steep - 1.0).abs()
        torch.where(is_open, rising, phase * self.leak, out=openness)
        towards = torch.where(phase < self.open_share / 2, steep, -steep).to(slope.dtype)
        slope.copy_(torch.where(is_open, towards, self.leak))

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write h' and c' through the clock's openness."""
        (h, c), (new_h, new_c), (squashed, proposed, openness, _, _) = step.before, step.after, step.saved
        recurrent, peepholes, _, _ = weights
        rows, size = h.shape
        self.open_(step.extra_inputs[0], weights, step.saved)
        add_product_(step.gates, h, recurrent)
        write_keep, o, g = step.gates.split([2 * size, size, size], dim=1)
        write_keep.view(rows, 2, size).addcmul_(c[:, None], peepholes[:2])
        write_keep.sigmoid_()
        torch.mul(write_keep[:, :size], tanh_(g), out=proposed).addcmul_(write_keep[:, size:], c)
        o.addcmul_(proposed, peepholes[2]).sigmoid_()
        tanh_(squashed.copy_(proposed))
        torch.lerp(c, proposed, openness, out=new_c)
        torch.lerp(h, o * squashed, openness, out=new_h)

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """The gradients by gates and states."""
        (grad_h, grad_c), (h, c) = grads, step.before
        squashed, proposed, openness, slope, cycles = step.saved
        recurrent, peepholes, _, _ = weights
        i, f, o, g = step.gates.chunk(4, dim=1)
        grad_i, grad_f, grad_o, grad_g = step.grad_gates.chunk(4, dim=1)
        grad_phase = ((o * squashed).sub_(h).mul_(grad_h)).addcmul_(proposed - c, grad_c).mul_(slope)
        grad_sums[3] += grad_phase
        grad_sums[4].addcmul_(grad_phase, cycles)
        past_h = torch.addcmul(grad_h, grad_h, openness, value=-1.0)  # the part that the closed share passes on
        past_c = torch.addcmul(grad_c, grad_c, openness, value=-1.0)
        grad_h.mul_(openness)
        grad_c.mul_(openness)
        sigmoid_backward(grad_h * squashed, o, grad_input=grad_o)
        grad_c += tanh_backward(grad_h.mul_(o), squashed, grad_input=grad_h)
        grad_c.addcmul_(grad_o, peepholes[2])
        sigmoid_backward(grad_c * g, i, grad_input=grad_i)
        sigmoid_backward(grad_c * c, f, grad_input=grad_f)
        tanh_backward(grad_c * i, g, grad_input=grad_g)
        grad_c.mul_(f).add_(past_c).addcmul_(grad_i, peepholes[0]).addcmul_(grad_f, peepholes[1])
        grad_sums[0].addcmul_(grad_i, c)
        grad_sums[1].addcmul_(grad_f, c)
        grad_sums[2].addcmul_(grad_o, proposed)
        addmm(past_h, step.grad_gates, recurrent.T, out=grad_h)

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """Sums for each peephole, the phase, and the phase times the cycles."""
        return [torch.zeros_like(like) for _ in range(5)]

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients, with dφ/ds = −1 / τ and dφ/dτ = −((t − s) / τ) / τ for φ = (t − s) / τ modulo 1."""
        recurrent = products(all_steps.before[0], all_steps.grad_gates)
        peepholes = torch.stack([total.sum(dim=0) for total in grad_sums[:3]])
        return recurrent, peepholes, -grad_sums[4].sum(dim=0) / weights[2], -grad_sums[3].sum(dim=0) / weights[2]
