"""Checkpoints: the whole state of a fit in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys_data.atomic_write import atomic_write

FILE = "fit.pt"
Generator = np.random.Generator | torch.Generator


class BrokenCheckpoint(ValueError):
    """A checkpoint that cannot be read, or that belongs to another fit."""


def write_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` into ``folder``, in place of an older one; a reader never sees half of it."""
    with atomic_write(folder / FILE) as path, path.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())


def read_checkpoint(folder: Path, identity: str) -> dict[str, Any] | None:
    """The state of a fit with this ``identity`` in ``folder``, or None if there is none.

    Raises BrokenCheckpoint if the file cannot be read or belongs to another fit.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:
        raise BrokenCheckpoint(
            f"{path}: not a readable checkpoint ({type(problem).__name__}); delete it to fit anew"
        ) from problem
    if state.get("identity") != identity:
        raise BrokenCheckpoint(
            f"{path}: belongs to another fit ({state.get('identity')}), not to {identity}; "
            f"delete it or give each fit its own folder"
        )
    return state


def generator_state(generator: Generator) -> Any:
    """The state of a NumPy or torch generator in types that a checkpoint may hold."""
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    state = generator.bit_generator.state
    return {**state, "state": {name: str(value) for name, value in state["state"].items()}}  # 128-bit numbers as text


def restore_generator(generator: Generator, state: Any) -> None:
    """Set a generator to a state from ``generator_state``."""
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    else:
        numbers = {name: int(value) for name, value in state["state"].items()}
        generator.bit_generator.state = {**state, "state": numbers}
