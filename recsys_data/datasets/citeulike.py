"""CiteULike: the who-posted-what log, the HCRNN paper's edition with times, citeulike-a and -t without order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.arrow import pa
from recsys_data.checks import check_choice
from recsys_data.columns.times import to_seconds
from recsys_data.containers.tables import read_table
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.datasets.hcrnn import CITATION, HCRNNDataset
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.files.ragged import read_ragged
from recsys_data.interactions import Clock, Counts, Interactions
from recsys_data.vocabulary import encode_ids

_LIBRARIES = {"a": Counts(204_986, 5_551, 16_980), "t": Counts(134_860, 7_947, 25_584)}


@dataclass(frozen=True)
class CiteULikeHCRNN(HCRNNDataset):
    """CiteULike postings as filtered and split for the HCRNN paper, with true times."""

    name: ClassVar[str] = "citeulike-hcrnn"
    title: ClassVar[str] = "CiteULike (HCRNN's edition)"
    licence: ClassVar[str] = "CiteULike: research use with citation"
    citation: ClassVar[str] = CITATION
    expected: ClassVar[Counts] = Counts(49_662, 1_798, 1_980)
    source: ClassVar[Source] = Source(
        tuple(f"citeulike/{part}.txt" for part in ("train", "valid", "test")),
        home="github.com/gtshs2/HCRNN, data/citeulike",
    )
    edition: ClassVar[str] = (
        "filtered, at most 100 postings per user, no repeated item, users split 1,294/144/360 as published by the "
        "HCRNN paper; not the set of the Time-LSTM paper, so not comparable with its numbers"
    )
    in_parts: ClassVar[bool] = True


@dataclass(frozen=True)
class CiteULikeLibraries(FileDataset):
    """citeulike-a or citeulike-t: the articles in each user's library, without order and times."""

    which: str = "a"

    licence: ClassVar[str] = "research use with citation"

    def __post_init__(self) -> None:
        check_choice(self, "which", _LIBRARIES)

    @property
    def name(self) -> str:
        """citeulike-a or citeulike-t."""
        return f"citeulike-{self.which}"

    @property
    def title(self) -> str:
        """The name in a report."""
        return self.name

    @property
    def citation(self) -> str:
        """The paper that the authors ask to cite."""
        return (
            "Hao Wang, Binyi Chen, Wu-Jun Li: Collaborative Topic Regression with Social Regularization for Tag "
            "Recommendation. IJCAI 2013"
        )

    @property
    def expected(self) -> Counts:
        """The counts of the file (the README of citeulike-a has one pair more, that of -t 391 articles more)."""
        return _LIBRARIES[self.which]

    @property
    def source(self) -> Source:
        """The file users.dat of the official repository."""
        return Source(
            (f"citeulike-{self.which}/users.dat",), home=f"github.com/js05212/citeulike-{self.which}, users.dat"
        )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the libraries in the order of article numbers, which has no meaning (clock NONE)."""
        (path,) = self.source.paths(folder, self.title)
        values, lengths = read_ragged(read_bytes(path), str(path))
        starts = np.cumsum(lengths) - lengths
        wrong = np.flatnonzero((lengths == 0) | (values[np.minimum(starts, len(values) - 1)] != lengths - 1))
        if len(wrong):
            line = int(wrong[0])
            raise ValueError(
                f"{path}: line {line + 1} has {max(0, lengths[line] - 1)} articles and announces another number; "
                "expected as many as it announces"
            )
        articles = np.ones(len(values), dtype=bool)
        articles[starts] = False
        loaded = Interactions.from_events(
            self.name,
            np.repeat(np.arange(len(lengths)), lengths - 1),
            values[articles],
            None,
            clock=Clock.NONE,
            edition="libraries sorted by article number: no order, no time; only for baselines that need no order",
        )
        return check_counts(loaded, self.expected, str(path))


@dataclass(frozen=True)
class CiteULikeLog(FileDataset):
    """The log of postings (article, user, time), one line per tag; consecutive lines of one posting are one event."""

    name: ClassVar[str] = "citeulike-log"
    title: ClassVar[str] = "CiteULike (who-posted-what log)"
    licence: ClassVar[str] = "CiteULike: research use with citation"
    citation: ClassVar[str] = "CiteULike, who-posted-what data, www.citeulike.org (closed in 2019)"
    expected: ClassVar[None] = None  # the log grew daily; no counts are published
    source: ClassVar[Source] = Source(
        ("citeulike/who-posted-what.txt",),
        home="a private copy of the log; its official address no longer exists",
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load all postings with times; DataMissing if the log is missing, ValueError that names a wrong row."""
        (path,) = self.source.paths(folder, self.title)
        text = pa.dictionary(pa.int32(), pa.string())
        types = {"article": text, "user": text, "time": pa.string()}
        data = read_bytes(path)
        # the official script reads three columns, and some copies have only these
        columns = ("article", "user", "time", "tag")[: 1 + data.partition(b"\n")[0].count(b"|")]
        table = read_table(data, columns if len(columns) > 2 else ("article", "user", "time", "tag"), types,
                           separator="|", where=str(path))  # fmt: skip
        articles, users = encode_ids(table["article"]), encode_ids(table["user"])
        times, kind = to_seconds(table["time"], str(path))
        first = np.ones(len(times), dtype=bool)
        first[1:] = (
            (articles.codes[1:] != articles.codes[:-1])
            | (users.codes[1:] != users.codes[:-1])
            | (times[1:] != times[:-1])
        )
        return Interactions.from_events(
            self.name,
            users.ids[users.codes[first]],
            articles.ids[articles.codes[first]],
            times[first],
            clock=Clock.ABSOLUTE,
            edition=f"the whole log, unfiltered, times in {kind}; the Time-LSTM paper filtered its copy by thresholds "
            "that it does not give, so not comparable with its numbers without them",
        )
