"""Stored files read back: the records of a store, and one sentence for a file that is damaged."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

FOLDER = "remove its folder"  # what brings a cell back: the run after it computes it again


@contextlib.contextmanager
def reading(path: Path, remedy: str = FOLDER) -> Iterator[None]:
    """Turn what a damaged or missing file raises into a ValueError that names it and the ``remedy``."""
    try:
        yield
    except PermissionError:  # whole, as far as anybody knows
        raise
    except (pa.ArrowException, json.JSONDecodeError, UnicodeDecodeError, OSError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error}): {remedy} and run again") from error


def read_record(path: Path, needs: Iterable[str] = (), remedy: str = FOLDER) -> dict[str, Any] | None:
    """The object that a JSON file holds; None where there is no file.

    Raises ValueError naming a file that is cut off, or no object with the fields that it ``needs``, and the ``remedy``.
    """
    try:
        stored = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    with reading(path, remedy):
        found = json.loads(stored)
    lacks = [name for name in needs if not isinstance(found, dict) or name not in found]
    if lacks or not isinstance(found, dict):
        wanted = f"an object with {', '.join(lacks)}" if lacks else "an object"
        raise ValueError(f"{path} is damaged (expected {wanted}): {remedy} and run again")
    return found
