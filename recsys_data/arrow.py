"""Arrow columns as NumPy arrays, without pyarrow's own conversion, which imports pandas (over a second).

Other files take pyarrow and its parts from here: they are imported when a name in them is first used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from pyarrow import csv, json
else:
    pa, pc, pq = LazyModule("pyarrow"), LazyModule("pyarrow.compute"), LazyModule("pyarrow.parquet")
    csv, json = LazyModule("pyarrow.csv"), LazyModule("pyarrow.json")


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


def text_array(values: Sequence[str]) -> pa.StringArray:
    """Texts as an Arrow array, without pa.array, which imports pandas."""
    encoded = [value.encode() for value in values]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def null_where(mask: pa.ChunkedArray | pa.Array, column: pa.ChunkedArray | pa.Array) -> Any:
    """The column with null where ``mask`` is true or null."""
    return pc.if_else(mask, pa.nulls(len(column), column.type), column)


def count_true(mask: pa.ChunkedArray | pa.Array) -> int:
    """The number of entries that are true; a null counts as false."""
    return pc.sum(pc.cast(mask, pa.uint8())).as_py() or 0
