"""Locks between processes: a lock file that one process holds, freed by the system when that process dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

POLL_SECONDS = 0.1


@contextlib.contextmanager
def file_lock(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock at ``path``; False where another holds it and ``wait`` is off. Its folder must exist.

    fallback_to_soft is off: a lock that outlives a killed process would block every later run.
    """
    lock = FileLock(path, poll_interval=POLL_SECONDS, fallback_to_soft=False)
    with contextlib.suppress(Timeout):
        lock.acquire(blocking=wait)
    try:
        yield lock.is_locked
    finally:
        lock.release()
