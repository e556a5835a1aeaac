"""Stored files read back: the records of a store, and one sentence for a file that is damaged."""

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
REMOVE_FOLDER = "remove its folder"  # what brings a cell back: the run after it computes it again


@contextlib.contextmanager
def name_damaged(path: Path, remedy: str = REMOVE_FOLDER) -> Iterator[None]:
    """Turn what a damaged or missing file raises into a ValueError that names it and the ``remedy``."""
    try:
        yield
    except PermissionError:  # whole, as far as anybody knows
        raise
    except (pa.ArrowException, json.JSONDecodeError, UnicodeDecodeError, OSError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error}): {remedy} and run again") from error


def read_record(path: Path, needs: Iterable[str] = (), remedy: str = REMOVE_FOLDER) -> dict[str, Any] | None:
    """The object that a JSON file holds; None where there is no file.

    Raises ValueError naming a file that is cut off, or no object with the fields that it ``needs``, and the ``remedy``;
    also for a file of another schema (SCHEMAS).
    """
    try:
        stored = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    with name_damaged(path, remedy):
        found = json.loads(stored)
    lacks = [name for name in needs if not isinstance(found, dict) or name not in found]
    if lacks or not isinstance(found, dict):
        wanted = f"an object with {', '.join(lacks)}" if lacks else "an object"
        raise ValueError(f"{path} is damaged (expected {wanted}): {remedy} and run again")
    schema = SCHEMAS.get(path.name)
    if schema is not None and found.get("schema", schema) != schema:
        raise ValueError(f"{path} has schema {found['schema']}, this program reads {schema}: "
                         "remove the results folder, or choose another with --results")  # fmt: skip
    return found


def read_parquet_columns(source: Path | pa.NativeFile) -> tuple[dict[str, np.ndarray], dict[str, str]]:
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
