"""Compiled kernels: whether numba's cache on disk has the kernels of a source file."""

from __future__ import annotations

import os
from pathlib import Path


def has_compiled_kernels(source: Path) -> bool:
    """Whether numba's folder holds kernels of the file ``source`` as it is now."""
    chosen, names = os.environ.get("NUMBA_CACHE_DIR"), f"{source.stem}.*.nbi"
    places = Path(chosen).glob(f"{source.parent.name}_*") if chosen else [source.parent / "__pycache__"]
    written = source.stat().st_mtime
    return any(index.stat().st_mtime >= written for place in places for index in place.glob(names))
