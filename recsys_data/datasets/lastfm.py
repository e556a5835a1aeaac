"""Last.fm 1K: the listening log and two published samples of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.arrow import numbers, pa, pc
from recsys_data.checks import check_choice, check_range
from recsys_data.containers.tables import read_table
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.datasets.hcrnn import CITATION, HCRNNDataset
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.files.ragged import read_ragged
from recsys_data.interactions import Clock, Counts, Interactions
from recsys_data.vocabulary import EncodedColumn, encode_ids

LICENCE = "Last.fm: distributed with permission, non-commercial use only"
_OWN_CITATION = "Òscar Celma: Music Recommendation and Discovery. Springer 2010 (Last.fm 1K users)"


@dataclass(frozen=True)
class LastFMUserArtist(HCRNNDataset):
    """Artists with true times: the two small parts of the HCRNN paper's edition of Last.fm 1K."""

    name: ClassVar[str] = "lastfm-user-artist"
    title: ClassVar[str] = "Last.fm 1K (users' artists, sample)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = f"{_OWN_CITATION}; {CITATION}"
    expected: ClassVar[Counts] = Counts(25_539, 270, 5_092)
    source: ClassVar[Source] = Source(
        ("lastfm-1k/user-artist-valid.txt", "lastfm-1k/user-artist-test.txt"),
        home="github.com/gtshs2/HCRNN, data/lastfm, saved under those names",
    )
    edition: ClassVar[str] = (
        "270 of 992 users, at most 100 events each, artists instead of tracks; the published training part is missing, "
        "so no published number can be compared"
    )
    text_items: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("ItemId", "SessionId", "Time")


@dataclass(frozen=True)
class LastFMArtistSessions(FileDataset):
    """The artists of listening sessions, oldest first, without users and times."""

    name: ClassVar[str] = "lastfm-artist-sessions"
    title: ClassVar[str] = "Last.fm 1K (artist sessions, part)"
    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = _OWN_CITATION
    expected: ClassVar[Counts] = Counts(1_026_560, 90_532, 31_864)
    source: ClassVar[Source] = Source(
        ("lastfm-1k/artist-sessions-valid.txt", "lastfm-1k/artist-sessions-test.txt"),
        home="github.com/Ust-Waylon/MetricLearningSBR, datasets/lastfm, saved under those names",
    )
    edition: ClassVar[str] = (
        "the validation and test part of a published session split (apparently that of LESSR), 2 to 20 events per "
        "session, order inside a session only; its training part is missing, so no published number can be compared"
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load 1,026,560 listens in 90,532 sessions without parts; DataMissing if a file is missing."""
        paths = self.source.paths(folder, self.title)
        parts = [read_ragged(read_bytes(path), str(path), b",") for path in paths]
        lengths = np.concatenate([part[1] for part in parts])
        loaded = Interactions.from_events(
            self.name,
            np.repeat(np.arange(len(lengths)), lengths),
            np.concatenate([part[0] for part in parts]),
            None,
            clock=Clock.WITHIN,
            unit="session",
            edition=self.edition,
        )
        return check_counts(loaded, self.expected, str(paths[0].parent))


_COLUMNS = ("user", "timestamp", "artist id", "artist", "track id", "track")
_ITEMS = {
    "track": ("track",),
    "artist and track": ("artist", "track"),
    "track id": ("track id",),
    "artist": ("artist",),
}


@dataclass(frozen=True)
class LastFM1K(FileDataset):
    """The whole listening log of 992 users, 19,150,868 listens with true times.

    item: the definition of an item: "track" (the title alone, so equal titles of different artists are one item, as in
    the Time-LSTM code), "artist and track", "track id" (MusicBrainz) or "artist". Rows without it are dropped. share:
    the share of each user's listens to keep (Donkers: 0.1); keep: "last" or "first" for a contiguous part, "random" for
    single events, seeded.
    """

    item: str = "track"
    share: float = 1.0
    keep: str = "last"
    seed: int = 0

    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = _OWN_CITATION
    expected: ClassVar[None] = None  # the number of items depends on ``item``; rows and users are checked in ``load``
    rows: ClassVar[int] = 19_150_868
    users: ClassVar[int] = 992
    source: ClassVar[Source] = Source(
        ("lastfm-dataset-1K/userid-timestamp-artid-artname-traid-traname.tsv",),
        (
            "http://mtg.upf.edu/static/datasets/last.fm/lastfm-dataset-1K.tar.gz",
            "https://zenodo.org/records/6090214/files/lastfm-dataset-1K.tar.gz",
        ),
        home="http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
        file_checksums=("md5:64747b21563e3d2aa95751e0ddc46b68",),
    )

    def __post_init__(self) -> None:
        check_choice(self, "item", _ITEMS)
        check_range(self, "share", above=0, at_most=1)
        check_choice(self, "keep", ("last", "first", "random"))

    @property
    def name(self) -> str:
        """lastfm-1k, and fields other than the defaults."""
        more = [] if self.item == "track" else [self.item.replace(" ", "-")]
        more += [] if self.share == 1 else [f"{100 * self.share:g}-{self.keep}"]
        return "-".join(["lastfm-1k", *more])

    @property
    def title(self) -> str:
        """The name in a report."""
        part = "" if self.share == 1 else f", {self.keep} {100 * self.share:g} % of each user's listens"
        return f"Last.fm 1K (by {self.item}{part})"

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the listens; ValueError unless the log has its 19,150,868 rows of 992 users."""
        (path,) = self.source.paths(folder, self.title)
        loaded, rows = read_log(path, self.name, self.item)
        if (rows, loaded.num_users) != (self.rows, self.users):
            raise ValueError(
                f"{self.name}: {path} holds {rows:,} rows of {loaded.num_users:,} users; expected {self.rows:,} rows "
                f"of {self.users:,}; it is truncated, remove it and fetch it again"
            )
        return loaded if self.share == 1 else loaded.keep(self._sample_mask(loaded))

    def _sample_mask(self, interactions: Interactions) -> np.ndarray:
        """A mask (E,) of the sample: ⌈share·n⌉ of each user's n listens."""
        lengths = np.diff(interactions.offsets)
        share = Fraction(str(self.share))  # exact: 0.07 of 100 listens are 7, not the 7.000000000000001 of a float
        quota = -(-lengths * share.numerator // share.denominator)[interactions.users]
        if self.keep == "random":
            drawn = np.random.default_rng(self.seed).random(len(interactions))
            order = np.lexsort((drawn, interactions.users))
            place = np.empty(len(order), dtype=np.int64)
            place[order] = np.arange(len(order)) - interactions.offsets[interactions.users[order]]
            return place < quota
        place = np.arange(len(interactions)) - interactions.offsets[interactions.users]
        return place < quota if self.keep == "first" else place >= lengths[interactions.users] - quota


def read_log(path: Path, name: str, item: str) -> tuple[Interactions, int]:
    """Read the listens of a log file in the official format; return them and the number of rows.

    The file has the newest rows first; listens of the same second are put in playing order, the reverse of the file.
    A quote character is ordinary text.
    """
    wanted = _ITEMS[item]
    types = {"user": pa.dictionary(pa.int32(), pa.string()), "timestamp": pa.timestamp("s", "UTC")}
    types |= {column: pa.dictionary(pa.int32(), pa.string()) for column in wanted}
    data = path if path.suffix != ".xz" else read_bytes(path)
    table = read_table(data, _COLUMNS, types, where=str(path))
    times = numbers(pc.cast(table["timestamp"], pa.int64())).astype(np.float64)
    rows = len(times)
    users = encode_ids(table["user"])
    parts = [encode_ids(table[column]) for column in wanted]
    del table
    named = np.ones(rows, dtype=bool)
    for part in parts:
        if len(part.ids) and part.ids[0] == "":  # sorted: the empty text is the first
            named &= part.codes != 0
    kept = np.flatnonzero(named)[::-1]
    items = parts[0] if len(parts) == 1 else _join_columns(*parts)
    items = _select_codes(items, items.codes[kept])
    del parts, named
    return Interactions.from_events(
        name,
        EncodedColumn(users.ids, users.codes[kept]),
        items,
        times[kept],
        clock=Clock.ABSOLUTE,
        edition=f"official log; an item is a listen's {item}; {rows - len(kept):,} rows without it dropped",
    ), rows


def _select_codes(column: EncodedColumn, codes: np.ndarray) -> EncodedColumn:
    """The rows ``codes`` of a column, without the ids that no longer occur."""
    left = np.zeros(len(column.ids), dtype=bool)
    left[codes] = True
    return EncodedColumn(column.ids[left], (np.cumsum(left, dtype=np.int32) - np.int32(1))[codes])


def _join_columns(first: EncodedColumn, second: EncodedColumn) -> EncodedColumn:
    """Join two columns of texts by a tab."""
    keys, codes = np.unique(first.codes.astype(np.int64) * len(second.ids) + second.codes, return_inverse=True)
    left, right = (
        pa.array(ids.astype(object)).cast(pa.string()).take(pa.array(places))
        for ids, places in ((first.ids, keys // len(second.ids)), (second.ids, keys % len(second.ids)))
    )
    names = pc.binary_join_element_wise(left, right, "\t")
    return encode_ids(pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names))
