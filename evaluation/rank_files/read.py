"""Read rank files: CSV, TSV and Parquet files of any tool, and Encore's own.

Columns: ``user`` or ``session`` (the cluster), ``query`` (optional), ``target`` (optional), and ``rank`` (1 is best) or
``greater`` and ``tied`` (other candidates scored higher than, and the same as, the target), ``candidates`` (optional:
a target with greater = candidates is a miss).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from evaluation.ranking.rank_table import RankTable

CLUSTERS = ("user", "session")
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
UNKNOWN_CANDIDATES = np.iinfo(np.int32).max  # candidates where a file has no such column: nothing is a miss
MAX_EXACT_INTEGER = 2**53  # whole numbers up to here are exact as floats


class InvalidRankFile(ValueError):
    """A file is no valid rank file, or two files do not match."""


@dataclass(frozen=True, eq=False)
class RankFile:
    """One rank file, rows in the file's order.

    cluster (R,) str; query (R,) str or None; target (R,) str or None; repeat (R,) int64; greater, tied, candidates (R,)
    int64; lines (R,) int64: the line number of each row, as in an editor.
    """

    name: str
    cluster_name: str
    cluster: np.ndarray
    query: np.ndarray | None
    target: np.ndarray | None
    repeat: np.ndarray
    greater: np.ndarray
    tied: np.ndarray
    candidates: np.ndarray
    lines: np.ndarray


def read_rank_file(path: Path, cluster: str | None = None) -> RankFile:
    """Read ``path``: a file, the folder of a stored cell, or a folder of files that form one table.

    ``cluster``: the column with the owner of a query; by default ``user``, else ``session``. Raises FileNotFoundError,
    and InvalidRankFile naming file, line, value and the expected form.
    """
    if not path.exists():
        raise FileNotFoundError(f"no rank file {path}; expected a CSV, TSV or Parquet file with ranks")
    if not path.is_dir():
        return _read_file(path, cluster)
    stored = path / "ranks.parquet"
    if stored.exists():
        return _read_file(stored, cluster, str(path))
    parts = sorted(p for p in path.iterdir() if _suffix(p) in (*SEPARATORS, ".parquet"))
    if not parts:
        raise InvalidRankFile(f"{path} contains no rank file; expected .csv, .tsv, .txt or .parquet files")
    return _join_parts([_read_file(part, cluster) for part in parts], str(path))


def _suffix(path: Path) -> str:
    """Return the suffix of the format, without a compression suffix .gz, .bz2 or .zst."""
    suffixes = [s.lower() for s in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] in (".gz", ".bz2", ".zst") else path.suffix.lower()


def _read_file(path: Path, cluster: str | None, name: str | None = None) -> RankFile:
    suffix = _suffix(path)
    label = name or str(path)
    if suffix != ".parquet" and suffix not in SEPARATORS:
        raise InvalidRankFile(f"{path}: unknown file format {suffix or '(no suffix)'}; expected .csv, .tsv or .parquet")
    try:
        if suffix == ".parquet":
            table, first_line = pq.read_table(path), 1
        else:
            parse = pa_csv.ParseOptions(delimiter=SEPARATORS[suffix])
            head = pa_csv.open_csv(path, parse_options=parse).schema.names
            convert = pa_csv.ConvertOptions(column_types=dict.fromkeys(head, pa.string()), strings_can_be_null=False)
            table, first_line = pa_csv.read_csv(path, parse_options=parse, convert_options=convert), 2
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidRankFile(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    metadata = table.schema.metadata or {}
    table = table.rename_columns([column.strip().lower() for column in table.column_names])
    if b"schema" not in metadata or "cluster" not in table.column_names:
        return _rank_file(label, table, cluster, first_line)
    RankTable.check_schema(path, {"schema": metadata[b"schema"].decode()})
    return _number_repeated_targets(_rank_file(label, table, "cluster", first_line))


def _number_repeated_targets(file: RankFile) -> RankFile:
    """Make repeated targets of a query distinct; a stored rank table may repeat the dropped target −1."""
    keys = np.char.add(np.char.add(file.query, " "), np.char.add(file.target, np.char.mod(" %d", file.repeat)))
    _, where = np.unique(keys, return_inverse=True)
    order = np.argsort(where, kind="stable")
    firsts = np.flatnonzero(np.concatenate([[True], np.diff(where[order]) != 0]))
    occurrence = np.empty(len(keys), dtype=np.int64)
    occurrence[order] = np.arange(len(keys)) - np.repeat(firsts, np.diff(np.append(firsts, len(keys))))
    target = np.where(occurrence > 0, np.char.add(file.target, np.char.mod("#%d", occurrence)), file.target)
    return replace(file, target=target)


def _rank_file(name: str, table: pa.Table, cluster: str | None, first_line: int) -> RankFile:
    columns = table.column_names
    repeated = next((column for column in columns if columns.count(column) > 1), None)
    if repeated is not None:
        raise InvalidRankFile(f"{name} has two columns named {repeated}")
    owner = cluster.strip().lower() if cluster else next((column for column in CLUSTERS if column in columns), None)
    if owner is None or owner not in columns:
        wanted = owner or "user or session"
        raise InvalidRankFile(
            f"{name} has no column {wanted}: it has {', '.join(columns)}; name the column of each query's owner"
        )
    if table.num_rows == 0:
        raise InvalidRankFile(f"{name} has no rows; expected one row per query and target")
    lines = np.arange(table.num_rows) + first_line
    if "rank" in columns:
        greater, tied = _whole_numbers(name, table, "rank", 1, lines) - 1, np.zeros(table.num_rows, dtype=np.int64)
    elif {"greater", "tied"} <= set(columns):
        greater, tied = (_whole_numbers(name, table, column, 0, lines) for column in ("greater", "tied"))
    else:
        raise InvalidRankFile(f"{name} has no column rank, nor greater and tied: it has {', '.join(columns)}")
    return RankFile(
        name=name,
        cluster_name=owner,
        cluster=_key_texts(name, table, owner, lines),
        query=_key_texts(name, table, "query", lines) if "query" in columns else None,
        target=_key_texts(name, table, "target", lines) if "target" in columns else None,
        repeat=_whole_numbers(name, table, "repeat", 0, lines)
        if "repeat" in columns
        else np.zeros(table.num_rows, np.int64),
        greater=greater,
        tied=tied,
        candidates=_whole_numbers(name, table, "candidates", 1, lines)
        if "candidates" in columns
        else greater + tied + UNKNOWN_CANDIDATES,
        lines=lines,
    )


def _key_texts(name: str, table: pa.Table, column: str, lines: np.ndarray) -> np.ndarray:
    """Return a key column as text, so that 7 is the same user in Parquet and CSV files."""
    values = _column_texts(name, table, column)
    empty = np.array([value is None or not value.strip() for value in values])
    if empty.any():
        raise InvalidRankFile(f"{name}, line {lines[np.argmax(empty)]}: {column} is empty; every row needs a value")
    return values.astype(str)


def _column_texts(name: str, table: pa.Table, column: str) -> np.ndarray:
    """Return a column as text, None where it is empty."""
    try:
        return table[column].cast(pa.string()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        kind = table[column].type
        raise InvalidRankFile(f"{name}: {column} must hold text or numbers, got {kind} ({error})") from None


def _whole_numbers(name: str, table: pa.Table, column: str, least: int, lines: np.ndarray) -> np.ndarray:
    """Return a column of whole numbers that are at least ``least``."""
    values = _column_texts(name, table, column)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        numbers = np.array([_number(value) for value in values])
    wrong = ~(numbers >= least) | (numbers != np.floor(numbers)) | ~np.isfinite(numbers)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InvalidRankFile(
            f"{name}, line {lines[at]}: {column} must be a whole number of at least {least}, got {values[at]!r}"
        )
    if (numbers > MAX_EXACT_INTEGER).any():
        at = int(np.argmax(numbers > MAX_EXACT_INTEGER))
        raise InvalidRankFile(f"{name}, line {lines[at]}: {column} must be at most 2^53, got {values[at]!r}")
    return numbers.astype(np.int64)


def _number(value: str | None) -> float:
    try:
        return float(value) if value is not None else np.nan
    except ValueError:
        return np.nan


def _join_parts(parts: Sequence[RankFile], name: str) -> RankFile:
    """Concatenate files; without a ``query`` column their order is the order within a user."""
    first = parts[0]
    for part in parts[1:]:
        for column in ("query", "target"):
            if (getattr(first, column) is None) != (getattr(part, column) is None):
                raise InvalidRankFile(f"{first.name} and {part.name} must both have a column {column}, or neither")
        if part.cluster_name != first.cluster_name:
            raise InvalidRankFile(
                f"{first.name} has a column {first.cluster_name}, {part.name} has {part.cluster_name}"
            )

    def joined(column: str) -> np.ndarray | None:
        if getattr(first, column) is None:
            return None
        return np.concatenate([getattr(part, column) for part in parts])

    columns = ("cluster", "query", "target", "repeat", "greater", "tied", "candidates", "lines")
    return RankFile(name, first.cluster_name, **{column: joined(column) for column in columns})
