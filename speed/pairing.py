"""Pairs of timings taken in turn, on the clock of this process's own CPU seconds, one thread."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from harness.system.environment import cpu_model


def require_one_thread() -> None:
    """Stop unless the libraries below were told to use one thread."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        raise SystemExit("OMP_NUM_THREADS must be 1, so that a CPU second means the same on both sides")


def data_folder() -> Path | None:
    """Where the data are: ENCORE_DATA, or None for the project's own folder."""
    folder = os.environ.get("ENCORE_DATA")
    return Path(folder) if folder else None


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def in_turn(works: Sequence[Callable[[], object]], rounds: int = 5) -> list[list[float]]:
    """CPU seconds (works, rounds), each round running every one of ``works`` once, after one call to warm up."""
    for work in works:
        work()
    times = [[seconds(work) for work in works] for _ in range(rounds)]
    return [list(column) for column in zip(*times, strict=True)]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median (least to most)."""
    middle = statistics.median(values)
    return f"{middle:.{digits}g} ({min(values):.{digits}g} to {max(values):.{digits}g})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The spread of ours / theirs, round by round."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def machine() -> str:
    """One line: processor, cores, PyTorch."""
    return f"{cpu_model()}, {os.cpu_count()} cores, PyTorch {version('torch')}"


def peak_memory() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
