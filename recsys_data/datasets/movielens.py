"""MovieLens 100K, 1M and 10M, and four editions of 1M: without times, or with few events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from recsys_data.arrow import pa
from recsys_data.containers.tables import read_arrays
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.datasets.hcrnn import CITATION as HCRNN
from recsys_data.datasets.hcrnn import HCRNNDataset
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.interactions import Clock, Counts, Interactions

_HOST = "https://files.grouplens.org/datasets/movielens"
_LICENCE = "GroupLens: research use with acknowledgement; no redistribution and no commercial use without permission"
_CITATION = (
    "F. Maxwell Harper, Joseph A. Konstan: The MovieLens Datasets: History and Context. ACM TiiS 5(4), 2015, "
    "doi 10.1145/2827872"
)


def _read_ratings(name: str, path: Path, separator: str, edition: str) -> Interactions:
    """Read ratings with Unix seconds; every rating is an interaction."""
    types = {"user": pa.int64(), "item": pa.int64(), "rating": pa.float32(), "timestamp": pa.int64()}
    table = read_arrays(read_bytes(path), tuple(types), types, separator=separator, where=str(path))
    return Interactions.from_events(
        name,
        table["user"],
        table["item"],
        table["timestamp"],
        ratings=table["rating"],
        clock=Clock.ABSOLUTE,
        edition=edition,
    )


class OfficialRatings(FileDataset):
    """A release with one file, one rating and its time per line; every rating is an interaction."""

    separator: ClassVar[str] = "::"

    def load(self, folder: Path | None = None) -> Interactions:
        """Load all ratings as events; DataMissing if the file is missing and cannot be fetched."""
        (path,) = self.source.paths(folder, self.title)
        loaded = _read_ratings(self.name, path, self.separator, "official release, complete")
        return check_counts(loaded, self.expected, str(path))


@dataclass(frozen=True)
class MovieLens100K(OfficialRatings):
    """MovieLens 100K: u.data of the official archive, with true times."""

    name: ClassVar[str] = "ml-100k"
    title: ClassVar[str] = "MovieLens 100K"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = _CITATION
    expected: ClassVar[Counts] = Counts(100_000, 943, 1_682)
    source: ClassVar[Source] = Source(
        ("ml-100k/u.data",), (f"{_HOST}/ml-100k.zip",), "md5:0e33842e24a9c977be4e0107933c0723"
    )
    separator: ClassVar[str] = "\t"


@dataclass(frozen=True)
class MovieLens1M(OfficialRatings):
    """MovieLens 1M: ratings.dat of the official archive, with true times."""

    name: ClassVar[str] = "ml-1m"
    title: ClassVar[str] = "MovieLens 1M"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = _CITATION
    expected: ClassVar[Counts] = Counts(1_000_209, 6_040, 3_706)
    source: ClassVar[Source] = Source(
        ("ml-1m/ratings.dat",), (f"{_HOST}/ml-1m.zip",), "md5:c4d9eecfca2ab87c1945afe126590906"
    )


@dataclass(frozen=True)
class MovieLens10M(OfficialRatings):
    """MovieLens 10M: ratings.dat of the official archive, half-star ratings, with true times."""

    name: ClassVar[str] = "ml-10m"
    title: ClassVar[str] = "MovieLens 10M"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = _CITATION
    expected: ClassVar[Counts] = Counts(10_000_054, 69_878, 10_677)
    source: ClassVar[Source] = Source(
        ("ml-10M100K/ratings.dat",), (f"{_HOST}/ml-10m.zip",), "md5:ce571fd55effeba0271552578f2648bd"
    )


class TabbedRatings(FileDataset):
    """A tab-separated edition with a header: user_id, movie_id, rating and, where the clock is absolute, timestamp."""

    clock: ClassVar[Clock] = Clock.WITHIN

    def load(self, folder: Path | None = None) -> Interactions:
        """Load all ratings as events; DataMissing if the file is missing."""
        (path,) = self.source.paths(folder, self.title)
        types = {"user_id": pa.int64(), "movie_id": pa.int64(), "rating": pa.float32()}
        if self.clock is Clock.ABSOLUTE:
            types["timestamp"] = pa.int64()
        table = read_arrays(read_bytes(path), tuple(types), types, header=True, where=str(path))
        loaded = Interactions.from_events(
            self.name,
            table["user_id"],
            table["movie_id"],
            table.get("timestamp"),
            ratings=table["rating"],
            clock=self.clock,
            edition=self.edition,
        )
        return check_counts(loaded, self.expected, str(path))


@dataclass(frozen=True)
class MovieLens1MOrdered(TabbedRatings):
    """MovieLens 1M, all events with ratings in the official order of each user, without the times."""

    name: ClassVar[str] = "ml-1m-ordered"
    title: ClassVar[str] = "MovieLens 1M (ordered)"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = _CITATION
    expected: ClassVar[Counts] = Counts(1_000_209, 6_040, 3_706)
    source: ClassVar[Source] = Source(
        ("ml-1m/ratings-file-order.tsv",), home="docs/datasets.md, which describes how it was built from public copies"
    )
    edition: ClassVar[str] = (
        "all events of MovieLens 1M in the order of time, ties within one second in the order of the official file, "
        "times missing; comparable with results of per-user splits, not with global-time splits or time-gap models"
    )


@dataclass(frozen=True)
class MovieLens1MLate(TabbedRatings):
    """The latest fifth of MovieLens 1M with true times: what needs a clock where the official file is missing."""

    name: ClassVar[str] = "ml-1m-late"
    title: ClassVar[str] = "MovieLens 1M (latest fifth, with times)"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = _CITATION
    expected: ClassVar[Counts] = Counts(200_042, 1_783, 3_511)
    source: ClassVar[Source] = Source(
        ("ml-1m/late-ratings.tsv",), home="docs/datasets.md, which describes how it was built from a public copy"
    )
    edition: ClassVar[str] = (
        "the latest 200,042 ratings of MovieLens 1M with true times, from 2000-12-02 on: 640 of the 1,783 users with "
        "their whole history, of the others the last ratings only; no published number can be compared"
    )
    clock: ClassVar[Clock] = Clock.ABSOLUTE


@dataclass(frozen=True)
class MovieLens1MSASRec(FileDataset):
    """MovieLens 1M as the SASRec, BERT4Rec and gSASRec papers use it: movies with five ratings or more, order only."""

    name: ClassVar[str] = "ml-1m-sasrec"
    title: ClassVar[str] = "MovieLens 1M (SASRec's file)"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = (
        "Wang-Cheng Kang, Julian McAuley: Self-Attentive Sequential Recommendation. ICDM 2018; " + _CITATION
    )
    expected: ClassVar[Counts] = Counts(999_611, 6_040, 3_416)
    source: ClassVar[Source] = Source(
        ("ml-1m/sasrec-ml-1m.txt",), home="github.com/kang205/SASRec, data/ml-1m.txt, saved under that name"
    )
    edition: ClassVar[str] = (
        "the file of the SASRec and BERT4Rec papers, byte for byte, ids renumbered, times missing; comparable with "
        "their leave-one-out results (its order is that of the official file, as in ml-1m-ordered)"
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load 999,611 events with the clock WITHIN; DataMissing if the file is missing."""
        (path,) = self.source.paths(folder, self.title)
        types = {"user": pa.int64(), "item": pa.int64()}
        table = read_arrays(read_bytes(path), tuple(types), types, separator=" ", where=str(path))
        loaded = Interactions.from_events(
            self.name, table["user"], table["item"], None, clock=Clock.WITHIN, edition=self.edition
        )
        return check_counts(loaded, self.expected, str(path))


@dataclass(frozen=True)
class MovieLens1MSubsample(HCRNNDataset):
    """MovieLens 1M events with true times: the two small parts of the HCRNN paper's edition."""

    name: ClassVar[str] = "ml-1m-subsample"
    title: ClassVar[str] = "MovieLens 1M (sample with times)"
    licence: ClassVar[str] = _LICENCE
    citation: ClassVar[str] = f"{_CITATION}; {HCRNN}"
    expected: ClassVar[Counts] = Counts(49_653, 1_299, 930)
    source: ClassVar[Source] = Source(
        ("ml-1m/timestamped-subsample/valid.txt", "ml-1m/timestamped-subsample/test.txt"),
        home="github.com/gtshs2/HCRNN, data/movielens, saved under those names",
    )
    edition: ClassVar[str] = (
        "1,299 of 6,040 users, at most 100 events each, user numbers of that paper; its training part is missing, so "
        "no published number can be compared; for checks that need true times"
    )
