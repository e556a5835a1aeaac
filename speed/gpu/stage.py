"""A stage of the GPU check: its surroundings, its outcome, and the clock that kernels are timed by."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Surroundings:
    """Where and at which size stages run.

    device: "cpu" or "cuda:i"; tiny: sizes for a CPU, which check the script and measure nothing; data: the folder of
    data sets, or None; folder: for temporary results; cells_at_once: numbers of cells to try; ends: the monotonic time
    at which no stage may still run.
    """

    device: str
    tiny: bool
    folder: Path
    data: Path | None
    cells_at_once: tuple[int, ...]
    ends: float

    @property
    def seconds_left(self) -> float:
        """The time until the check must end."""
        return self.ends - time.monotonic()

    def has(self, *files: str) -> bool:
        """Whether the data folder holds these files, plain or as .xz."""
        from recsys_data.fetching.source import locate

        return self.data is not None and all(locate(self.data, name) is not None for name in files)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run this Python in the checkout until the check must end. Raises TimeoutExpired."""
        left = max(1.0, self.seconds_left)
        return subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=left, check=False
        )


@dataclass(frozen=True)
class Outcome:
    """The outcome of a stage: "ok", "failed" or "skipped", one sentence, and a table as rows with the same columns."""

    state: str
    sentence: str
    rows: Sequence[Mapping[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


class StageFailed(Exception):
    """A command of a stage did not do what it must."""


def checked(found: subprocess.CompletedProcess[str]) -> str:
    """The output of a command that must succeed. Raises StageFailed with the end of its output."""
    if found.returncode:
        tail = " | ".join((found.stdout + found.stderr).strip().splitlines()[-4:])
        raise StageFailed(f"{' '.join(found.args[1:4])} … ended with exit code {found.returncode}: {tail}")
    return found.stdout


def wall_times(functions: Mapping[str, Callable[[], object]], device: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of each function in ``rounds`` rounds that call all of them in turn, after a warm-up round."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    times: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + 1):
        for name, function in functions.items():
            wait()
            started = time.perf_counter()
            function()
            wait()
            if number:
                times[name].append(time.perf_counter() - started)
    return times


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return low, middle, high
