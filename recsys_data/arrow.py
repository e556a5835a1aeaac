"""Arrow columns as NumPy arrays, without pyarrow's own conversion, which imports pandas (over a second)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def numbers(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A column of numbers without nulls as an array of its type; no copy if it is one chunk."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    arrays = [np.from_dlpack(chunk) for chunk in chunks if len(chunk)]
    if not arrays:
        return np.empty(0, dtype=column.type.to_pandas_dtype())
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def texts(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A column of texts as an object array of Python strings, so a long text does not widen the others."""
    array = np.empty(len(column), dtype=object)
    array[:] = column.to_pylist()
    return array
