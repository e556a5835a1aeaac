"""Row updates: an optimiser of torch's that moves, and remembers, only the rows that a row-sparse gradient names."""

from __future__ import annotations

from typing import Any

import torch


def by_rows(optimiser: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """``optimiser``, whose rule is applied to the named rows alone where a weight's gradient is row-sparse.

    The rows of the weight and of its moments are taken out before a step and put back after it; all other rows, their
    moments and their weight decay wait. Counts of steps run on for the whole weight. Where every row is named in every
    step, or where the rule moves no row without a gradient (SGD and AdaGrad without momentum), this is the dense rule.
    """
    taken: list[tuple[torch.nn.Parameter, torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]] = []

    def take(chosen: torch.optim.Optimizer, *_: Any) -> None:
        for group in chosen.param_groups:
            for weight in group["params"]:
                if weight.grad is None or not weight.grad.is_sparse:
                    continue
                grad, state = weight.grad.coalesce(), chosen.state[weight]
                rows, whole = grad.indices()[0], weight.data
                moments = {name: value for name, value in state.items() if _is_like(value, whole)}
                taken.append((weight, whole, rows, moments))
                state.update({name: value.index_select(0, rows) for name, value in moments.items()})
                weight.grad = None  # a gradient must have its weight's shape
                weight.data = whole.index_select(0, rows)
                weight.grad = grad.values()

    def put_back(chosen: torch.optim.Optimizer, *_: Any) -> None:
        for weight, whole, rows, moments in taken:
            state, part = chosen.state[weight], weight.data
            for name, value in state.items():
                if _is_like(value, part):  # a moment that this step has born starts at zero in all other rows
                    state[name] = moments.get(name, torch.zeros_like(whole)).index_copy_(0, rows, value)
            whole.index_copy_(0, rows, part)
            weight.grad = None
            weight.data = whole
        taken.clear()

    optimiser.register_step_pre_hook(take)
    optimiser.register_step_post_hook(put_back)
    return optimiser


def _is_like(value: Any, weight: torch.Tensor) -> bool:
    """Whether a value of an optimiser's state has a row for every row of the weight."""
    return isinstance(value, torch.Tensor) and value.shape == weight.shape
