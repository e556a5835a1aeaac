"""Squashing functions in place, and their reverses from their own output, for the steps of the recurrent engine."""

from __future__ import annotations

import torch

# grad ⊙ s (1 − s) and grad ⊙ (1 − t²) in one pass: sigmoid_back(grad, s, grad_input=out), tanh_back(grad, t, …)
sigmoid_back = torch.ops.aten.sigmoid_backward.grad_input
tanh_back = torch.ops.aten.tanh_backward.grad_input


def tanh_(values: torch.Tensor) -> torch.Tensor:
    """The hyperbolic tangent in place, within 2e-7 in float32.

    On the CPU as 2 σ(2 x) − 1, since torch's vectorised sigmoid takes a sixth of the time of its tanh.
    """
    if values.device.type != "cpu":
        return values.tanh_()
    return values.mul_(2.0).sigmoid_().mul_(2.0).sub_(1.0)
