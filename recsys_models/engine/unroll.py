"""The recurrent engine: one time loop with its own backward pass, into which every cell plugs its step.

The input side is hoisted out of the loop: x W + b is one product over all steps, and the loop adds to it, in place,
what depends on the state. The backward pass is backpropagation through time written out: each cell gives the reverse of
its step, reading from a tape what its forward step kept; the gradient of a recurrent matrix is one product over all
steps after the loop. Everything is plain torch, on any device, in float32 or float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

Tensors = Sequence[torch.Tensor]


@dataclass(slots=True)
class At:
    """Everything about one step (views of that step), or about all steps at once (with a first dimension T).

    gates (B, G): holds x W + b when the forward step begins, and what the step made of it when its reverse begins;
    drives: further input of this step; before, after: the states on either side of it, (B, H) each; kept: what the
    forward step keeps for its reverse; grad_gates (B, G) and grad_drives: written by the reverse, the latter None for
    a drive that needs no gradient.
    """

    gates: torch.Tensor
    drives: Tensors
    before: Tensors
    after: Tensors
    kept: Tensors
    grad_gates: torch.Tensor | None = None
    grad_drives: Sequence[torch.Tensor | None] = ()


class Cell(Protocol):
    """One recurrent step and its reverse.

    states: how many states are carried (h, or h and c); kept: what a forward step keeps besides the gates, each with
    its width as a multiple of H.
    """

    states: int
    kept: Mapping[str, int]

    def forward(self, at: At, weights: Tensors) -> None:
        """Write ``at.after`` and ``at.kept``, and into ``at.gates`` what the reverse needs there."""

    def backward(self, at: At, weights: Tensors, grads: list[torch.Tensor], sums: Tensors) -> None:
        """Turn ``grads``, by the states after this step, into those by the states before it, in place.

        Writes ``at.grad_gates`` and ``at.grad_drives``, and adds this step's part of the gradients by ``weights`` that
        are summed inside the loop to ``sums``.
        """

    def new_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """Zeroed tensors that ``backward`` adds to; ``like`` is a state (B, H)."""

    def weight_gradients(self, whole: At, weights: Tensors, sums: Tensors) -> tuple[torch.Tensor, ...]:
        """The gradients by ``weights``, from all steps at once and from the sums."""


def unroll(
    cell: Cell,
    inputs: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor,
    initial: Tensors,
    weights: Tensors,
    drives: Tensors = (),
) -> tuple[torch.Tensor, ...]:
    """The states after every step, one (T, B, H) tensor for each carried state.

    inputs (T, B, I), weight (I, G), and bias (G,), or (B, G) where each row has its own: the input side. A weight
    narrower than the bias fills the last gates, the others begin as their bias; where it is None the inputs (T, B, G)
    are taken as they are. initial: the states before the first step, (B, H) each;
    weights: what the step multiplies the states with; drives: what else each step is given, (T, B, ·) each.
    Differentiable once, by everything that requires it.
    """
    return _Unroll.apply(cell, len(drives), inputs, weight, bias, *drives, *initial, *weights)


def products(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Σ over steps and rows of leftᵀ right, (L, R), for left (T, B, L) and right (T, B, R)."""
    return left.flatten(0, 1).T @ right.flatten(0, 1)


class _Unroll(torch.autograd.Function):
    """The loop forward and the loop back."""

    @staticmethod
    def forward(ctx: Any, cell: Cell, num_drives: int, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The states after each step."""
        inputs, weight, bias = tensors[:3]
        drives, rest = tensors[3 : 3 + num_drives], tensors[3 + num_drives :]
        initial, weights = rest[: cell.states], rest[cell.states :]
        steps, rows, _ = inputs.shape
        size = initial[0].shape[1]
        gates = _input_side(inputs, weight, bias)
        history = [first.new_empty(steps + 1, rows, size) for first in initial]
        for states, first in zip(history, initial, strict=True):
            states[0] = first
        keep = any(ctx.needs_input_grad)
        kept = [gates.new_empty(steps if keep else 1, rows, size * width) for width in cell.kept.values()]
        before, after = [states[:-1] for states in history], [states[1:] for states in history]
        whole = At(gates, drives, before, after, kept if keep else [tape.expand(steps, -1, -1) for tape in kept])
        for step in _steps(whole):
            cell.forward(step, weights)
        ctx.cell, ctx.num_drives = cell, num_drives
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs, weight, bias, *drives, *weights, gates, *history, *kept)
        return tuple(after)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grad_outputs: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """The gradients by the input side, drives, initial states and weights."""
        cell, saved = ctx.cell, list(ctx.saved_tensors)
        inputs, weight, bias, *drives = saved[: 3 + ctx.num_drives]
        kept = [saved.pop() for _ in cell.kept][::-1]
        history = [saved.pop() for _ in range(cell.states)][::-1]
        gates = saved.pop()
        weights = saved[3 + ctx.num_drives :]
        grad_drives = [
            torch.empty_like(drive) if needed else None
            for drive, needed in zip(drives, ctx.needs_input_grad[5:], strict=False)
        ]
        before, after = [states[:-1] for states in history], [states[1:] for states in history]
        whole = At(gates, drives, before, after, kept, torch.empty_like(gates), grad_drives)
        grads = [torch.zeros_like(states[0]) for states in history]
        sums = cell.new_sums(grads[0], weights)
        for t, step in reversed(list(enumerate(_steps(whole)))):
            for grad, output in zip(grads, grad_outputs, strict=True):
                if output is not None:
                    grad += output[t]
            cell.backward(step, weights, grads, sums)
        flat = whole.grad_gates.flatten(0, 1)  # (T B, G)
        if weight is None:
            grad_inputs, grad_weight = whole.grad_gates, None
        else:
            by_input = flat[:, flat.shape[1] - weight.shape[1] :]
            grad_inputs = (by_input @ weight.T).view_as(inputs) if ctx.needs_input_grad[2] else None
            grad_weight = inputs.flatten(0, 1).T @ by_input
        return (
            None,
            None,
            grad_inputs,
            grad_weight,
            flat.sum(dim=0) if bias.dim() == 1 else whole.grad_gates.sum(dim=0),
            *grad_drives,
            *grads,
            *cell.weight_gradients(whole, weights, sums),
        )


def _input_side(inputs: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor) -> torch.Tensor:
    """The gates (T, B, G) before any state: one product over all steps."""
    if weight is None:
        return inputs + bias
    steps, rows, _ = inputs.shape
    if weight.shape[1] < bias.shape[-1]:
        gates = bias.expand(steps, rows, -1).clone(memory_format=torch.contiguous_format)
        gates[..., bias.shape[-1] - weight.shape[1] :] += inputs @ weight
        return gates
    if bias.dim() == 1:
        return torch.addmm(bias, inputs.flatten(0, 1), weight).view(steps, rows, -1)
    return (inputs @ weight).add_(bias)


def _steps(whole: At) -> list[At]:
    """One At for each step, of views into the whole."""
    steps = len(whole.gates)
    gates = whole.gates.unbind(0)
    grad_gates = (None,) * steps if whole.grad_gates is None else whole.grad_gates.unbind(0)
    lists = (whole.drives, whole.before, whole.after, whole.kept, whole.grad_drives)
    rest = [_by_step(tensors, steps) for tensors in lists]
    return [At(*parts) for parts in zip(gates, rest[0], rest[1], rest[2], rest[3], grad_gates, rest[4], strict=True)]


def _by_step(tensors: Sequence[torch.Tensor | None], steps: int) -> list[tuple[torch.Tensor | None, ...]]:
    """For each step, the views of that step into all ``tensors`` (T, ·, ·); None stays None."""
    views = [(None,) * steps if tensor is None else tensor.unbind(0) for tensor in tensors]
    return list(zip(*views, strict=True)) if views else [()] * steps
