"""Pandas frames of results, for notebooks; pandas is imported only when a frame is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

Record = dict[str, Any]


def frame_of(values: Sequence[Record] | Mapping[str, Any]) -> DataFrame:
    """A frame of records, one per row, or of columns by name. Raises ImportError in one sentence without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("a frame needs pandas, which is not installed: pip install pandas") from error
    return pd.DataFrame(values)
