"""Read the columns with a role of a user's text file, and find the line of a row."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from recsys_data.arrow import pa
from recsys_data.columns.column_roles import ColumnRoles, assign_roles
from recsys_data.columns.open_choice import LEFT_OUT_AT_MOST, OpenChoice
from recsys_data.containers.recognise import TextLayout, recognise_layout
from recsys_data.containers.separators import BLANKS
from recsys_data.containers.tables import RaggedLine, read_table

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class TextEvents:
    """The events of a text file: a ``table`` whose columns are named by role, its layout, and the file's bytes.

    ragged: the rows of the file that are not in the table, since they have too few or too many fields. ragged_lines:
    the number of their lines, since a quote that nothing closes makes one row of many lines.
    """

    table: pa.Table
    layout: TextLayout
    roles: ColumnRoles
    data: bytes
    ragged: tuple[int, ...] = ()
    ragged_lines: int = 0

    def line_of(self, row: int) -> int:
        """The line (from 1) of a row (from 0); it reads the file again, for messages."""
        for other in self.ragged:  # in order; each moves the rows after it
            row += other <= row
        return _line_of(self.data, self.layout, row)


def read_text_events(
    data: bytes,
    columns: Sequence[str],
    types: Mapping[str, pa.DataType],
    *,
    separator: str | None,
    header: bool | None,
    comment: str | None,
    drop_unreadable: bool,
    where: str,
) -> TextEvents:
    """Read a text in UTF-8; the arguments are fields of InteractionFile, ``types`` the type of each role.

    Raises ValueError with the line for a text that is no table of events.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    data = re.sub(rb"\r(?!\n)", b"\n", data) if b"\r" in data else data  # alone it ends a line, for pyarrow too
    layout = recognise_layout(data, columns, separator, header, comment, where)
    roles = assign_roles(columns, layout.names, layout.samples, named=layout.header, where=where)
    body = _body(data, layout)
    if not body.strip():
        raise ValueError(f"{where}: has no line after its header; expected one event per line")
    ragged: list[int] | None = [] if drop_unreadable else None
    try:
        table = read_table(
            body,
            roles.labels,
            {role: types[role] for role in roles.places},
            separator=" " if layout.separator == BLANKS else layout.separator,
            quoted=layout.quoted,
            where=where,
            line_of=lambda row: _line_of(data, layout, row - 1),
            ragged=ragged,
        )
    except RaggedLine as error:
        raise OpenChoice(f"{error}; --drop-unreadable leaves such lines out", drop_unreadable=True) from error
    left_out = _num_lines(data, layout, ragged) if ragged else 0
    if ragged and left_out > LEFT_OUT_AT_MOST * (len(table) + left_out):
        many = left_out > len(ragged)
        raise ValueError(
            f"{where}: {left_out:,} of {len(table) + left_out:,} lines do not have {len(roles.names)} fields"
            f"{', most of them in a row with a quote that nothing closes' if many else ''}; expected at most one in "
            "ten, which --drop-unreadable leaves out"
        )
    return TextEvents(table, layout, roles, data, tuple(ragged or ()), left_out)


def _body(data: bytes, layout: TextLayout) -> bytes:
    """The lines of the events, without comments; runs of blanks become one blank where they separate."""
    lines = io.BytesIO(data)
    for _ in range(layout.head):
        lines.readline()
    body = lines.read()
    if layout.comment:
        body = re.sub(rb"(?m)^" + re.escape(layout.comment.encode()) + rb".*(?:\n|\Z)", b"", body)
    if layout.separator == BLANKS:
        body = re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", body)
        body = re.sub(rb"[ \t]+", b" ", body)
    return body


def _event_lines(data: bytes, layout: TextLayout) -> Iterator[tuple[int, str]]:
    """The lines of the events, without comments and empty ones, each with its number (from 1)."""
    for number, raw in enumerate(io.BytesIO(data), start=1):
        line = raw.decode("utf-8", "replace")
        if number <= layout.head or not line.strip("\r\n"):
            continue
        if not (layout.comment and line.startswith(layout.comment)):
            yield number, line


def _row_ends(data: bytes, layout: TextLayout) -> Iterator[int]:
    """For each row of a text with quotes, the number of lines of the events up to its end; a row may have several."""
    delimiter = " " if layout.separator == BLANKS else layout.separator
    reader = csv.reader((line for _, line in _event_lines(data, layout)), delimiter=delimiter)
    with contextlib.suppress(csv.Error):  # a quote that nothing closes, beyond the longest field of the csv module
        for _ in reader:
            yield reader.line_num
        return
    yield sum(1 for _ in _event_lines(data, layout))


def _num_lines(data: bytes, layout: TextLayout, rows: Sequence[int]) -> int:
    """The number of lines of these rows (from 0)."""
    if not layout.quoted:
        return len(rows)
    chosen = set(rows)
    ends = itertools.pairwise(itertools.chain([0], _row_ends(data, layout)))
    return sum(end - start for row, (start, end) in enumerate(ends) if row in chosen)


def _line_of(data: bytes, layout: TextLayout, row: int) -> int:
    """The line (from 1) of a row (from 0) of the events."""
    before = row  # lines of the events above it
    if layout.quoted:
        before = max(itertools.islice(_row_ends(data, layout), row), default=0)
    numbers = [number for number, _ in itertools.islice(_event_lines(data, layout), before + 1)]
    return numbers[-1]
