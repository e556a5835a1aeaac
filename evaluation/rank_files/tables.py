"""Tables of rank files: CSV with any common separator, TREC's columns or Parquet, plain or compressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recsys_data.arrow import csv as pa_csv
from recsys_data.arrow import numbers, pa, pq
from recsys_data.containers.content import read_content, to_utf8
from recsys_data.printable import printable

CLUSTERS = ("user", "session")
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
OTHER_SEPARATORS = (",", ";", "\t", "|")
TREC_SUFFIXES = (".run", ".res", ".trec", ".qrels", "")
TREC_RUN = ("query", "q0", "item", "rank", "score", "run")
TREC_QRELS = ("query", "iteration", "item", "relevance")
QRELS = "--qrels FILE (in a suite: Ranked(…, qrels=FILE))"  # how true items are given
MAX_EXACT_INTEGER = 2**53  # whole numbers up to here are exact as floats


class InvalidRankFile(ValueError):
    """A file is no valid rank file, or two files do not match; the message is one line, whatever the files hold."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@dataclass(frozen=True, eq=False)
class FileTable:
    """The columns of one file, with names in lower case.

    metadata: of a Parquet file; first_line: the line number of the first row; decimal_comma: whether numbers may be
    written 0,5; is_trec: whether the columns are those of a TREC run or of TREC's relevance judgements, which have no
    header.
    """

    name: str
    table: pa.Table
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)
    first_line: int = 1
    decimal_comma: bool = False
    is_trec: bool = False

    def __post_init__(self) -> None:
        repeated = next((column for column in self.columns if self.columns.count(column) > 1), None)
        if repeated is not None:
            raise InvalidRankFile(f"{self.name} has two columns named {repeated}")
        if self.table.num_rows == 0:
            raise InvalidRankFile(f"{self.name} has no rows; expected one row per query and target")

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.table.column_names

    @property
    def lines(self) -> np.ndarray:
        """The line number of each row, as in an editor, (R,) int64."""
        return np.arange(self.table.num_rows) + self.first_line

    def owner(self, cluster: str | None) -> str:
        """Return the name of the column with the owner of a query: ``cluster``, by default user, else session."""
        given = cluster.strip().lower() if cluster else None
        owner = given or next((column for column in CLUSTERS if column in self.columns), None)
        if owner is None or owner not in self.columns:
            raise InvalidRankFile(
                f"{self.name} has no column {owner or 'user or session'}: it has {', '.join(self.columns)}; name the "
                "column of each query's owner"
            )
        return owner

    def coded(self, column: str) -> tuple[np.ndarray, list[str]]:
        """Return the number (R,) int64 of each row's text in a list of the column's texts, "" where it is empty."""
        try:
            encoded = self.table[column].dictionary_encode().combine_chunks()
            names = encoded.dictionary.cast(pa.string()).to_pylist()
        except pa.ArrowException as error:
            kind = self.table[column].type
            raise InvalidRankFile(f"{self.name}: {column} must hold text or numbers, got {kind} ({error})") from None
        codes = numbers(encoded.indices.cast(pa.int64()).fill_null(len(names)))
        return codes, [name.strip() if name is not None else "" for name in (*names, None)]

    def texts(self, column: str) -> np.ndarray:
        """Return a column as text, (R,) object, "" where it is empty."""
        codes, names = self.coded(column)
        return np.array(names, dtype=object)[codes]

    def coded_keys(self, column: str) -> tuple[np.ndarray, list[str]]:
        """Return a key column as in ``coded``: 7 is the same user in Parquet and CSV files. Refuse empty ones."""
        codes, names = self.coded(column)
        empty = np.array([name == "" for name in names])[codes]
        self.refuse(column, self.texts, empty, "is empty; every row needs a value", show=False)
        return codes, names

    def keys(self, column: str) -> np.ndarray:
        """Return a key column as text, (R,) str."""
        codes, names = self.coded_keys(column)
        return np.array(names)[codes]

    def numbers(self, column: str) -> np.ndarray:
        """Return a column as numbers, (R,) float64, NaN where a value is no number."""
        codes, names = self.coded(column)
        return np.array([self._number(name) for name in names])[codes]

    def whole_numbers(self, column: str, least: int) -> np.ndarray:
        """Return a column of whole numbers that are at least ``least``, (R,) int64."""
        numbers = self.numbers(column)
        wrong = ~(numbers >= least) | (numbers != np.floor(numbers)) | ~np.isfinite(numbers)
        self.refuse(column, self.texts, wrong, f"must be a whole number of at least {least}")
        return self.exact(column, numbers)

    def exact(self, column: str, numbers: np.ndarray) -> np.ndarray:
        """Return whole numbers (R,) as int64; refuse those that float64 may have rounded."""
        self.refuse(column, self.texts, numbers > MAX_EXACT_INTEGER, "must be at most 2^53")
        return numbers.astype(np.int64)

    def refuse(
        self,
        column: str,
        values: np.ndarray | Callable[[str], np.ndarray],
        wrong: np.ndarray,
        problem: str,
        *,
        show: bool = True,
        advice: str = "",
    ) -> None:
        """Raise InvalidRankFile for the first row where ``wrong`` (R,) is true, if any."""
        if wrong.any():
            at = int(np.argmax(wrong))
            texts = values(column) if callable(values) else values
            got = f", got {str(texts[at])!r}" if show else ""
            raise InvalidRankFile(f"{self.name}, line {self.lines[at]}: {column} {problem}{got}{advice}")

    def _number(self, value: str) -> float:
        try:
            return float(value.replace(",", ".") if self.decimal_comma else value)
        except ValueError:
            return np.nan


def suffix_of(path: Path) -> str:
    """Return the suffix of the format, without a compression suffix such as .gz."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in (".gz", ".bz2", ".zst", ".xz", ".zip"):
        return suffixes[-2] if len(suffixes) > 1 else ""
    return path.suffix.lower()


def read_file_table(path: Path, name: str | None = None, data: bytes | None = None) -> FileTable:
    """Read the table in ``path``; ``name``: how messages call it. Raises InvalidRankFile.

    data: the content of a Parquet file that was read and checked before.
    """
    suffix, label = suffix_of(path), name or str(path)
    if suffix not in (".parquet", *SEPARATORS, *TREC_SUFFIXES):
        raise InvalidRankFile(f"{path}: unknown file format {suffix}; expected .csv, .tsv, .parquet or a TREC run")
    try:
        if suffix == ".parquet":
            table = pq.read_table(path if data is None else pa.BufferReader(data))
            return FileTable(label, _lower(table), table.schema.metadata or {})
        data = to_utf8(read_content(path).data, "", str(path), advice="save it as UTF-8")
        return _read_text(label, data, SEPARATORS.get(suffix, ","))
    except (pa.ArrowException, OSError) as error:
        raise InvalidRankFile(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def _read_text(name: str, data: bytes, separator: str) -> FileTable:
    """Read a text: TREC's columns without a header, or a header and rows with the separator that splits the header."""
    data = data.lstrip(b"\r\n")
    if not data.strip():
        raise InvalidRankFile(f"{name} has no rows; expected one row per query and target")
    first = data.partition(b"\n")[0].decode("utf-8").strip()
    columns = _trec_columns(first)
    if columns:
        return FileTable(name, _trec_table(name, data, columns), is_trec=True)
    separator = max((separator, *OTHER_SEPARATORS), key=first.count)  # the suffix decides where several are equal
    parse = pa_csv.ParseOptions(delimiter=separator)
    head = pa_csv.open_csv(pa.BufferReader(data), parse_options=parse).schema.names
    convert = pa_csv.ConvertOptions(column_types=dict.fromkeys(head, pa.string()), strings_can_be_null=False)
    table = pa_csv.read_csv(pa.BufferReader(data), parse_options=parse, convert_options=convert)
    return FileTable(name, _lower(table), first_line=2, decimal_comma=separator == ";")


def _lower(table: pa.Table) -> pa.Table:
    return table.rename_columns([column.strip().lower() for column in table.column_names])


def _trec_columns(line: str) -> tuple[str, ...]:
    """Return the columns of TREC's format whose shape the first line has, or none."""
    fields = line.split()
    if len(fields) == 6 and _are_numbers(fields[3:5]):
        return TREC_RUN
    if len(fields) == 4 and _are_numbers(fields[3:]) and not any(mark in line for mark in ",;|"):
        return TREC_QRELS
    return ()


def _are_numbers(fields: list[str]) -> bool:
    try:
        return all(np.isfinite(float(field)) for field in fields)
    except ValueError:
        return False


def _trec_table(name: str, data: bytes, columns: tuple[str, ...]) -> pa.Table:
    """Return the fields between blanks or tabs; blank lines only at the end."""
    rows = [line.split() for line in data.decode("utf-8").rstrip().splitlines()]
    for line, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise InvalidRankFile(
                f"{name}, line {line} has {len(row)} fields; expected {len(columns)}, as in line 1: {' '.join(columns)}"
            )
    return pa.table({column: pa.array([row[n] for row in rows], pa.string()) for n, column in enumerate(columns)})
