"""The plain recurrent step for the recurrent engine (Elman 1990); equations in tied_rnn.py."""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import TANH, Squash
from recsys_models.engine.unroll import At, Tensors, products


class VanillaStep:
    """h' = φ(a + h U). Gates a (B, H); weights U (H, H); squash: φ."""

    states: ClassVar[int] = 1
    kept: ClassVar[dict[str, int]] = {}

    def __init__(self, squash: Squash = TANH) -> None:
        self.squash = squash

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        at.after[0].copy_(self.squash.apply_(at.gates.addmm_(at.before[0], weights[0])))

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        self.squash.back(grads[0], at.gates, grad_input=at.grad_gates)
        torch.mm(at.grad_gates, weights[0].T, out=grads[0])

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """None."""
        return []

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """See Cell."""
        return (products(whole.before[0], whole.grad_gates),)
