"""Read the columns with a role of a user's text file, and find the line of a row."""

from __future__ import annotations

import contextlib
import csv
import io
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

    ragged: the rows of the file that are not in the table, since they have too few or too many fields.
    """

    table: pa.Table
    layout: TextLayout
    roles: ColumnRoles
    data: bytes
    ragged: tuple[int, ...] = ()

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
    if ragged and len(ragged) > LEFT_OUT_AT_MOST * (len(table) + len(ragged)):
        raise ValueError(
            f"{where}: {len(ragged):,} of {len(table) + len(ragged):,} lines do not have "
            f"{len(roles.names)} fields; expected at most one in ten, which --drop-unreadable leaves out"
        )
    return TextEvents(table, layout, roles, data, tuple(ragged or ()))


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


def _line_of(data: bytes, layout: TextLayout, row: int) -> int:
    """The line (from 1) of a row (from 0) of the events."""
    kept: list[int] = []  # the number of each line handed on

    def lines() -> Iterator[str]:
        for number, raw in enumerate(io.BytesIO(data), start=1):
            line = raw.decode("utf-8", "replace")
            if number <= layout.head or not line.strip("\r\n"):
                continue
            if not (layout.comment and line.startswith(layout.comment)):
                kept.append(number)
                yield line

    if not layout.quoted:
        for place, _ in enumerate(lines()):
            if place == row:
                break
        return kept[-1]
    delimiter = " " if layout.separator == BLANKS else layout.separator
    reader = csv.reader(lines(), delimiter=delimiter)
    first = 0
    with contextlib.suppress(csv.Error):  # the row has a quote that nothing closes
        for place, _ in enumerate(reader):
            if place == row:
                break
            first = reader.line_num  # lines read before the next row, which may have several
    return kept[min(first, len(kept) - 1)]
