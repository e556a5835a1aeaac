"""Reading of stored JSON and Parquet files: checksums are verified, and damaged files have one error message."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys_data.sealed_json import SealBroken, parse_object, sha256, unseal

SCHEMAS = {  # that this program writes and reads, by file
    "suite.json": 3,
    "cell.json": 3,
    "failure.json": 3,
    "search.json": 2,
    "certificate.json": 3,
    "mlflow.json": 1,
}
REMOVE_FOLDER = "remove its folder"  # the remedy for a damaged cell: the next run computes it again


@contextlib.contextmanager
def name_damaged(path: Path, remedy: str = REMOVE_FOLDER) -> Iterator[None]:
    """Turn the errors of a damaged or missing file into a ValueError that names it and the ``remedy``."""
    try:
        yield
    except PermissionError:  # not damaged, as far as known
        raise
    except (pa.ArrowException, json.JSONDecodeError, UnicodeDecodeError, SealBroken, OSError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error}): {remedy} and run again") from error


def read_record(
    path: Path, required: Iterable[str] = (), remedy: str = REMOVE_FOLDER, belongs: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Read the sealed object in a JSON file; None where there is no file.

    belongs: fields with the values that a record in this place has, such as its key. Raises ValueError naming file and
    ``remedy`` where the file was changed, belongs elsewhere or lacks a field of ``required``, and where another version
    of this program wrote it.
    """
    with name_damaged(path, remedy):
        try:
            stored = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        found = parse_object(stored)
    schema = SCHEMAS.get(path.name)
    if schema is not None and found.get("schema") != schema:
        raise ValueError(f"{path} has schema {found.get('schema')}, this program reads {schema}: "
                         "remove the results folder, or choose another with --results")  # fmt: skip
    with name_damaged(path, remedy):
        record = unseal(found)
        missing = [name for name in required if name not in record]
        if missing:
            raise SealBroken(f"expected an object with {', '.join(missing)}")
        for name, value in (belongs or {}).items():
            if record.get(name) != value:
                raise SealBroken(f"it belongs to the {name} {record.get(name)}, not to {value}")
    return record


def checked_bytes(path: Path, files: Mapping[str, str]) -> bytes:
    """Read a file of a cell and compare it with ``files``, the SHA-256 of each file in the cell's record.

    Raises ValueError naming a file that is missing or was changed.
    """
    with name_damaged(path):
        data = path.read_bytes()
        expected = files.get(path.name)
        if expected is None:
            raise SealBroken("the cell's record does not list it")
        if sha256(data) != expected and _rewritten(path).get(path.name) != sha256(data):
            raise SealBroken(f"its SHA-256 is {sha256(data)[:12]}…, the cell's record has {expected[:12]}…")
    return data


def safe_part(name: str) -> str:
    """Return a name that a record gives a folder. Raises ValueError if it would lead to another folder."""
    if name != PurePosixPath(name).name or name in ("", "..") or {"\\", "\0"} & set(name):
        raise ValueError(f"{name!r} cannot name a folder of the results; expected a name without / and ..")
    return name


def _rewritten(path: Path) -> Mapping[str, str]:
    """The files in the record beside ``path``, which another process may have rewritten since it was read."""
    return (read_record(path.with_name("cell.json")) or {}).get("files", {})


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
