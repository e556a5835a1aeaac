"""Checkpoints: all state of a fit, written aside and renamed into place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

FILE = "fit.pt"
Generator = np.random.Generator | torch.Generator


class BrokenCheckpoint(ValueError):
    """A checkpoint that cannot be read, or that belongs to another fit."""


def write_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Put ``state`` into ``folder``; whoever reads sees the old state or the new one, never half of one."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{FILE}.{os.getpid()}"
    with aside.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / FILE)


def read_checkpoint(folder: Path, identity: str) -> dict[str, Any] | None:
    """The state that a fit with this ``identity`` left in ``folder``, or None where there is none.

    Raises BrokenCheckpoint if the file cannot be read or was left by another fit.
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
            f"{path}: left by another fit ({state.get('identity')}), not by {identity}; "
            f"delete it or give each fit its own folder"
        )
    return state


def generator_state(generator: Generator) -> Any:
    """The state of a NumPy or torch generator, in types that a checkpoint may hold."""
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    state = generator.bit_generator.state
    return {**state, "state": {name: str(value) for name, value in state["state"].items()}}  # 128-bit numbers as text


def restore_generator(generator: Generator, state: Any) -> None:
    """Set a generator to a state that ``generator_state`` gave."""
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    else:
        numbers = {name: int(value) for name, value in state["state"].items()}
        generator.bit_generator.state = {**state, "state": numbers}
