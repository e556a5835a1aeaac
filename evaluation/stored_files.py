"""Reading of stored JSON and Parquet files, with one error message for damaged files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMAS = {"suite.json": 2, "cell.json": 2, "failure.json": 2}  # that this program writes and reads, by file
REMOVE_FOLDER = "remove its folder"  # the remedy for a damaged cell: the next run computes it again


@contextlib.contextmanager
def name_damaged(path: Path, remedy: str = REMOVE_FOLDER) -> Iterator[None]:
    """Turn the errors of a damaged or missing file into a ValueError that names it and the ``remedy``."""
    try:
        yield
    except PermissionError:  # not damaged, as far as known
        raise
    except (pa.ArrowException, json.JSONDecodeError, UnicodeDecodeError, OSError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error}): {remedy} and run again") from error


def read_record(path: Path, required: Iterable[str] = (), remedy: str = REMOVE_FOLDER) -> dict[str, Any] | None:
    """Read the object in a JSON file; None where there is no file.

    Raises ValueError naming file and ``remedy`` where the file is truncated or lacks a field of ``required``.
    """
    try:
        stored = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    with name_damaged(path, remedy):
        found = json.loads(stored)
    missing = [name for name in required if not isinstance(found, dict) or name not in found]
    if missing or not isinstance(found, dict):
        expected = f"an object with {', '.join(missing)}" if missing else "an object"
        raise ValueError(f"{path} is damaged (expected {expected}): {remedy} and run again")
    schema = SCHEMAS.get(path.name)
    if schema is not None and found.get("schema", schema) != schema:
        raise ValueError(f"{path} has schema {found['schema']}, this program reads {schema}: "
                         "remove the results folder, or choose another with --results")  # fmt: skip
    return found


def read_parquet_columns(source: Path | pa.NativeFile) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the columns of a Parquet file by name, read-only and without copies, and its metadata.

    Columns of lists of equal length have shape (rows, length). Avoids pyarrow's data sets, which are slow to open, and
    its ``to_numpy``, which imports pandas. Raises TypeError where a value is null.
    """
    table = pq.ParquetFile(source).read(use_threads=False)
    columns = {name: _array(table[name].combine_chunks()) for name in table.column_names}
    return columns, {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}


def _array(column: pa.Array) -> np.ndarray:
    """Return one column of numbers or of lists of numbers."""
    if not hasattr(column, "flatten"):
        return np.from_dlpack(column)
    return np.from_dlpack(column.flatten()).reshape(len(column), -1)
