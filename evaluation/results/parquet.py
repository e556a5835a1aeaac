"""Parquet: a stored table's columns as arrays, read in the calling thread; a store is many small files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def read_columns(source: Path | pa.NativeFile) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The columns of a file by name, read-only and without copies, and its metadata.

    Columns of lists of one length come as (rows, length). Through neither pyarrow's data sets, which take longer to
    open than such a file to read, nor its ``to_numpy``, which loads pandas. Raises TypeError where a value is null.
    """
    table = pq.ParquetFile(source).read(use_threads=False)
    columns = {name: _array(table[name].combine_chunks()) for name in table.column_names}
    return columns, {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}


def _array(column: pa.Array) -> np.ndarray:
    """One column, of numbers or of lists of numbers."""
    if not hasattr(column, "flatten"):
        return np.from_dlpack(column)
    return np.from_dlpack(column.flatten()).reshape(len(column), -1)
