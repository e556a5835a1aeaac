"""The serial backend: cells one after the other in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.cells.run_cell import CellJob, CellOutcome, run_cell


@dataclass(frozen=True)
class SerialBackend:
    """Computes each cell in this process, in the order of the jobs."""

    def run(self, jobs: Sequence[CellJob]) -> Iterator[CellOutcome]:
        """Yield one outcome per job."""
        yield from map(run_cell, jobs)
