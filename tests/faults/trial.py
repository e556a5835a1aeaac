"""Trial: one kind of fault, how often it was tried, and how often Encore held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Trial:
    """A kind of fault, counted: each try either held or is a line of ``failures``.

    what: the fault and what must hold, as a row of docs/reliability.md says it.
    """

    what: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, failure: str = "") -> None:
        """Count one try; ``failure`` says what went wrong, empty where it held."""
        self.tried += 1
        if failure:
            self.failures.append(failure)

    @property
    def held(self) -> int:
        """The number of tries in which nothing was lost or changed."""
        return self.tried - len(self.failures)


def table(trials: Sequence[Trial]) -> str:
    """The trials as a Markdown table."""
    rows = [f"| {trial.what} | {trial.tried:,} | {trial.held:,} | {len(trial.failures):,} |" for trial in trials]
    return "\n".join(["| trial | tried | held | failed |", "|---|---|---|---|", *rows])
