"""Checkpoints: the whole state of a fit in one file, with its SHA-256 at the end."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys_data.atomic_write import atomic_write

FILE = "fit.pt"
_CHECKSUM_BYTES = 32
Generator = np.random.Generator | torch.Generator


class BrokenCheckpoint(ValueError):
    """A checkpoint that this fit cannot resume from."""


class CheckpointDamaged(BrokenCheckpoint):
    """A checkpoint whose content is not what was written: the fit must begin anew."""


def write_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` into ``folder``, in place of an older one; a reader never sees half of it."""
    with atomic_write(folder / FILE) as path, path.open("w+b") as file:
        torch.save(dict(state), file)
        file.seek(0)
        checksum = hashlib.file_digest(file, "sha256").digest()
        file.write(checksum)
        file.flush()
        os.fsync(file.fileno())


def read_checkpoint(folder: Path, identity: str) -> dict[str, Any] | None:
    """The state of a fit with this ``identity`` in ``folder``, or None if there is none.

    Raises CheckpointDamaged if the file was changed, and BrokenCheckpoint if it belongs to another fit.
    """
    path = folder / FILE
    if not path.exists():
        return None
    data = path.read_bytes()
    content = memoryview(data)[:-_CHECKSUM_BYTES]
    if hashlib.sha256(content).digest() != data[-_CHECKSUM_BYTES:]:
        raise CheckpointDamaged(f"{path} is damaged: it does not match its checksum")
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of any kind: torch names none
        raise CheckpointDamaged(f"{path} is damaged: torch cannot load it ({type(error).__name__})") from error
    if not isinstance(state, dict):
        raise CheckpointDamaged(f"{path} is damaged: it holds no state of a fit")
    if state.get("identity") != identity:
        raise BrokenCheckpoint(
            f"{path}: belongs to another fit ({state.get('identity')}), not to {identity}; "
            f"delete it or give each fit its own folder"
        )
    return state


def remove_checkpoint(folder: Path) -> None:
    """Remove the state in ``folder``."""
    (folder / FILE).unlink(missing_ok=True)


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
