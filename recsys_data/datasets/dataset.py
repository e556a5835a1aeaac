"""Dataset: a plain value that can load; Counts: what must be found in it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from recsys_data.fetching.source import Source
from recsys_data.interactions import Counts, Interactions


@runtime_checkable
class Dataset(Protocol):
    """A frozen dataclass with one verb; ``name`` is also what the command line calls it.

    ``expected`` is None where nothing is known beforehand. ``licence`` and ``citation`` are one line each.
    """

    @property
    def name(self) -> str:
        """A short name without blanks, such as ml-100k."""

    @property
    def title(self) -> str:
        """The name in a report."""

    @property
    def expected(self) -> Counts | None:
        """What ``load`` must find."""

    @property
    def licence(self) -> str:
        """Under which terms the data may be used."""

    @property
    def citation(self) -> str:
        """What a paper that uses the data cites."""

    def present(self, folder: Path | None) -> bool:
        """Whether ``load`` would find every file under ``folder`` without fetching."""

    def load(self, folder: Path | None = None) -> Interactions:
        """The events; raises download.DataMissing where the files are not there and cannot be fetched."""


class FromFiles:
    """A data set that is read from the files of its ``source``."""

    source: Source

    def present(self, folder: Path | None) -> bool:
        """Whether every file is under the data folder."""
        return self.source.present(folder)


def check_counts(interactions: Interactions, expected: Counts, where: str) -> Interactions:
    """``interactions``, if they have the ``expected`` counts; else ValueError with both in one sentence."""
    found = Counts.of(interactions)
    if found != expected:
        raise ValueError(
            f"{interactions.name}: {where} holds {found.words(interactions.unit)}; expected "
            f"{expected.words(interactions.unit)}; it is cut off or another edition, remove it and fetch it again"
        )
    return interactions
