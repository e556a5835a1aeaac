"""CiteULike's who-posted-what log, article|user|time|tag: by hand only, since its address is gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from recsys_data.datasets.dataset import FromFiles
from recsys_data.fetching.source import Source, read_bytes
from recsys_data.files.tables import read_table
from recsys_data.files.times import to_seconds
from recsys_data.interactions import Clock, Interactions
from recsys_data.vocabulary import encode_ids


@dataclass(frozen=True)
class CiteULikeLog(FromFiles):
    """Who posted which article when, a line a tag; the lines of one posting that follow each other are one event."""

    name: ClassVar[str] = "citeulike-log"
    title: ClassVar[str] = "CiteULike (who-posted-what log)"
    licence: ClassVar[str] = "CiteULike: research use with citation"
    citation: ClassVar[str] = "CiteULike, who-posted-what data, www.citeulike.org (closed in 2019)"
    expected: ClassVar[None] = None  # the log grew daily and no edition's counts are published
    source: ClassVar[Source] = Source(
        ("citeulike/who-posted-what.txt",),
        home="a copy of the log that somebody has kept: its official address is gone",
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """The postings with times, unfiltered; DataMissing if the log is not there, ValueError naming a broken row."""
        (path,) = self.source.paths(folder, self.title)
        text = pa.dictionary(pa.int32(), pa.string())
        types = {"article": text, "user": text, "time": pa.string()}
        data = read_bytes(path)
        # the official script reads three columns, and some copies were cut down to these
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
