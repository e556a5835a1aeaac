"""Backend: the protocol of what computes jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from harness.cells.run_cell import CellJob, CellOutcome

Progress = Callable[[str, Mapping[str, Any]], None]  # of a cell, by its key, and a record


def ignored(_key: str, _record: Mapping[str, Any]) -> None:
    """Ignore progress."""


class BackendLost(ConnectionError):
    """The backend cannot be reached any more; finished cells are kept. options: those that ask for it again."""

    def __init__(self, message: str, options: str = "") -> None:
        super().__init__(message)
        self.options = options


class Backend(Protocol):
    """Computes jobs; the outcomes come in the order in which the jobs finish."""

    def run(self, jobs: Sequence[CellJob], progress: Progress = ignored) -> Iterator[CellOutcome]:
        """Yield one outcome per job; ``progress`` hears of records that workers cannot write into the results folder.

        Raises StoreUnusable where results cannot be written, and BackendLost.
        """
