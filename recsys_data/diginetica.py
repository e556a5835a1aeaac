"""Diginetica (CIKM Cup 2016, track 2): the published split in the order of ``timeframe``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from recsys_data.dataset import Counts, checked
from recsys_data.download import Source
from recsys_data.interactions import Interactions
from recsys_data.published_sessions import read_sessions

LICENCE = "CIKM Cup 2016 competition rules, research use"
CITATION = "CIKM Cup 2016, track 2: Personalized E-Commerce Search Challenge (Diginetica)"


@dataclass(frozen=True)
class Diginetica:
    """Diginetica as published with SR-GNN's preprocessing: 719,470 training and 60,858 test pairs."""

    name: ClassVar[str] = "diginetica"
    title: ClassVar[str] = "Diginetica (published split, by timeframe)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Counts] = Counts(982_961, 202_633, 43_097)
    source: ClassVar[Source] = Source(
        ("diginetica/train-sessions.txt", "diginetica/test-sessions.txt"),
        home="github.com/CRIPAC-DIG/SR-GNN, whose script makes the split, written one session a line",
    )
    edition: ClassVar[str] = (
        "the last seven days held out, events of a session in the order of timeframe, order inside a session only; "
        "comparable with time-ordered results such as SR-GNN's, not with the published NARM and STAMP numbers, whose "
        "sessions are in file order"
    )

    def present(self, folder: Path | None) -> bool:
        """Whether both parts are under the data folder."""
        return self.source.present(folder)

    def load(self, folder: Path | None = None) -> Interactions:
        """982,961 views in 202,633 sessions with the published parts; DataMissing if a file is not there."""
        train, test = self.source.paths(folder, self.title)
        return checked(read_sessions(self.name, train, test, self.edition), self.expected, str(train.parent))
