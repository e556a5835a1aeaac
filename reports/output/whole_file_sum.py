"""Whole-file sum: the SHA-256 of all earlier bytes of a file, written at its end."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

SUM_LENGTH = 64  # hexadecimal digits
_BLOCK = 1 << 20


def seal_file(path: Path) -> None:
    """Replace the last SUM_LENGTH bytes of a file by the sum of the bytes before them."""
    with path.open("r+b") as file:
        found = _sum(file)
        file.seek(-SUM_LENGTH, os.SEEK_END)
        file.write(found)


def whole_file_changed(path: Path) -> bool:
    """Whether the bytes at the end of a file are not the sum of the bytes before them."""
    with path.open("rb") as file:
        return _sum(file) != file.read()


def _sum(file: BinaryIO) -> bytes:
    """The sum of all bytes but the last SUM_LENGTH, where it leaves the position."""
    left = file.seek(0, os.SEEK_END) - SUM_LENGTH
    file.seek(0)
    found = hashlib.sha256()
    while left > 0 and (block := file.read(min(left, _BLOCK))):
        found.update(block)
        left -= len(block)
    return found.hexdigest().encode()
