"""The layout of a user's text file: comment lines, separator, quotes, and whether the first line names the columns."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from recsys_data.columns.open_choice import OpenChoice
from recsys_data.containers.header import is_header
from recsys_data.containers.separators import NAMES, guess_separator, has_quotes, split_lines

COMMENT_MARKS = ("%", "#")
_SAMPLE = 300  # lines that decide
_ROW_NAMES = "row names"  # of the column without a name that R writes


@dataclass(frozen=True)
class TextLayout:
    """The layout of a text file.

    head: the number of lines before the first event: comments, blank lines and the header. comment: the beginning of
    lines to leave out, or "". names: of the columns, "column 1" and so on without a header. samples: some values of
    each column.
    """

    separator: str
    quoted: bool
    header: bool
    comment: str
    comments: int
    head: int
    names: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]

    def summary(self) -> str:
        """The layout in a few words, for the edition of the data."""
        words = f"separator {NAMES.get(self.separator, self.separator)}, {'with' if self.header else 'without'} header"
        if self.comments:
            words += f", {self.comments} lines that begin with {self.comment} left out"
        return words


def recognise_layout(
    data: bytes,
    columns: Sequence[str],
    separator: str | None,
    header: bool | None,
    comment: str | None,
    where: str,
) -> TextLayout:
    """The layout of a text in UTF-8; ``separator``, ``header`` and ``comment`` are recognised where None.

    ``columns``: as in InteractionFile. Raises ValueError where the file has no line, or where the separator, the header
    or the comments cannot be decided; it names the option that decides.
    """
    lines = [line.decode("utf-8", "replace").rstrip("\r\n") for line in itertools.islice(io.BytesIO(data), _SAMPLE)]
    comment, start = _comments(lines, comment, where)
    left = [(place, line) for place, line in enumerate(lines[start:], start)
            if line.strip() and not (comment and line.startswith(comment))]  # fmt: skip
    if not left:
        raise ValueError(f"{where}: is empty; expected one event per line")
    (first, _), texts = left[0], [line for _, line in left]
    named = any("=" in column for column in columns)
    separator = guess_separator(texts, where, 0 if named else len(columns)) if separator is None else separator
    quoted = has_quotes(texts, separator)
    try:
        fields, *rows = split_lines(texts, separator, quoted)
    except csv.Error as error:
        raise ValueError(f"{where}: cannot be split into fields ({error}); expected a second quote after each "
                         "quote") from error  # fmt: skip
    if quoted and len(lines) == _SAMPLE:
        rows = rows[:-1]  # the end of the sample may cut it
    if rows and all(len(row) == len(fields) + 1 for row in rows):  # R's write.table does not name the row names
        if header is False:
            raise ValueError(f"{where}: line {first + 1} has {len(fields)} fields and the others {len(rows[0])}; "
                             "expected as many in each line")  # fmt: skip
        fields, header = [_ROW_NAMES, *fields], True
    elif header is None:
        header = named or is_header(fields, rows, columns)
        if header is None and len(columns) == len(fields):
            raise OpenChoice(
                f"{where}: line {first + 1} ({', '.join(fields)[:80]}) may name the columns or be an event; say "
                "--header or --no-header",
                header=True,
            )
        header = header is not False
    samples = rows if header else [fields, *rows]
    names = fields if header else [f"column {place + 1}" for place in range(len(fields))]
    return TextLayout(
        separator,
        quoted,
        header,
        comment,
        sum(line.startswith(comment) for line in lines) if comment else 0,
        first + int(header),
        tuple(name.strip() or f"column {place}" for place, name in enumerate(names, start=1)),
        tuple(tuple(row[place] for row in samples if place < len(row)) for place in range(len(fields))),
    )


def _comments(lines: Sequence[str], comment: str | None, where: str) -> tuple[str, int]:
    """The beginning of comment lines, "" for none, and the number of lines that they take at the top."""
    filled = [(place, line) for place, line in enumerate(lines) if line.strip()]
    if comment is not None or not filled or not filled[0][1].startswith(COMMENT_MARKS):
        return comment or "", 0
    mark = filled[0][1][0]
    top = list(itertools.takewhile(lambda entry: entry[1].startswith(mark), filled))
    if len(top) == len(filled) or any(line.startswith(mark) for _, line in filled[len(top) :]):
        raise OpenChoice(
            f"{where}: line {filled[0][0] + 1} begins with {mark}, as later lines do; say --comment '{mark}' to leave "
            "such lines out, or --comment '' to read them",
            comment=mark,
        )
    return mark, top[-1][0] + 1
