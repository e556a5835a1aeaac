"""Timing: CPU seconds of functions run in turn in one process, on one thread."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from harness.system.environment import cpu_model


def require_one_thread() -> None:
    """Exit unless OMP_NUM_THREADS is 1, so that a CPU second means the same on both sides."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        raise SystemExit("OMP_NUM_THREADS must be 1, so that a CPU second means the same on both sides")


def prepare_torch() -> None:
    """Require one thread and set PyTorch as a run of a suite does: one thread, deterministic algorithms."""
    import torch

    require_one_thread()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False


def seconds(function: Callable[[], object]) -> float:
    """The CPU seconds of one call."""
    started = time.process_time()
    function()
    return time.process_time() - started


def in_turn(functions: Sequence[Callable[[], object]], rounds: int = 5) -> list[list[float]]:
    """CPU seconds (functions, rounds): each round calls every function once, after one warm-up call of each."""
    for function in functions:
        function()
    times = [[seconds(function) for function in functions] for _ in range(rounds)]
    return [list(column) for column in zip(*times, strict=True)]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Format as median (minimum to maximum)."""
    middle = statistics.median(values)
    return f"{middle:.{digits}g} ({min(values):.{digits}g} to {max(values):.{digits}g})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Format ours / theirs, round by round, as ``spread`` does."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def machine() -> str:
    """The processor, number of cores and PyTorch version, in one line."""
    return f"{cpu_model()}, {os.cpu_count()} cores, PyTorch {version('torch')}"


def peak_memory() -> float:
    """The peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
