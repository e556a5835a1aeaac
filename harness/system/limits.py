"""Limits of one cell: its time and its memory, as they are written on the command line or in a suite."""

from __future__ import annotations

import math
import re
import resource
from pathlib import Path

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30,
          "tib": 2**40}  # fmt: skip
_PAGE = resource.getpagesize()
_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


def parse_seconds(value: str | float) -> float:
    """Read a time limit: seconds (90 or "90"), "10m", "2h", "1d". Raises ValueError for anything else."""
    seconds = _parse(value, _SECONDS)
    if seconds is None:
        raise ValueError(f"a time limit of {value!r} cannot be used: expected seconds or a unit, such as 90, 10m or 2h")
    return seconds


def parse_bytes(value: str | float) -> int:
    """Read a memory limit: bytes, "500MB", "4GB" or "4GiB".

    Raises ValueError for anything else, and on a system that does not tell the memory of a process.
    """
    size = _parse(value, _BYTES)
    if size is None or size < 1:
        raise ValueError(f"a memory limit of {value!r} cannot be used: expected a size such as 500MB, 4GB or 4GiB")
    if not Path("/proc/self/statm").exists():
        raise ValueError("a memory limit needs /proc, which this system does not have: run without it")
    return int(size)


def _parse(value: str | float, units: dict[str, int]) -> float | None:
    """A number with a unit, in the smallest unit; None where it is not a positive, finite number."""
    match = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value))
    if match is None or match[2].lower() not in units:
        return None
    found = float(match[1]) * units[match[2].lower()]
    return found if 0 < found < math.inf else None


def resident_bytes(pid: int) -> int:
    """The resident memory of process ``pid`` and its descendants; 0 where it has ended."""
    total = 0
    try:
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)]
    except (OSError, IndexError):
        return total
    return total + sum(resident_bytes(child) for child in children)


def _children(task: Path) -> list[int]:
    """The child processes that a thread started; none where the system does not list them."""
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return []
