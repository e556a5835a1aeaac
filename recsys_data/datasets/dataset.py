"""Dataset: the interface of all data sets; a check of their counts."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from recsys_data.fetching.source import Source
from recsys_data.interactions import Counts, Interactions


@runtime_checkable
class Dataset(Protocol):
    """A frozen dataclass that loads interactions; ``name`` is also its name on the command line.

    ``expected`` is None where no counts are known. ``licence`` and ``citation`` are one line each.
    """

    @property
    def name(self) -> str:
        """A short name without blanks, such as ml-100k."""

    @property
    def title(self) -> str:
        """The name in a report."""

    @property
    def expected(self) -> Counts | None:
        """The counts that ``load`` must find."""

    @property
    def licence(self) -> str:
        """The terms of use of the data."""

    @property
    def citation(self) -> str:
        """The citation for papers that use the data."""

    def present(self, folder: Path | None) -> bool:
        """Whether every file is under ``folder``, so that ``load`` fetches nothing."""

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events; DataMissing where files are missing and cannot be fetched."""


class FileDataset:
    """A data set read from the files of its ``source``."""

    source: Source

    def present(self, folder: Path | None) -> bool:
        """Whether every file is under the data folder."""
        return self.source.present(folder)


def check_counts(interactions: Interactions, expected: Counts, where: str) -> Interactions:
    """Return ``interactions``; raise ValueError with both counts if they are not the ``expected`` ones."""
    found = Counts.of(interactions)
    if found != expected:
        raise ValueError(
            f"{interactions.name}: {where} holds {found.summary(interactions.unit)}; expected "
            f"{expected.summary(interactions.unit)}; it is truncated or another edition, remove it and fetch it again"
        )
    return interactions
