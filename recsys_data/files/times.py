"""Convert times to Unix seconds: from seconds, milli-, micro- or nanoseconds, timestamps or ISO 8601."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys_data.arrow import numbers

_LARGEST_SECONDS = 1e11  # the year 5138; larger values are milliseconds
_LARGEST_MILLISECONDS = 1e14  # larger values are microseconds
_LARGEST_MICROSECONDS = 1e17  # larger values are nanoseconds, the unit of pandas


def to_seconds(column: pa.ChunkedArray, where: str) -> tuple[np.ndarray, str]:
    """Unix seconds (E,) float64, and the format of the column, such as "seconds", "nanoseconds" or "ISO 8601".

    ISO 8601 without a zone is read as UTC. Raises ValueError that names the row and the value of any other format.
    """
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        whole = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False)  # truncates nanoseconds
        return _from_timestamps(whole), "timestamps"
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return _from_iso(column, where), "ISO 8601"
    seconds = numbers(column.cast(pa.float64()))
    usual = np.median(np.abs(seconds)) if len(seconds) else 0.0
    for largest, per_second, kind in (
        (_LARGEST_MICROSECONDS, 1e9, "nanoseconds"),
        (_LARGEST_MILLISECONDS, 1e6, "microseconds"),
        (_LARGEST_SECONDS, 1e3, "milliseconds"),
    ):
        if usual > largest:
            return seconds / per_second, kind
    return seconds, "seconds"


def _from_iso(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """Unix seconds of ISO 8601 texts, all with a zone or all without."""
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            return _from_timestamps(column.cast(kind))
        except pa.ArrowInvalid:
            continue
    for row, text in enumerate(column.to_pylist(), start=1):
        if not _is_time(text):
            raise ValueError(
                f"{where}: event {row} has the time {text!r}; expected seconds, milliseconds or ISO 8601 such as "
                "2009-05-04T23:08:57Z"
            )
    raise ValueError(f"{where}: some times have a zone and some have none; expected the same in every row")


def _is_time(text: str) -> bool:
    """Whether one text is ISO 8601."""
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            pa.scalar(text).cast(kind)
        except pa.ArrowInvalid:
            continue
        return True
    return False


def _from_timestamps(column: pa.ChunkedArray) -> np.ndarray:
    """Unix seconds of a column of microseconds."""
    return numbers(pc.cast(column, pa.int64())) / 1e6
