"""Engine: what computes the loop over time. A fit resolves it once; its name is part of a cell's key.

``TORCH`` runs every cell on every device and is the reference for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from recsys_models.engine.unroll import STEP_BY_STEP, Loop, RecurrentCell, Tensors, unroll


@dataclass(frozen=True)
class Engine:
    """A loop over time, its name in keys, and what it supports: a cell with numbers of a type on a device."""

    name: str
    loop: Loop
    supports: Callable[[RecurrentCell, str, torch.dtype], bool]

    def unroll(
        self,
        cell: RecurrentCell,
        inputs: torch.Tensor,
        weight: torch.Tensor | None,
        bias: torch.Tensor,
        initial: Tensors,
        weights: Tensors,
        extra_inputs: Tensors = (),
    ) -> tuple[torch.Tensor, ...]:
        """The states after every step, as ``unroll`` gives them. Raises ValueError for what it does not support."""
        if not self.supports(cell, inputs.device.type, inputs.dtype):
            raise ValueError(
                f"the engine {self.name} does not run {type(cell).__name__} in {inputs.dtype} on {inputs.device.type}: "
                "use --engine torch"
            )
        return unroll(cell, inputs, weight, bias, initial, weights, extra_inputs, self.loop)


def _supported_by_torch(cell: RecurrentCell, device: str, dtype: torch.dtype) -> bool:
    """Whether the numbers are of a type that every cell computes with."""
    return dtype in (torch.float32, torch.float64)


TORCH = Engine("torch-unrolled", STEP_BY_STEP, _supported_by_torch)
