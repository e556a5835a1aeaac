"""Listeners: objects that hear of a run's events, such as the terminal's display, the suite's record and MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cells.run_cell import CellOutcome
from harness.running.plan import PlannedCell


class RunListener:
    """Hears of a run's events; a method that is not overridden ignores its event."""

    def start(self) -> None:
        """The run starts."""

    def progress(self, planned: PlannedCell, record: Mapping[str, Any]) -> None:
        """A cell that this run computes reports a progress record."""

    def done(self, planned: PlannedCell, outcome: CellOutcome) -> None:
        """A cell is done; its result or its failure is stored."""

    def end(self, completed: bool) -> None:
        """The run ends; completed: it was neither interrupted nor stopped by an error."""


@dataclass(frozen=True)
class Listeners(RunListener):
    """Several listeners as one; each event reaches them in this order."""

    members: Sequence[RunListener]

    def start(self) -> None:
        """Pass the event on."""
        for listener in self.members:
            listener.start()

    def progress(self, planned: PlannedCell, record: Mapping[str, Any]) -> None:
        """Pass the event on."""
        for listener in self.members:
            listener.progress(planned, record)

    def done(self, planned: PlannedCell, outcome: CellOutcome) -> None:
        """Pass the event on."""
        for listener in self.members:
            listener.done(planned, outcome)

    def end(self, completed: bool) -> None:
        """Pass the event on."""
        for listener in self.members:
            listener.end(completed)
