"""Input: something to parse; Parser: how random inputs of one kind are made."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Input:
    """``read`` parses it; ``names`` are what an error may call it; ``shown`` is the content, for failures."""

    read: Callable[[], Any]
    names: tuple[str, ...]
    shown: Any


@dataclass(frozen=True)
class Parser:
    """A kind of input, how many are documented, and the function that draws one and writes its files."""

    name: str
    tries: int
    draw: Callable[[random.Random], Input]


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into an existing folder, and return the folder."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
