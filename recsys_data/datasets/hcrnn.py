"""The event files of the HCRNN paper's code: a header, a row number, then named columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.arrow import pa
from recsys_data.containers.tables import read_arrays
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.fetching.compressed import read_bytes
from recsys_data.interactions import Clock, Interactions

CITATION = (
    "Kyungwoo Song, Mingi Ji, Sungrae Park, Il-Chul Moon: Hierarchical Context Enabled Recurrent Neural Network for "
    "Recommendation. AAAI 2019 (the edition)"
)


class HCRNNDataset(FileDataset):
    """A data set of such files.

    text_items: whether items are names, not numbers. in_parts: whether the files are the published parts.
    """

    text_items: ClassVar[bool] = False
    columns: ClassVar[Sequence[str]] = ("ItemId", "Time", "SessionId")
    in_parts: ClassVar[bool] = False

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events with true times; DataMissing if a file is missing."""
        paths = self.source.paths(folder, self.title)
        table = read_hcrnn_files(paths, self.text_items, self.columns)
        loaded = Interactions.from_events(
            self.name,
            table["user"],
            table["item"],
            table["time"],
            clock=Clock.ABSOLUTE,
            edition=self.edition,
            parts=table["file"] if self.in_parts else None,
        )
        return check_counts(loaded, self.expected, str(paths[0].parent))


def read_hcrnn_files(
    paths: Sequence[Path], text_items: bool, columns: Sequence[str] = ("ItemId", "Time", "SessionId")
) -> dict[str, np.ndarray]:
    """Read the events of the files in turn: item, time (Unix seconds), user, and file (the number of the file).

    The columns after the row number are ``columns``, then item_idx and sess_idx; sess_idx is the user.
    """
    names = ("row", *columns, "item_idx", "sess_idx")
    types = {"ItemId": pa.string() if text_items else pa.int64(), "Time": pa.float64(), "sess_idx": pa.int64()}
    tables = [read_arrays(read_bytes(path), names, types, header=True, where=str(path)) for path in paths]
    return {
        "item": np.concatenate([table["ItemId"] for table in tables]),
        "time": np.concatenate([table["Time"] for table in tables]),
        "user": np.concatenate([table["sess_idx"] for table in tables]),
        "file": np.repeat(np.arange(len(tables)), [len(table["Time"]) for table in tables]),
    }
