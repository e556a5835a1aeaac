"""The layout of a user's text file: its separator, its header, and which column holds which role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROLES = ("user", "session", "item", "rating", "timestamp", "part")
SEPARATORS = ("::", "\t", ",", ";", "|", " ")
_KNOWN_HEADERS = {  # the column names of well-known formats, in lower case and without a type; the last one wins
    "user": ("user", "user_id", "userid", "reviewerid"),
    "session": ("session", "session_id", "sessionid"),
    "item": ("item", "item_id", "itemid", "asin", "movieid", "movie_id"),
    "rating": ("rating", "overall"),
    "timestamp": ("date", "datetime", "timestamp", "time", "unixreviewtime"),
    "part": ("published_part",),  # Encore's own name; a column called "part" may mean anything
}
_SEPARATOR_NAMES = {"::": "'::'", "\t": "tab", " ": "blank"}


@dataclass(frozen=True)
class TextLayout:
    """The layout of a text file: its number of columns ``fields``, and ``roles``, the column number of each role."""

    separator: str
    header: bool
    fields: int
    roles: dict[str, int]

    @property
    def quoted(self) -> bool:
        """Whether texts may be in quotes: in comma and semicolon files only."""
        return self.separator in (",", ";")

    @property
    def column_names(self) -> list[str]:
        """The role of each column, or its number for a column without a role."""
        names = {place: role for role, place in reversed(self.roles.items())}
        return [names.get(place, f"column {place + 1}") for place in range(self.fields)]

    def summary(self) -> str:
        """The layout in a few words, for the edition of the data."""
        separator = _SEPARATOR_NAMES.get(self.separator, self.separator)
        return f"separator {separator}, {'with' if self.header else 'without'} header"


def recognise_layout(
    lines: Sequence[str], columns: Sequence[str], separator: str | None, header: bool | None, where: str
) -> TextLayout:
    """The layout of a file that begins with ``lines``; ``separator`` and ``header`` are recognised where None.

    ``columns``: as in InteractionFile. Raises ValueError where the separator or the columns cannot be recognised.
    """
    separator = guess_separator(lines, where) if separator is None else separator
    quoted = separator in (",", ";")
    fields, *others = ([field.strip('"') if quoted else field for field in line.split(separator)] for line in lines)
    header = _has_header(columns, fields, others) if header is None else header
    return TextLayout(separator, header, len(fields), find_roles(columns, fields, named=header, where=where))


def find_roles(columns: Sequence[str], fields: Sequence[str], *, named: bool, where: str) -> dict[str, int]:
    """The number of the column of each role; ValueError that lists the ``fields`` found where one is missing.

    named: whether ``fields`` are the names of the columns.
    """
    found = f"{len(fields)} columns found: {', '.join(fields)}"
    if not columns:
        roles = _known_roles(fields) if named else {}
    elif any("=" in column for column in columns):
        roles = {}
        for column in columns:
            role, _, name = column.partition("=")
            untyped = [field.partition(":")[0] for field in fields]
            if name not in untyped:
                raise ValueError(f"{where}: no column {name!r} for the {role}; {found}")
            roles[role] = untyped.index(name)
    else:
        if len(columns) != len(fields):
            raise ValueError(f"{where}: {len(columns)} columns named ({', '.join(columns)}) but {found}")
        roles = {role: place for place, role in enumerate(columns) if role}
    if "item" not in roles or not roles.keys() & {"user", "session"}:
        raise ValueError(
            f"{where}: the columns of the user (or session) and of the item are not recognised; {found}; "
            "name them with data import --columns, such as user,item,rating,timestamp"
        )
    return roles


def guess_separator(lines: Sequence[str], where: str) -> str:
    """The first of SEPARATORS that splits every line into the same number of fields, at least two.

    Raises ValueError with the first line where none does.
    """
    for separator in SEPARATORS:
        counts = {len(line.split(separator)) for line in lines}
        if len(counts) == 1 and counts.pop() >= 2:
            return separator
    for separator in SEPARATORS:  # texts may contain the separator: at least two fields in every line
        if min(len(line.split(separator)) for line in lines) >= 2 and separator != " ":
            return separator
    raise ValueError(
        f"{where}: no separator splits its lines into columns; the first line is {lines[0][:80]!r}; name the separator"
    )


def _has_header(columns: Sequence[str], fields: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns instead of holding an event; ``others``: some lines after it."""
    if any("=" in column for column in columns) or _known_roles(fields).get("item") is not None:
        return True
    numeric = [place for place, role in enumerate(columns) if role in ("rating", "timestamp")]
    if any(place < len(fields) and not _is_number_or_time(fields[place]) for place in numeric):
        return True
    ids = [place for place, role in enumerate(columns) if role in ("user", "session", "item")]
    return any(
        place < len(fields)
        and not _is_integer(fields[place])
        and len(others) > 0
        and all(place < len(other) and _is_integer(other[place]) for other in others)
        for place in ids
    )


def _known_roles(fields: Sequence[str]) -> dict[str, int]:
    """The roles of known column names; RecBole's types (``user_id:token``) are ignored."""
    names = [field.partition(":")[0].strip().lower() for field in fields]
    return {role: names.index(name) for role, known in _KNOWN_HEADERS.items() for name in known if name in names}


def _is_integer(text: str) -> bool:
    """Whether a field holds a whole number."""
    return text.strip().removeprefix("-").isdecimal()


def _is_number_or_time(text: str) -> bool:
    """Whether a field of a numeric column holds a number or a time."""
    try:
        float(text)
    except ValueError:
        return text[:4].isdecimal()
    return True
