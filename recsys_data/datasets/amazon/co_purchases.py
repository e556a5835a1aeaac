"""Spotlight's Amazon co-purchasing file: reviews of the SNAP amazon-meta crawl as HDF5."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recsys_data.arrow import pa
from recsys_data.columns.times import to_seconds
from recsys_data.datasets.dataset import FileDataset
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.interactions import Clock, Interactions

_COLUMNS = ("user_id", "item_id", "rating", "timestamp")


class Hdf5Missing(ValueError):
    """The optional library that reads HDF5 is not installed."""


@dataclass(frozen=True)
class AmazonCoPurchasing(FileDataset):
    """The reviews of Spotlight's Amazon data set, another crawl than the 2014 release; item features are not read."""

    name: ClassVar[str] = "amazon-spotlight"
    title: ClassVar[str] = "Amazon co-purchasing (Spotlight)"
    licence: ClassVar[str] = "SNAP amazon-meta: free for research with citation"
    citation: ClassVar[str] = (
        "Jure Leskovec, Lada Adamic, Bernardo Huberman: The Dynamics of Viral Marketing. ACM TWEB 1(1), 2007 (the "
        "crawl); Maciej Kula: Spotlight, 2017 (the file)"
    )
    expected: ClassVar[None] = None
    source: ClassVar[Source] = Source(
        ("amazon/amazon_co_purchasing.hdf5",),
        ("https://github.com/maciejkula/recommender_datasets/releases/download/0.1.0/amazon_co_purchasing.hdf5",),
        into="amazon",
    )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the reviews as events; DataMissing without the file, Hdf5Missing without h5py."""
        (path,) = self.source.paths(folder, self.title)
        try:
            import h5py  # optional, in requirements-data.txt: one data set needs it
        except ImportError as error:
            raise Hdf5Missing(
                f"{self.name}: {path.name} is HDF5, and h5py is not installed; pip install h5py "
                "(requirements-data.txt) and try again"
            ) from error
        try:
            with h5py.File(io.BytesIO(read_bytes(path)), "r") as file:
                columns = {name: file[name][:] for name in _COLUMNS if name in file}
        except OSError as error:
            raise ValueError(f"{path}: cannot be read as HDF5 ({error}); it is truncated, fetch it again") from error
        return reviews(self.name, columns, str(path))


def reviews(name: str, columns: Mapping[str, Any], where: str) -> Interactions:
    """Build events from the arrays user_id, item_id, rating and timestamp; ValueError that names a missing one."""
    missing = [column for column in _COLUMNS if column not in columns]
    if missing:
        raise ValueError(f"{where}: no array {missing[0]}; found {', '.join(columns) or 'none'}")
    times, kind = to_seconds(pa.chunked_array([pa.array(np.asarray(columns["timestamp"]))]), where)
    return Interactions.from_events(
        name,
        np.asarray(columns["user_id"]),
        np.asarray(columns["item_id"]),
        times,
        ratings=columns["rating"],
        clock=Clock.ABSOLUTE,
        edition=f"Spotlight's file of the SNAP amazon-meta crawl, unfiltered, times in {kind}; comparable with the "
        "papers on Spotlight after at least 10 events per user and item, not with those on the 2014 release",
    )
