"""The cost of a run: its cells, and what it does besides: workers, data, compiling, the report and MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

from harness.running.estimates import Estimate, reference_ratio, reference_timings
from harness.system.environment import usable_cores


@dataclass(frozen=True)
class RunCost:
    """The cost of several cells: sums over the cells that have an estimate.

    seconds: wall time with ``jobs`` at once. memory_mb: of ``jobs`` processes. unknown: the number of cells without an
    estimate, by the model's type.
    """

    cells: int
    seconds: float
    memory_mb: float
    disk_mb: float
    unknown: Mapping[str, int]

    @property
    def known(self) -> int:
        """The number of cells with an estimate of time."""
        return self.cells - sum(self.unknown.values())


@dataclass(frozen=True)
class Overheads:
    """Seconds of what a run does besides its cells, as ``python -m speed.reference_timings`` measured them.

    worker: the start of a worker. forking_worker: of one that forks for each cell. cell: what each cell takes beside
    its fit and ranking. fork: what one with a process of its own takes more. report, tracking: of any first report and
    of MLflow. report_cell, tracking_cell: of each cell in them.
    """

    worker: float
    forking_worker: float
    cell: float
    fork: float
    report: float
    report_cell: float
    tracking: float
    tracking_cell: float

    @classmethod
    def here(cls, folder: Path) -> Self:
        """The reference values at this machine's speed, which is kept in ``folder``."""
        ratio, measured = reference_ratio(folder), reference_timings()["run"]
        return cls(**{field.name: measured[field.name] * ratio for field in fields(cls)})


def total_cost(estimates: Iterable[Estimate], jobs: int) -> RunCost:
    """The cost of cells, ``jobs`` at a time (at most one per core); the longest cell is a lower bound on time."""
    found = list(estimates)
    seconds = [e.seconds for e in found if e.seconds is not None]
    memory = sorted((e.memory_mb for e in found if e.memory_mb is not None), reverse=True)
    unknown: dict[str, int] = {}
    for estimate in found:
        if estimate.seconds is None:
            unknown[estimate.unmeasured] = unknown.get(estimate.unmeasured, 0) + 1
    return RunCost(
        cells=len(found),
        seconds=max(sum(seconds) / min(jobs, usable_cores()), max(seconds)) if seconds else 0.0,
        memory_mb=sum(memory[:jobs]),
        disk_mb=sum(e.disk_mb for e in found if e.disk_mb is not None),
        unknown=unknown,
    )


def run_cost(estimates: Iterable[Estimate], jobs: int, folder: Path) -> RunCost:
    """The cost of a run: that of its cells, and the seconds of Overheads; ``folder`` keeps this machine's speed.

    Workers start side by side, but each of them splits the data and compiles what no earlier process has compiled.
    """
    found = list(estimates)
    cost = total_cost(found, jobs)
    if not cost.known:
        return cost
    overheads, alone = Overheads.here(folder), sum(estimate.alone for estimate in found)
    once = {name: seconds for estimate in found for name, seconds in estimate.once.items()}
    seconds = [
        cost.seconds,
        (overheads.cell * len(found) + overheads.fork * alone) / min(jobs, usable_cores()),
        overheads.worker if alone < len(found) else 0.0,
        overheads.forking_worker if alone else 0.0,
        sum(once.values()),
        overheads.report + overheads.report_cell * cost.cells,
        overheads.tracking + overheads.tracking_cell * cost.cells,
    ]
    return replace(cost, seconds=sum(seconds))
