"""YooChoose (RecSys Challenge 2015): the raw clicks, the published 1/64 split and a slice of the first week."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.arrow import numbers, pa, pc
from recsys_data.containers.tables import read_arrays, read_table
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.datasets.session_files import PublishedSessions
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.interactions import Clock, Counts, Interactions
from recsys_data.split import TEST, TRAIN

LICENCE = "CC BY-NC-ND 4.0 as stated in the archive: read the archive's own file"
CITATION = "David Ben-Shimon et al.: RecSys Challenge 2015 and the YOOCHOOSE Dataset. RecSys 2015"


@dataclass(frozen=True)
class YooChoose64(PublishedSessions):
    """YooChoose 1/64 as published with SR-GNN's preprocessing: 369,859 training and 55,898 test pairs."""

    name: ClassVar[str] = "yoochoose-1-64"
    title: ClassVar[str] = "YooChoose 1/64 (published split)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Counts] = Counts(557_248, 131_491, 17_745)
    source: ClassVar[Source] = Source(
        ("yoochoose/1_64/train-sessions.txt", "yoochoose/1_64/test-sessions.txt"),
        home="github.com/CRIPAC-DIG/SR-GNN, whose script makes the split, written as one session per line",
    )
    edition: ClassVar[str] = (
        "the 1/64 split cut by date, as NARM and SR-GNN do, order inside a session only; comparable with their "
        "results and, on the same test sessions, with STAMP's up to its other choice of training sessions; 369 test "
        "items do not occur in the training part"
    )


@dataclass(frozen=True)
class YooChoose100k(FileDataset):
    """A slice of YooChoose's first week with true times, split as session-rec publishes it."""

    name: ClassVar[str] = "yoochoose-100k"
    title: ClassVar[str] = "YooChoose (slice of the first week)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Counts] = Counts(83_846, 21_210, 2_933)
    source: ClassVar[Source] = Source(
        ("yoochoose/100k/train_full.txt", "yoochoose/100k/test.txt"),
        home="github.com/rn5l/session-rec, data/rsc15/prepared, saved as train_full.txt and test.txt",
    )
    edition: ClassVar[str] = (
        "sessions of 2014-04-01 to 2014-04-08, the last day held out, times read as local time by that project; a "
        "slice for trials, comparable with no published table"
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load 83,846 clicks in 21,210 sessions with the published parts; DataMissing if a file is missing."""
        paths = self.source.paths(folder, self.title)
        names = ("SessionId", "ItemId", "Time")
        types = {"SessionId": pa.int64(), "ItemId": pa.int64(), "Time": pa.float64()}
        tables = [read_arrays(read_bytes(path), names, types, header=True, where=str(path)) for path in paths]
        session, item, when = (np.concatenate([table[name] for table in tables]) for name in names)
        loaded = Interactions.from_events(
            self.name,
            session,
            item,
            when,
            clock=Clock.ABSOLUTE,
            unit="session",
            edition=self.edition,
            parts=np.repeat([TRAIN, TEST], [len(table["Time"]) for table in tables]),
        )
        return check_counts(loaded, self.expected, str(paths[0].parent))


@dataclass(frozen=True)
class YooChooseClicks(FileDataset):
    """All clicks of YooChoose, yoochoose-clicks.dat, with true times.

    The papers' 1/4 and 1/64 are fractions of the training part, which the protocol cuts: LastDays(fraction=64).
    """

    name: ClassVar[str] = "yoochoose"
    title: ClassVar[str] = "YooChoose (all clicks)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Counts] = Counts(33_003_944, 9_249_729, 52_739)
    source: ClassVar[Source] = Source(
        ("yoochoose/yoochoose-clicks.dat",),
        ("https://s3-eu-west-1.amazonaws.com/yc-rdata/yoochoose-data.7z",),
        into="yoochoose",
        home="https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015",
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load 33,003,944 clicks in 9,249,729 sessions; DataMissing if the file is missing and cannot be fetched."""
        (path,) = self.source.paths(folder, self.title)
        return check_counts(read_clicks(path, self.name), self.expected, str(path))


def read_clicks(path: Path, name: str) -> Interactions:
    """Read the clicks of a file in the official format: session, time (ISO 8601), item, category."""
    types = {"session": pa.int64(), "time": pa.timestamp("ms", "UTC"), "item": pa.int64()}
    data = path if path.suffix != ".xz" else read_bytes(path)
    table = read_table(data, ("session", "time", "item", "category"), types, separator=",", where=str(path))
    return Interactions.from_events(
        name,
        table["session"],
        table["item"],
        numbers(pc.cast(table["time"], pa.int64())) / 1e3,
        clock=Clock.ABSOLUTE,
        unit="session",
        edition="official release, all clicks",
    )
