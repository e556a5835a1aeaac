"""Diginetica (CIKM Cup 2016, track 2): the raw views, and the published split in the order of ``timeframe``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from recsys_data.arrow import numbers, pa, pc
from recsys_data.checks import check_choice
from recsys_data.columns.times import day_and_offset
from recsys_data.containers.tables import read_table
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.datasets.session_files import PublishedSessions
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.interactions import Clock, Counts, Interactions

LICENCE = "CIKM Cup 2016 competition rules, research use"
CITATION = "CIKM Cup 2016, track 2: Personalized E-Commerce Search Challenge (Diginetica)"


@dataclass(frozen=True)
class Diginetica(PublishedSessions):
    """Diginetica as published with SR-GNN's preprocessing: 719,470 training and 60,858 test pairs."""

    name: ClassVar[str] = "diginetica"
    title: ClassVar[str] = "Diginetica (published split, by timeframe)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Counts] = Counts(982_961, 202_633, 43_097)
    source: ClassVar[Source] = Source(
        ("diginetica/train-sessions.txt", "diginetica/test-sessions.txt"),
        home="github.com/CRIPAC-DIG/SR-GNN, whose script makes the split, written as one session per line",
    )
    edition: ClassVar[str] = (
        "the last seven days held out, events of a session in the order of timeframe, order inside a session only; "
        "comparable with time-ordered results such as SR-GNN's, not with the published NARM and STAMP numbers, whose "
        "sessions are in file order"
    )


@dataclass(frozen=True)
class DigineticaViews(FileDataset):
    """The raw item views of Diginetica, train-item-views.csv, with times.

    order: "timeframe" (milliseconds since the session's first query: the true order) or "file" (the time is the day
    only; events of a day keep the order of the file, as in the published NARM and STAMP numbers; few sessions cross
    midnight). sample: SR-GNN's sample of 12,391 rows, for checks.
    """

    order: str = "timeframe"
    sample: bool = False

    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION

    def __post_init__(self) -> None:
        check_choice(self, "order", ("timeframe", "file"))

    @property
    def name(self) -> str:
        """diginetica-views, and fields other than the defaults."""
        return "diginetica-views" + ("-file-order" * (self.order == "file")) + ("-sample" * self.sample)

    @property
    def title(self) -> str:
        """The name in a report."""
        return f"Diginetica (raw views, by {self.order}{', sample' * self.sample})"

    @property
    def expected(self) -> Counts | None:
        """The counts of the sample; those of the whole file are not published."""
        return Counts(12_391, 2_986, 7_139) if self.sample else None

    @property
    def source(self) -> Source:
        """The file, which requires a registration."""
        name = "sample_train-item-views.csv" if self.sample else "train-item-views.csv"
        return Source(
            (f"diginetica/{name}",),
            home="https://competitions.codalab.org/competitions/11161, after registration",
        )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the views of all sessions; DataMissing if the file is missing."""
        (path,) = self.source.paths(folder, self.title)
        columns = ("session", "user", "item", "timeframe", "date")
        types = {"session": pa.int64(), "item": pa.int64(), "timeframe": pa.int64(), "date": pa.date32()}
        table = read_table(read_bytes(path), columns, types, separator=";", header=True, where=str(path))
        sessions = numbers(table["session"])
        days = numbers(pc.cast(table["date"], pa.int32())) * 86_400.0
        times = days
        if self.order == "timeframe":
            times = day_and_offset(sessions, days, numbers(table["timeframe"]) / 1e3)
        loaded = Interactions.from_events(
            self.name,
            sessions,
            numbers(table["item"]),
            times,
            clock=Clock.ABSOLUTE,
            unit="session",
            edition=f"raw views, events of a session in the order of {self.order}",
        )
        return loaded if self.expected is None else check_counts(loaded, self.expected, str(path))
