"""Read columns of text tables; an error names the row and the column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from recsys_data.arrow import csv, numbers, pa, texts

_ONE_CHARACTER = "\x1f"  # replaces a separator of several characters, which pyarrow cannot read


class RaggedLine(ValueError):
    """A line with too few or too many fields."""


def read_arrays(
    data: bytes,
    columns: Sequence[str],
    types: Mapping[str, pa.DataType],
    *,
    separator: str = "\t",
    header: bool = False,
    where: str = "table",
) -> dict[str, np.ndarray]:
    """Read the columns named in ``types`` as arrays; arguments and errors as in read_table."""
    table = read_table(data, columns, types, separator=separator, header=header, where=where)
    return {name: (texts if pa.types.is_string(types[name]) else numbers)(table[name]) for name in types}


def read_table(
    data: bytes | Path,
    columns: Sequence[str],
    types: Mapping[str, pa.DataType],
    *,
    separator: str = "\t",
    header: bool = False,
    quoted: bool = False,
    where: str = "table",
    line_of: Callable[[int], int] = int,
    ragged: list[int] | None = None,
) -> pa.Table:
    """Read the columns named in ``types`` of a text table whose lines consist of ``columns`` in that order.

    ``data``: the text, or the path of a file too large for memory. A quote character is ordinary text unless
    ``quoted``. ``separator`` may have several characters (``::``). Raises ValueError that names the row (1 is the first
    line, and ``line_of`` makes it a line of the user's file) and the column for a line with too few or too many fields,
    a value of another type, or an empty value in a column of numbers. ragged: takes the rows (from 0) of lines with too
    few or too many fields, which are then left out.
    """
    if len(separator) > 1:
        data = data.read_bytes() if isinstance(data, Path) else data
        data = data.replace(separator.encode(), _ONE_CHARACTER.encode())
        separator = _ONE_CHARACTER
    read = csv.ReadOptions(column_names=list(columns), skip_rows=int(header), block_size=8 << 20)
    parse = csv.ParseOptions(delimiter=separator, quote_char='"' if quoted else False, newlines_in_values=quoted)
    if ragged is not None:
        read.use_threads = False
        parse.invalid_row_handler = lambda row: ragged.append(row.number - 1) or "skip"
    convert = csv.ConvertOptions(column_types=dict(types), include_columns=list(types), strings_can_be_null=False)

    def source() -> pa.NativeFile:
        return pa.OSFile(str(data)) if isinstance(data, Path) else pa.BufferReader(data)

    try:
        table = csv.read_csv(source(), read, parse, convert)
    except pa.ArrowInvalid:
        read.use_threads = False  # only the serial reader reports row numbers
        if ragged is not None:
            ragged.clear()
        try:
            table = csv.read_csv(source(), read, parse, convert)
        except pa.ArrowInvalid as error:
            raise _error(where, str(error), columns, types, line_of) from error
    for name in types:
        if table[name].null_count:
            row = table[name].is_null().index(True).as_py() + 1 + int(header)
            raise ValueError(f"{where}: row {line_of(row)}, column {name} is empty; expected {_kind(types[name])}")
    return table


def _kind(wanted: pa.DataType) -> str:
    """A type in words, for messages."""
    if pa.types.is_timestamp(wanted):
        return "a time such as 2009-05-04T23:08:57Z"
    return "a whole number" if pa.types.is_integer(wanted) else "a number" if pa.types.is_floating(wanted) else "text"


def _error(
    where: str, message: str, columns: Sequence[str], types: Mapping[str, pa.DataType], line_of: Callable[[int], int]
) -> ValueError:
    """The error of pyarrow as one sentence with row and column."""
    if found := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message):
        row, wanted, got = line_of(int(found[1])), found[2], found[3]
        first_missing = f", column {columns[int(got)]} is missing" if int(got) < int(wanted) else ""
        return RaggedLine(f"{where}: row {row}{first_missing}: {got} fields, expected {wanted} ({', '.join(columns)})")
    if found := re.search(r"In CSV column #(\d+): Row #(\d+): .*?'(.*?)'", message, flags=re.DOTALL):
        number, row, value = found.groups()
        name = columns[int(number)] if int(number) < len(columns) else number
        kind = _kind(types[name]) if name in types else "another value"
        return ValueError(f"{where}: row {line_of(int(row))}, column {name} is {value!r}; expected {kind}")
    return ValueError(f"{where}: cannot be read as a table of {', '.join(columns)}: {message.splitlines()[0]}")
