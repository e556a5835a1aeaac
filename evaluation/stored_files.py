"""Reading of stored JSON and Parquet files: checksums are verified, and damaged files have one error message."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from evaluation.json_codec import from_json
from recsys_data.arrow import pa, pq
from recsys_data.sealed_json import SealBroken, parse_object, sha256, unseal

SCHEMAS = {  # that this program writes and reads, by file
    "suite.json": 3,
    "cell.json": 3,
    "failure.json": 3,
    "search.json": 2,
    "certificate.json": 3,
    "mlflow.json": 1,
    "kept.json": 1,
}
FIELDS: dict[str, dict[str, Any]] = {  # of a record, by file, with their types as json_codec reads them
    "suite.json": {"name": str, "cells": list[dict[str, Any]], "claims": list[dict[str, Any]], "caveats": list[str]},
    "cell.json": {"key": str, "files": dict[str, str], "metrics": dict[str, float], "deterministic": bool,
                  "caveats": list[str], "tuning": dict[str, Any]},
    "failure.json": {"key": str, "reason": str, "state": str, "files": dict[str, str]},
    "search.json": {"key": str, "metric": str, "higher_is_better": bool},
    "certificate.json": {"cells": list[dict[str, Any]], "created": str, "environment": dict[str, Any]},
    "mlflow.json": {"runs": dict[str, str]},
    "kept.json": {"suite": str, "results": dict[str, Any]},
}  # fmt: skip
REMOVE_FOLDER = "remove its folder"  # the remedy for a damaged cell: the next run computes it again


@contextlib.contextmanager
def name_damaged(path: Path, remedy: str = REMOVE_FOLDER) -> Iterator[None]:
    """Turn the errors of a damaged or missing file into a ValueError that names it and the ``remedy``."""
    try:
        yield
    except PermissionError:  # not damaged, as far as known
        raise
    except (pa.ArrowException, json.JSONDecodeError, UnicodeDecodeError, SealBroken, OSError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({' '.join(str(error).split())}): {remedy} and run again") from error


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
        check_fields(record, dict.fromkeys(required, Any), FIELDS.get(path.name, {}))
        for name, value in (belongs or {}).items():
            if record.get(name) != value:
                raise SealBroken(f"it belongs to the {name} {record.get(name)}, not to {value}")
    return record


def check_fields(record: Mapping[str, Any], required: Mapping[str, Any], optional: Mapping[str, Any]) -> None:
    """Raise SealBroken naming a field that is missing or of another kind than its type, as json_codec reads it."""
    missing = [name for name in required if name not in record]
    if missing:
        raise SealBroken(f"expected an object with {', '.join(missing)}")
    for name, kind in {**required, **optional}.items():
        if name in record:
            if kind is float and record[name] is None:  # which json_codec reads as NaN
                raise SealBroken(f"{name} must be a number, got None")
            try:
                from_json(kind, record[name], name)
            except ValueError as error:
                raise SealBroken(str(error)) from None


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
    if name != PurePosixPath(name).name or name in ("", "..") or "\\" in name or not name.isprintable():
        raise SealBroken(f"{name!r} cannot name a folder of the results; expected a name without / and ..")
    return name


def _rewritten(path: Path) -> Mapping[str, str]:
    """The files in the record beside ``path``, which another process may have rewritten since it was read."""
    return (read_record(path.with_name("cell.json")) or {}).get("files", {})


def read_parquet_columns(source: Path | pa.NativeFile) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the columns of a Parquet file by name, read-only and without copies, and its metadata.

    Columns of lists of equal length have shape (rows, length). Avoids pyarrow's data sets, which are slow to open, and
    its ``to_numpy``, which imports pandas. Raises SealBroken for a column that holds anything else, or a null.
    """
    table = pq.ParquetFile(source).read(use_threads=False)
    columns = {name: _array(name, table[name].combine_chunks()) for name in table.column_names}
    return columns, {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}


def _array(name: str, column: pa.Array) -> np.ndarray:
    """Return one column of numbers or of lists of numbers."""
    lists = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
    values = column.flatten() if lists else column
    if column.null_count or values.null_count:
        raise SealBroken(f"its column {name} holds null, expected numbers")
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise SealBroken(f"its column {name} holds {column.type}, expected numbers")
    found = np.from_dlpack(values)
    if not lists:
        return found
    if not len(column) or len(found) % len(column) or len(set(column.value_lengths().to_pylist())) > 1:
        raise SealBroken(f"its column {name} holds lists of several lengths, expected one length")
    return found.reshape(len(column), -1)
