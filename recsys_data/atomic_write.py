"""Atomic writes: a file is written under a temporary name and renamed, so readers never see half of it."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces ``path`` if the block succeeds and is deleted if it fails.

    The file has the permissions that open() would give it: those of an existing file, else those of the umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_beside(path: Path) -> Path:
    """A hidden, unused name in the folder of ``path``. What is made there by mkdir() or open() respects the umask."""
    return path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:12]}")


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, replacing an existing file; create the folder if needed."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)
