"""Reasons why a process ended, from its exit code and the kernel's count of processes killed for memory."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

_CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGTRAP")


def memory_kills() -> int:
    """The number of processes that the kernel has ended because memory ran out, here or in this control group."""
    counts = [0]
    for path in _counters():
        try:
            counts += [int(number) for number in re.findall(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)]
        except OSError:
            continue
    return max(counts)


def _counters() -> Iterator[Path]:
    """The files with the kernel's counts: of the machine, and of the control group (version 1 or 2) of this process."""
    yield Path("/proc/vmstat")
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            yield Path(f"/sys/fs/cgroup{group}") / "memory.events"
        elif "memory" in controllers.split(","):
            yield Path(f"/sys/fs/cgroup/memory{group}") / "memory.oom_control"


def exit_reason(code: int, memory_kills_before: int) -> str:
    """Say why a process ended: its exit code, or the signal (a negative code), and memory only where it ran out."""
    if code >= 0:
        return f"its process exited with code {code} in the middle of the cell"
    name = signal_name(-code)
    if name == "SIGKILL" and memory_kills() > memory_kills_before:
        return ("memory ran out, and the system ended its process (SIGKILL); use a smaller batch_size or dim, fewer "
                "--jobs, or a larger machine")  # fmt: skip
    how = "crashed in native code" if name in _CRASHES else "was ended by a signal"
    return f"its process {how} ({name})"


def signal_name(number: int) -> str:
    """The name of a signal, such as SIGSEGV."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
