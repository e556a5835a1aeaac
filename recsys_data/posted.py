"""The event files that the HCRNN paper's code uses: a header, a row number, then named columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys_data.download import read_bytes
from recsys_data.tables import read_columns

CITATION = (
    "Kyungwoo Song, Mingi Ji, Sungrae Park, Il-Chul Moon: Hierarchical Context Enabled Recurrent Neural Network for "
    "Recommendation. AAAI 2019 (the edition)"
)


def read_posted(
    paths: Sequence[Path], item_type: pa.DataType, columns: Sequence[str] = ("ItemId", "Time", "SessionId")
) -> dict[str, np.ndarray]:
    """The events of the files, one after the other: item, time (Unix seconds), user, and file (the file's number).

    The columns after the row number are ``columns``, then item_idx and sess_idx; sess_idx is the user.
    """
    names = ("row", *columns, "item_idx", "sess_idx")
    types = {"ItemId": item_type, "Time": pa.float64(), "sess_idx": pa.int64()}
    tables = [read_columns(read_bytes(path), names, types, header=True, where=str(path)) for path in paths]
    return {
        "item": np.concatenate([table["ItemId"] for table in tables]),
        "time": np.concatenate([table["Time"] for table in tables]),
        "user": np.concatenate([table["sess_idx"] for table in tables]),
        "file": np.repeat(np.arange(len(tables)), [len(table["Time"]) for table in tables]),
    }
