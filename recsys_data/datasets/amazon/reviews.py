"""Amazon reviews, 2014 release, from the official files: any category, with true times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from recsys_data.arrow import json, numbers, pa
from recsys_data.checks import check_choice
from recsys_data.containers.tables import read_table
from recsys_data.datasets.amazon.editions import CITATION, LICENCE
from recsys_data.datasets.dataset import FileDataset
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.interactions import Clock, Interactions

_HOST = "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles"


@dataclass(frozen=True)
class AmazonReviews(FileDataset):
    """The reviews of a category, such as Beauty, Video_Games or Digital_Music, at a day's resolution.

    files: "5-core" (reviews_CATEGORY_5.json: users and items with five reviews or more) or "ratings"
    (ratings_CATEGORY.csv: all). No checksum and no counts are published, so only the format is checked.
    """

    category: str = "Beauty"
    files: str = "5-core"

    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    expected: ClassVar[None] = None

    def __post_init__(self) -> None:
        check_choice(self, "files", ("5-core", "ratings"))

    @property
    def name(self) -> str:
        """amazon-CATEGORY-FILES in small letters."""
        return f"amazon-{self.category}-{self.files}".lower().replace("_", "-")

    @property
    def title(self) -> str:
        """The name in a report."""
        return f"Amazon {self.category.replace('_', ' ')} ({self.files})"

    @property
    def source(self) -> Source:
        """The official file."""
        if self.files == "ratings":
            name = f"ratings_{self.category}.csv"
            return Source((f"amazon/{name}",), (f"{_HOST}/{name}",), into="amazon")
        name = f"reviews_{self.category}_5.json"
        return Source((f"amazon/{name}",), (f"{_HOST}/{name}.gz",), into="amazon")

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the reviews as events; DataMissing if the file is missing and cannot be fetched."""
        (path,) = self.source.paths(folder, self.title)
        user, item, rating, time = (_ratings if self.files == "ratings" else _reviews)(read_bytes(path), str(path))
        return Interactions.from_events(
            self.name,
            user,
            item,
            numbers(time),
            ratings=numbers(rating),
            clock=Clock.ABSOLUTE,
            edition=f"official 2014 release, {self.files}, times at a day's resolution",
        )


def _ratings(data: bytes, where: str) -> list[pa.ChunkedArray]:
    """The user, item, rating and time columns of a file of ratings."""
    columns = ("user", "item", "rating", "timestamp")
    types = {
        "user": pa.dictionary(pa.int32(), pa.string()),
        "item": pa.dictionary(pa.int32(), pa.string()),
        "rating": pa.float32(),
        "timestamp": pa.int64(),
    }
    table = read_table(data, columns, types, separator=",", where=where)
    return [table[column] for column in columns]


def _reviews(data: bytes, where: str) -> list[pa.ChunkedArray]:
    """The user, item, rating and time columns of a file of reviews, one JSON object per line."""
    fields = {"reviewerID": pa.string(), "asin": pa.string(), "overall": pa.float32(), "unixReviewTime": pa.int64()}
    options = json.ParseOptions(explicit_schema=pa.schema(fields.items()), unexpected_field_behavior="ignore")
    try:
        table = json.read_json(pa.BufferReader(data), json.ReadOptions(block_size=8 << 20), options)
        table.validate(full=True)  # that texts are UTF-8
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"{where}: cannot be read as one JSON review per line ({str(error).splitlines()[0]})"
        ) from error
    for name in fields:
        if table[name].null_count:
            raise ValueError(
                f"{where}: {table[name].null_count:,} reviews have no {name}; expected one in each, so it is truncated "
                "or another file"
            )
    return [table[name] for name in fields]
