"""Engine: what computes the loop over time. A fit resolves it once; its name is part of a cell's key.

``TORCH`` runs every cell on every device and is the reference for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from recsys_models.engine.unroll import STEP_BY_STEP, Loop, RecurrentCell, unroll


@dataclass(frozen=True)
class Engine:
    """A loop over time, its name in keys, and what it supports: a cell with numbers of a type on a device."""

    name: str
    loop: Loop
    supports: Callable[[RecurrentCell, str, torch.dtype], bool]

    def unroll(self, *arguments: Any) -> tuple[torch.Tensor, ...]:
        """The states after every step; the arguments are those of ``unroll``."""
        return unroll(*arguments, loop=self.loop)


TORCH = Engine("torch-unrolled", STEP_BY_STEP, lambda cell, device, dtype: dtype in (torch.float32, torch.float64))
