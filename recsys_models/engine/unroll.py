"""The recurrent engine: one loop over time with its own backward pass, which runs any cell.

The input side stays outside the loop: x W + b is one product over all steps, and the loop adds in place what depends on
the state. The backward pass is backpropagation through time written out: each cell computes the backward pass of its
own step from what its forward step saved; the gradient of a recurrent matrix is one product over all steps, after the
loop. Everything is plain torch, on any device, in float32 or float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from training.precision import addmm, mm

Tensors = Sequence[torch.Tensor]


@dataclass(slots=True)
class StepTensors:
    """The tensors of one step (views), or of all steps at once (with a first dimension T).

    gates (B, G): x W + b when the forward step begins, and the values that the step left there when its backward step
    begins; extra_inputs: further inputs of this step; before, after: the states on either side of it, (B, H) each;
    saved: what the forward step saves for the backward step; grad_gates (B, G) and grad_extra_inputs: written by the
    backward step, the latter None for an input that needs no gradient.
    """

    gates: torch.Tensor
    extra_inputs: Tensors
    before: Tensors
    after: Tensors
    saved: Tensors
    grad_gates: torch.Tensor | None = None
    grad_extra_inputs: Sequence[torch.Tensor | None] = ()


class RecurrentCell(Protocol):
    """One recurrent step, forward and backward.

    states: the number of carried states (h, or h and c); saved: what a forward step saves besides the gates, each with
    its width as a multiple of H.
    """

    states: int
    saved: Mapping[str, int]

    def forward(self, step: StepTensors, weights: Tensors) -> None:
        """Write ``step.after``, ``step.saved`` and, into ``step.gates``, what the backward step needs."""

    def backward(self, step: StepTensors, weights: Tensors, grads: list[torch.Tensor], grad_sums: Tensors) -> None:
        """Turn ``grads``, by the states after this step, into those by the states before it, in place.

        Writes ``step.grad_gates`` and ``step.grad_extra_inputs``, and adds this step's part of those gradients by
        ``weights`` that are summed inside the loop to ``grad_sums``.
        """

    def new_grad_sums(self, like: torch.Tensor, weights: Tensors) -> list[torch.Tensor]:
        """Create the zero tensors that ``backward`` adds to; ``like`` is a state (B, H)."""

    def weight_gradients(
        self, all_steps: StepTensors, weights: Tensors, grad_sums: Tensors
    ) -> tuple[torch.Tensor, ...]:
        """The gradients by ``weights``, from the tensors of all steps and from ``grad_sums``."""


class Loop(Protocol):
    """All steps of a cell, forward and backward, on the tensors of all steps."""

    fills_tapes: bool  # whether it writes what the backward pass needs even where there is none

    def forward(self, cell: RecurrentCell, all_steps: StepTensors, weights: Tensors) -> None:
        """Run every step: write ``after``, ``saved`` and the gates."""

    def backward(
        self,
        cell: RecurrentCell,
        all_steps: StepTensors,
        weights: Tensors,
        grads: list[torch.Tensor],
        grad_sums: list[torch.Tensor],
        grad_outputs: Sequence[torch.Tensor | None],
    ) -> None:
        """Run every step backward: write ``grad_gates``, turn ``grads`` into those by the first states, add to sums.

        grad_outputs: the gradients (T, B, H) by the states that were returned, None for those that nothing reads.
        """


class StepByStep:
    """The loop in Python: each step is the cell's own."""

    fills_tapes = False

    def forward(self, cell: RecurrentCell, all_steps: StepTensors, weights: Tensors) -> None:
        """Run the steps in order."""
        for step in _steps(all_steps):
            cell.forward(step, weights)

    def backward(
        self,
        cell: RecurrentCell,
        all_steps: StepTensors,
        weights: Tensors,
        grads: list[torch.Tensor],
        grad_sums: list[torch.Tensor],
        grad_outputs: Sequence[torch.Tensor | None],
    ) -> None:
        """Run the steps from the last to the first."""
        for t, step in reversed(list(enumerate(_steps(all_steps)))):
            for grad, output in zip(grads, grad_outputs, strict=True):
                if output is not None:
                    grad += output[t]
            cell.backward(step, weights, grads, grad_sums)


STEP_BY_STEP = StepByStep()


def unroll(
    cell: RecurrentCell,
    inputs: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor,
    initial: Tensors,
    weights: Tensors,
    extra_inputs: Tensors = (),
    loop: Loop = STEP_BY_STEP,
) -> tuple[torch.Tensor, ...]:
    """The states after every step, one (T, B, H) tensor for each carried state.

    inputs (T, B, I), weight (I, G), and bias (G,), or (B, G) where each row has its own: the input side. A weight
    narrower than the bias fills the last gates, the others begin as their bias; where it is None the inputs (T, B, G)
    are taken as they are. initial: the states before the first step, (B, H) each;
    weights: the cell's own weights; extra_inputs: further inputs of each step, (T, B, ·) each.
    Differentiable once, by everything that requires it.
    """
    return _Unroll.apply(cell, loop, len(extra_inputs), inputs, weight, bias, *extra_inputs, *initial, *weights)


def products(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Σ over steps and rows of leftᵀ right, (L, R), for left (T, B, L) and right (T, B, R)."""
    return mm(left.flatten(0, 1).T, right.flatten(0, 1))


class _Unroll(torch.autograd.Function):
    """The loop over time, forward and backward."""

    @staticmethod
    def forward(
        ctx: Any, cell: RecurrentCell, loop: Loop, num_extra: int, *tensors: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """The states after each step."""
        inputs, weight, bias = tensors[:3]
        extra_inputs, rest = tensors[3 : 3 + num_extra], tensors[3 + num_extra :]
        initial, weights = rest[: cell.states], rest[cell.states :]
        steps, rows, _ = inputs.shape
        size = initial[0].shape[1]
        gates = _input_side(inputs, weight, bias)
        history = [first.new_empty(steps + 1, rows, size) for first in initial]
        for states, first in zip(history, initial, strict=True):
            states[0] = first
        keep = loop.fills_tapes or any(ctx.needs_input_grad)
        saved = [gates.new_empty(steps if keep else 1, rows, size * width) for width in cell.saved.values()]
        before, after = [states[:-1] for states in history], [states[1:] for states in history]
        all_steps = StepTensors(
            gates, extra_inputs, before, after, saved if keep else [tape.expand(steps, -1, -1) for tape in saved]
        )
        loop.forward(cell, all_steps, weights)
        ctx.cell, ctx.loop, ctx.num_extra = cell, loop, num_extra
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs, weight, bias, *extra_inputs, *weights, gates, *history, *saved)
        return tuple(after)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grad_outputs: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """The gradients by the input side, extra inputs, initial states and weights."""
        cell, stack = ctx.cell, list(ctx.saved_tensors)
        inputs, weight, bias, *extra_inputs = stack[: 3 + ctx.num_extra]
        saved = [stack.pop() for _ in cell.saved][::-1]
        history = [stack.pop() for _ in range(cell.states)][::-1]
        gates = stack.pop()
        weights = stack[3 + ctx.num_extra :]
        grad_extra_inputs = [
            torch.empty_like(extra_input) if needed else None
            for extra_input, needed in zip(extra_inputs, ctx.needs_input_grad[6:], strict=False)
        ]
        before, after = [states[:-1] for states in history], [states[1:] for states in history]
        all_steps = StepTensors(gates, extra_inputs, before, after, saved, torch.empty_like(gates), grad_extra_inputs)
        grads = [torch.zeros_like(states[0]) for states in history]
        grad_sums = cell.new_grad_sums(grads[0], weights)
        ctx.loop.backward(cell, all_steps, weights, grads, grad_sums, grad_outputs)
        flat = all_steps.grad_gates.flatten(0, 1)  # (T B, G)
        if weight is None:
            grad_inputs, grad_weight = all_steps.grad_gates, None
        else:
            by_input = flat[:, flat.shape[1] - weight.shape[1] :]
            grad_inputs = mm(by_input, weight.T).view_as(inputs) if ctx.needs_input_grad[3] else None
            grad_weight = mm(inputs.flatten(0, 1).T, by_input)
        return (
            None,
            None,
            None,
            grad_inputs,
            grad_weight,
            flat.sum(dim=0) if bias.dim() == 1 else all_steps.grad_gates.sum(dim=0),
            *grad_extra_inputs,
            *grads,
            *cell.weight_gradients(all_steps, weights, grad_sums),
        )


def _input_side(inputs: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor) -> torch.Tensor:
    """The gates (T, B, G) before any state: one product over all steps."""
    if weight is None:
        return inputs + bias
    steps, rows, _ = inputs.shape
    if weight.shape[1] < bias.shape[-1]:
        gates = bias.expand(steps, rows, -1).clone(memory_format=torch.contiguous_format)
        gates[..., bias.shape[-1] - weight.shape[1] :] += mm(inputs.flatten(0, 1), weight).view(steps, rows, -1)
        return gates
    if bias.dim() == 1:
        return addmm(bias, inputs.flatten(0, 1), weight).view(steps, rows, -1)
    return mm(inputs.flatten(0, 1), weight).view(steps, rows, -1).add_(bias)


def _steps(all_steps: StepTensors) -> list[StepTensors]:
    """The views of each step into the tensors of all steps."""
    steps = len(all_steps.gates)
    gates = all_steps.gates.unbind(0)
    grad_gates = (None,) * steps if all_steps.grad_gates is None else all_steps.grad_gates.unbind(0)
    lists = (all_steps.extra_inputs, all_steps.before, all_steps.after, all_steps.saved, all_steps.grad_extra_inputs)
    rest = [_by_step(tensors, steps) for tensors in lists]
    return [
        StepTensors(*parts)
        for parts in zip(gates, rest[0], rest[1], rest[2], rest[3], grad_gates, rest[4], strict=True)
    ]


def _by_step(tensors: Sequence[torch.Tensor | None], steps: int) -> list[tuple[torch.Tensor | None, ...]]:
    """For each step, the views of that step into all ``tensors`` (T, ·, ·); None stays None."""
    views = [(None,) * steps if tensor is None else tensor.unbind(0) for tensor in tensors]
    return list(zip(*views, strict=True)) if views else [()] * steps
