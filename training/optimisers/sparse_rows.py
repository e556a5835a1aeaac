"""Row-sparse updates: a torch optimiser that moves only the rows in a row-sparse gradient."""

from __future__ import annotations

from typing import Any

import torch


def update_rows_only(optimiser: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Make ``optimiser`` update only the rows in the gradient of a weight whose gradient is row-sparse.

    A step extracts the rows of the weight and of its moments and writes them back afterwards; all other rows, their
    moments and their weight decay stay as they are. Step counts belong to the whole weight. If every step has every
    row, or if the rule moves no row without a gradient (SGD and AdaGrad without momentum), this is the dense rule.
    """
    extracted: list[tuple[torch.nn.Parameter, torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]] = []

    def extract(chosen: torch.optim.Optimizer, *_: Any) -> None:
        for group in chosen.param_groups:
            for weight in group["params"]:
                if weight.grad is None or not weight.grad.is_sparse:
                    continue
                grad, state = weight.grad.coalesce(), chosen.state[weight]
                rows, whole = grad.indices()[0], weight.data
                moments = {name: value for name, value in state.items() if _is_like(value, whole)}
                extracted.append((weight, whole, rows, moments))
                state.update({name: value.index_select(0, rows) for name, value in moments.items()})
                weight.grad = None  # a gradient must have its weight's shape
                weight.data = whole.index_select(0, rows)
                weight.grad = grad.values()

    def write_back(chosen: torch.optim.Optimizer, *_: Any) -> None:
        for weight, whole, rows, moments in extracted:
            state, part = chosen.state[weight], weight.data
            for name, value in state.items():
                if _is_like(value, part):  # a moment created in this step is zero in all other rows
                    state[name] = moments.get(name, torch.zeros_like(whole)).index_copy_(0, rows, value)
            whole.index_copy_(0, rows, part)
            weight.grad = None
            weight.data = whole
        extracted.clear()

    optimiser.register_step_pre_hook(extract)
    optimiser.register_step_post_hook(write_back)
    return optimiser


def _is_like(value: Any, weight: torch.Tensor) -> bool:
    """Whether an optimiser's state value has the weight's shape."""
    return isinstance(value, torch.Tensor) and value.shape == weight.shape
