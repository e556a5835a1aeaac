"""Backend: the protocol of what computes jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from harness.cells.run_cell import CellJob, CellOutcome


class Backend(Protocol):
    """Computes jobs; the outcomes come in the order in which the jobs finish."""

    def run(self, jobs: Sequence[CellJob]) -> Iterator[CellOutcome]:
        """Yield one outcome per job. Raises StoreUnusable where results cannot be written."""
