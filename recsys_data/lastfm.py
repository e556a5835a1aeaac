"""Last.fm 1K: two published samples of the listening log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from recsys_data.dataset import Counts, checked
from recsys_data.download import Source, read_bytes
from recsys_data.interactions import Clock, Interactions
from recsys_data.posted import CITATION, read_posted
from recsys_data.ragged import read_ragged

LICENCE = "Last.fm: distributed with permission, non-commercial use only"
_OWN_CITATION = "Òscar Celma: Music Recommendation and Discovery. Springer 2010 (Last.fm 1K users)"


@dataclass(frozen=True)
class LastFMUserArtist:
    """Users' artists with true times: the two small parts of the HCRNN paper's edition of Last.fm 1K."""

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

    def present(self, folder: Path | None) -> bool:
        """Whether both parts are under the data folder."""
        return self.source.present(folder)

    def load(self, folder: Path | None = None) -> Interactions:
        """25,539 listens of 270 users as one set without parts; DataMissing if a file is not there."""
        paths = self.source.paths(folder, self.title)
        table = read_posted(paths, pa.string(), ("ItemId", "SessionId", "Time"))
        loaded = Interactions.from_events(
            self.name,
            table["user"],
            table["item"].astype(str),
            table["time"],
            clock=Clock.ABSOLUTE,
            edition=self.edition,
        )
        return checked(loaded, self.expected, str(paths[0].parent))


@dataclass(frozen=True)
class LastFMArtistSessions:
    """Artists of listening sessions, oldest first, without users and times."""

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
        "the validation and test part of a published session split (by all signs that of LESSR), 2 to 20 events a "
        "session, order inside a session only; its training part is missing, so no published number can be compared"
    )

    def present(self, folder: Path | None) -> bool:
        """Whether both parts are under the data folder."""
        return self.source.present(folder)

    def load(self, folder: Path | None = None) -> Interactions:
        """1,026,560 listens in 90,532 sessions as one set without parts; DataMissing if a file is not there."""
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
        return checked(loaded, self.expected, str(paths[0].parent))
