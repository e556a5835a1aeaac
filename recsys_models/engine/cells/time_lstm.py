"""The steps of Time-LSTM 1, 2 and 3 for the recurrent engine; equations in time_lstm.py.

Each is given one drive, the gap Δ (B, 1), which gets no gradient. A time gate is T = σ(a_t + φ(Δ w)), φ being "sigmoid"
or "tanh"; the output gate also gets Δ w_o.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys_models.engine.activations import sigmoid_back, tanh_, tanh_back
from recsys_models.engine.unroll import At, Tensors, products

SQUASHERS = {"sigmoid": (torch.Tensor.sigmoid_, sigmoid_back), "tanh": (tanh_, tanh_back)}


class _TimedStep:
    """What the three steps share: the time gates, and how their weights' gradients are summed."""

    states: ClassVar[int] = 2
    recurrent_gates: ClassVar[int] = 4  # how many gates the state is multiplied into; the time gates follow them
    peepholes: ClassVar[int] = 3

    def __init__(self, inner: str) -> None:
        self.squash_, self.squash_back = SQUASHERS[inner]

    def open_(self, gate: torch.Tensor, inner: torch.Tensor, gap: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """A time gate in place, keeping φ(Δ w) in ``inner``."""
        return gate.add_(self.squash_(torch.mul(gap, weight, out=inner))).sigmoid_()

    def open_back(
        self,
        grad: torch.Tensor,
        gate: torch.Tensor,
        inner: torch.Tensor,
        gap: torch.Tensor,
        out: torch.Tensor,
        total: torch.Tensor,
    ) -> None:
        """The reverse: ``grad`` by the gate becomes that by a_t in ``out``; that by w is added to ``total``."""
        sigmoid_back(grad, gate, grad_input=out)
        total.addcmul_(self.squash_back(out, inner, grad_input=grad), gap)

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """One sum (B, H) a peephole, then one for w_o and one for each time gate's w."""
        return [torch.zeros_like(like) for _ in range(self.peepholes + len(weights) - 2)]

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """By U, by the peepholes, by w_o and by each time gate's w."""
        size = whole.before[0].shape[2] * self.recurrent_gates
        totals = [total.sum(dim=0) for total in sums]
        recurrent = products(whole.before[0], whole.grad_gates[..., :size])
        return (recurrent, torch.stack(totals[: self.peepholes]), *totals[self.peepholes :])


class TimeLSTM1Step(_TimedStep):
    """Time-LSTM 1. Gates i, f, o, g, T; weights U (H, 4 H), p (3, H), w_o (H,), w (H,)."""

    kept: ClassVar[dict[str, int]] = {"squashed cell": 1, "inner": 1, "write": 1}

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h, c), (new_h, new_c), (squashed, inner, write), (gap,) = at.before, at.after, at.kept, at.drives
        recurrent, peepholes, output_weight, gate_weight = weights
        rows, size = h.shape
        at.gates[:, : 4 * size].addmm_(h, recurrent)
        write_keep, o, g, gate = at.gates.split([2 * size, size, size, size], dim=1)
        write_keep.view(rows, 2, size).addcmul_(c[:, None], peepholes[:2])
        write_keep.sigmoid_()
        self.open_(gate, inner, gap, gate_weight)
        torch.mul(write_keep[:, :size], gate, out=write)  # i ⊙ T
        torch.mul(write, tanh_(g), out=new_c).addcmul_(write_keep[:, size:], c)
        o.addcmul_(new_c, peepholes[2]).addcmul_(gap, output_weight).sigmoid_()
        torch.mul(o, tanh_(squashed.copy_(new_c)), out=new_h)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (grad_h, grad_c), (squashed, inner, write), (gap,) = grads, at.kept, at.drives
        recurrent, peepholes, _, _ = weights
        i, f, o, g, gate = at.gates.chunk(5, dim=1)
        grad_i, grad_f, grad_o, grad_g, grad_gate = at.grad_gates.chunk(5, dim=1)
        sigmoid_back(grad_h * squashed, o, grad_input=grad_o)
        grad_c += tanh_back(grad_h.mul_(o), squashed, grad_input=grad_h)
        grad_c.addcmul_(grad_o, peepholes[2])
        tanh_back(grad_c * write, g, grad_input=grad_g)
        grad_write = grad_c * g
        sigmoid_back(grad_write * gate, i, grad_input=grad_i)
        self.open_back(grad_write.mul_(i), gate, inner, gap, grad_gate, sums[4])
        sigmoid_back(grad_c * at.before[1], f, grad_input=grad_f)
        grad_c.mul_(f).addcmul_(grad_i, peepholes[0]).addcmul_(grad_f, peepholes[1])
        sums[0].addcmul_(grad_i, at.before[1])
        sums[1].addcmul_(grad_f, at.before[1])
        sums[2].addcmul_(grad_o, at.after[1])
        sums[3].addcmul_(grad_o, gap)
        torch.mm(at.grad_gates[:, : recurrent.shape[1]], recurrent.T, out=grad_h)


class TimeLSTM2Step(_TimedStep):
    """Time-LSTM 2. Gates i, f, o, g, T1, T2; weights U (H, 4 H), p (3, H), w_o, w_1, w_2 (H,)."""

    kept: ClassVar[dict[str, int]] = {"seen cell": 1, "squashed cell": 1, "inner 1": 1, "inner 2": 1, "write": 1}

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h, c), (new_h, new_c), (gap,) = at.before, at.after, at.drives
        seen, squashed, inner1, inner2, write = at.kept
        recurrent, peepholes, output_weight, weight1, weight2 = weights
        rows, size = h.shape
        at.gates[:, : 4 * size].addmm_(h, recurrent)
        write_keep, o, g, gate1, gate2 = at.gates.split([2 * size, size, size, size, size], dim=1)
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

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (grad_h, grad_c), (gap,) = grads, at.drives
        seen, squashed, inner1, inner2, write = at.kept
        recurrent, peepholes, _, _, _ = weights
        i, f, o, g, gate1, gate2 = at.gates.chunk(6, dim=1)
        grad_i, grad_f, grad_o, grad_g, grad_gate1, grad_gate2 = at.grad_gates.chunk(6, dim=1)
        sigmoid_back(grad_h * squashed, o, grad_input=grad_o)
        grad_seen = tanh_back(grad_h.mul_(o), squashed, grad_input=grad_h).addcmul_(grad_o, peepholes[2])
        grad_write = (grad_seen * gate1).addcmul_(grad_c, gate2)
        self.open_back(grad_seen * write, gate1, inner1, gap, grad_gate1, sums[4])
        self.open_back(grad_c * write, gate2, inner2, gap, grad_gate2, sums[5])
        sigmoid_back(grad_write * g, i, grad_input=grad_i)
        tanh_back(grad_write.mul_(i), g, grad_input=grad_g)
        sums[2].addcmul_(grad_o, seen)
        grad_c += grad_seen
        sigmoid_back(grad_c * at.before[1], f, grad_input=grad_f)
        grad_c.mul_(f).addcmul_(grad_i, peepholes[0]).addcmul_(grad_f, peepholes[1])
        sums[0].addcmul_(grad_i, at.before[1])
        sums[1].addcmul_(grad_f, at.before[1])
        sums[3].addcmul_(grad_o, gap)
        torch.mm(at.grad_gates[:, : recurrent.shape[1]], recurrent.T, out=grad_h)


class TimeLSTM3Step(_TimedStep):
    """Time-LSTM 3. Gates i, o, g, T1, T2; weights U (H, 3 H), p (2, H) for i and o, w_o, w_1, w_2 (H,)."""

    recurrent_gates: ClassVar[int] = 3
    peepholes: ClassVar[int] = 2
    kept: ClassVar[dict[str, int]] = {"seen cell": 1, "squashed cell": 1, "inner 1": 1, "inner 2": 1}

    def forward(self, at: At, weights: Tensors) -> None:
        """See Cell."""
        (h, c), (new_h, new_c), (gap,) = at.before, at.after, at.drives
        seen, squashed, inner1, inner2 = at.kept
        recurrent, peepholes, output_weight, weight1, weight2 = weights
        size = h.shape[1]
        at.gates[:, : 3 * size].addmm_(h, recurrent)
        i, o, g, gate1, gate2 = at.gates.chunk(5, dim=1)
        i.addcmul_(c, peepholes[0]).sigmoid_()
        tanh_(g)
        self.open_(gate1, inner1, gap, weight1)
        self.open_(gate2, inner2, gap, weight2)
        torch.sub(g, c, out=seen).mul_(gate1).mul_(i).add_(c)  # (1 − i T1) c + i T1 g
        torch.mul(gate2, g, out=new_c).sub_(c).mul_(i).add_(c)  # (1 − i) c + i T2 g
        o.addcmul_(seen, peepholes[1]).addcmul_(gap, output_weight).sigmoid_()
        torch.mul(o, tanh_(squashed.copy_(seen)), out=new_h)

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """See Cell."""
        (grad_h, grad_c), (gap,), c = grads, at.drives, at.before[1]
        seen, squashed, inner1, inner2 = at.kept
        recurrent, peepholes, _, _, _ = weights
        i, o, g, gate1, gate2 = at.gates.chunk(5, dim=1)
        grad_i, grad_o, grad_g, grad_gate1, grad_gate2 = at.grad_gates.chunk(5, dim=1)
        sigmoid_back(grad_h * squashed, o, grad_input=grad_o)
        grad_seen = tanh_back(grad_h.mul_(o), squashed, grad_input=grad_h).addcmul_(grad_o, peepholes[1])
        sums[1].addcmul_(grad_o, seen)
        sums[2].addcmul_(grad_o, gap)
        mixed, stored = grad_seen * i, grad_c * i  # by T1 (g − c) and by T2 g − c
        tanh_back((mixed * gate1).addcmul_(stored, gate2), g, grad_input=grad_g)
        change = g - c
        sigmoid_back((grad_seen * gate1).mul_(change).addcmul_(grad_c, (gate2 * g).sub_(c)), i, grad_input=grad_i)
        grad_c.add_(grad_seen).sub_(stored).addcmul_(mixed, gate1, value=-1.0).addcmul_(grad_i, peepholes[0])
        sums[0].addcmul_(grad_i, c)
        self.open_back(mixed.mul_(change), gate1, inner1, gap, grad_gate1, sums[3])
        self.open_back(stored.mul_(g), gate2, inner2, gap, grad_gate2, sums[4])
        torch.mm(at.grad_gates[:, : recurrent.shape[1]], recurrent.T, out=grad_h)
