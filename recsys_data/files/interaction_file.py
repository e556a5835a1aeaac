"""InteractionFile: a user's own file as a data set; separators, headers and times recognised and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys_data.arrow import numbers
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import data_folder, read_bytes
from recsys_data.files.export import PART_NAMES
from recsys_data.files.sequence_files import PARTS, SequenceFiles
from recsys_data.files.tables import read_table
from recsys_data.files.time_lstm_files import ITEMS, LstFiles
from recsys_data.files.times import to_seconds
from recsys_data.interactions import Clock, Interactions
from recsys_data.vocabulary import EncodedColumn, encode_ids

ROLES = ("user", "session", "item", "rating", "timestamp", "part")
SEPARATORS = ("::", "\t", ",", ";", "|", " ")
_KNOWN_HEADERS = {  # what well-known formats call their columns, in small letters and without a type; the last wins
    "user": ("user", "user_id", "userid", "reviewerid"),
    "session": ("session", "session_id", "sessionid"),
    "item": ("item", "item_id", "itemid", "asin", "movieid", "movie_id"),
    "rating": ("rating", "overall"),
    "timestamp": ("date", "datetime", "timestamp", "time", "unixreviewtime"),
    "part": ("published_part",),  # what Encore writes; a column called part may mean anything
}
_WORDS = {"::": "'::'", "\t": "tab", " ": "blank"}


@dataclass(frozen=True)
class InteractionFile:
    """A file of events as a data set: CSV, TSV, RecBole .inter, SessionId/ItemId/Time or Parquet, plain or .xz.

    columns: what each column is, in the file's order, of user, session, item, rating, timestamp, part (train,
    validation or test, one for all events of a user, for the protocol AsPublished), and "" for one to leave out; or
    ROLE=NAME with the header's names; empty: known names in a header are recognised. separator: None guesses among
    ``::``, tab, comma, semicolon, bar and blank. header: None looks whether the first line reads like data. A
    user-item.lst is read with its two neighbours (LstFiles), a train_set_sequences alone (SequenceFiles).
    clock: the words of a Clock where the times are not Unix times. A comma or semicolon file may quote texts.
    """

    path: str
    columns: tuple[str, ...] = ()
    separator: str | None = None
    header: bool | None = None
    clock: str = ""
    label: str = ""
    licence: str = "unknown: the user's own file"
    citation: str = "none given"

    expected: ClassVar[None] = None

    def __post_init__(self) -> None:
        for column in self.columns:
            role = column.partition("=")[0]
            if role and role not in ROLES:
                raise ValueError(f"columns must be of {', '.join(ROLES)} or empty, got {role!r}")
        if self.clock and self.clock not in [clock.value for clock in Clock]:
            raise ValueError(f"clock must be one of {', '.join(clock.value for clock in Clock)}, got {self.clock!r}")

    @property
    def name(self) -> str:
        """The label, or the file's name up to its first dot."""
        return self.label or Path(self.path).name.partition(".")[0]

    @property
    def title(self) -> str:
        """The name."""
        return self.name

    def _place(self, folder: Path | None) -> Path:
        """The file itself, or under the data folder."""
        path = Path(self.path).expanduser()
        return path if path.is_absolute() or path.is_file() else data_folder(folder) / path

    def present(self, folder: Path | None) -> bool:
        """Whether the file is there."""
        return self._place(folder).is_file()

    def raw_files(self, folder: Path | None) -> list[Path] | None:
        """The one file; None where it is absent, or is read together with others beside it."""
        path = self._place(folder)
        alone = path.is_file() and path.name not in (ITEMS, *PARTS.values())
        return [path] if alone else None

    def load(self, folder: Path | None = None) -> Interactions:
        """The events; ValueError in one sentence where a column, a row or the separator is not as said."""
        path = self._place(folder)
        if not path.is_file():
            raise DataMissing(f"{self.name}: no file at {path}; give the path of the file to read")
        if path.name == ITEMS:
            return LstFiles(str(path.parent), self.name).load()
        if path.name in PARTS.values():
            return SequenceFiles(str(path), self.name).load()
        if path.name.endswith(".parquet"):
            table, said = self._parquet(path), "Parquet"
        else:
            table, said = self._text(path)
        return self._events(table, said, str(path))

    def _parquet(self, path: Path) -> pa.Table:
        """The columns of a Parquet file, under their roles."""
        try:
            names = pq.read_schema(path).names
            roles = self._roles(names, named=True, where=str(path))
            table = pq.read_table(path, columns=[names[place] for place in roles.values()])
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})") from error
        return table.rename_columns(list(roles)) if table.num_columns == len(roles) else table

    def _text(self, path: Path) -> tuple[pa.Table, str]:
        """The columns of a text file, under their roles, and how it was read."""
        data = read_bytes(path)
        lines = [line for line in data[: 1 << 16].decode("utf-8-sig", "replace").splitlines()[:20] if line.strip()]
        if not lines:
            raise ValueError(f"{path}: is empty; expected one event a line")
        separator = guess_separator(lines, str(path)) if self.separator is None else self.separator
        quoted = separator in (",", ";")
        fields, *others = ([field.strip('"') if quoted else field for field in line.split(separator)] for line in lines)
        header = self._has_header(fields, others) if self.header is None else self.header
        roles = self._roles(fields, named=header, where=str(path))
        names = [
            next((role for role, at in roles.items() if at == place), f"column {place + 1}")
            for place in range(len(fields))
        ]
        kinds = {
            "user": pa.dictionary(pa.int32(), pa.string()),
            "session": pa.dictionary(pa.int32(), pa.string()),
            "item": pa.dictionary(pa.int32(), pa.string()),
            "rating": pa.float32(),
            "timestamp": pa.string(),
            "part": pa.dictionary(pa.int32(), pa.string()),
        }
        table = read_table(
            data,
            names,
            {role: kinds[role] for role in roles},
            separator=separator,
            header=header,
            quoted=quoted,
            where=str(path),
        )
        return table, f"separator {_WORDS.get(separator, separator)}, {'with' if header else 'without'} header"

    def _has_header(self, fields: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
        """Whether the first line names columns instead of holding an event; ``others``: some lines after it."""
        if any("=" in column for column in self.columns) or _recognised(fields).get("item") is not None:
            return True
        numeric = [place for place, role in enumerate(self.columns) if role in ("rating", "timestamp")]
        if any(place < len(fields) and not _reads_as_data(fields[place]) for place in numeric):
            return True
        ids = [place for place, role in enumerate(self.columns) if role in ("user", "session", "item")]
        return any(
            place < len(fields)
            and not _is_whole(fields[place])
            and len(others) > 0
            and all(place < len(other) and _is_whole(other[place]) for other in others)
            for place in ids
        )

    def _roles(self, fields: Sequence[str], *, named: bool, where: str) -> dict[str, int]:
        """Where each role's column is; ValueError with the columns found where one is missing."""
        found = f"{len(fields)} columns found: {', '.join(fields)}"
        if not self.columns:
            roles = _recognised(fields) if named else {}
        elif any("=" in column for column in self.columns):
            roles = {}
            for column in self.columns:
                role, _, name = column.partition("=")
                plain = [field.partition(":")[0] for field in fields]
                if name not in plain:
                    raise ValueError(f"{where}: no column {name!r} for the {role}; {found}")
                roles[role] = plain.index(name)
        else:
            if len(self.columns) != len(fields):
                raise ValueError(f"{where}: {len(self.columns)} columns named ({', '.join(self.columns)}) but {found}")
            roles = {role: place for place, role in enumerate(self.columns) if role}
        if "item" not in roles or not roles.keys() & {"user", "session"}:
            raise ValueError(
                f"{where}: which column is the user (or session) and which the item is not known; {found}; "
                "name them with data import --columns, such as user,item,rating,timestamp"
            )
        return roles

    def _events(self, table: pa.Table, said: str, where: str) -> Interactions:
        """Interactions from a table whose columns are roles."""
        unit = "session" if "session" in table.column_names and "user" not in table.column_names else "user"
        owner = "session" if "session" in table.column_names else "user"
        for role in table.column_names:
            _refuse_gaps(table[role], role, where)
        times, clock = None, Clock(self.clock) if self.clock else Clock.WITHIN
        if "timestamp" in table.column_names:
            times, kind = to_seconds(table["timestamp"], where)
            said += f", times in {kind}"
            clock = Clock(self.clock) if self.clock else Clock.ABSOLUTE
        elif clock.has_gaps or clock.has_global_order:
            raise ValueError(
                f"{where}: the clock {clock.value!r} needs a column of times, and there is none; name it with "
                f"--columns, or choose {Clock.WITHIN.value!r} where the rows are in each user's order"
            )
        return Interactions.from_events(
            self.name,
            _coded(table[owner], owner, where),
            _coded(table["item"], "item", where),
            times,
            clock=clock,
            ratings=numbers(table["rating"]) if "rating" in table.column_names else None,
            unit="session" if owner == "session" else unit,
            edition=f"the user's file {Path(where).name}, read with {said}",
            parts=_parts(table["part"], where) if "part" in table.column_names else None,
        )


def _refuse_gaps(column: pa.ChunkedArray, role: str, where: str) -> None:
    """ValueError with the first event that has nothing in the column of a role."""
    if column.null_count:
        event = int(numbers(pc.cast(pc.is_null(column), pa.uint8())).argmax()) + 1
        raise ValueError(f"{where}: event {event} has no {role}; fill it in or take the row out")


def _coded(column: pa.ChunkedArray, role: str, where: str) -> EncodedColumn:
    """A column of ids in codes; ValueError for an empty text, and for fractions (7.0 is a whole number)."""
    if pa.types.is_floating(column.type):  # how a table with gaps once holds whole numbers
        try:
            column = column.cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise ValueError(
                f"{where}: the column of the {role} holds fractions; ids are whole numbers or texts"
            ) from error
    coded = encode_ids(column)
    if coded.ids.dtype.kind in "UO" and coded.size and coded.ids[0] == "":  # sorted: the empty text is the first
        event = int((coded.codes == 0).argmax()) + 1
        raise ValueError(f"{where}: event {event} has no {role}; fill it in or take the row out")
    return coded


def _parts(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """The number of each event's part, (E,) int8; ValueError for another word than those three."""
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(PART_NAMES))
    if found.null_count:
        odd = column.cast(pa.string()).filter(pc.is_null(found))[0].as_py()
        raise ValueError(f"{where}: a part must be {', '.join(PART_NAMES[:-1])} or {PART_NAMES[-1]}, got {odd!r}")
    return numbers(found).astype(np.int8)


def guess_separator(lines: Sequence[str], where: str) -> str:
    """The first of SEPARATORS that cuts every line into the same number of fields, two at least.

    Raises ValueError with the first line where none does.
    """
    for separator in SEPARATORS:
        counts = {len(line.split(separator)) for line in lines}
        if len(counts) == 1 and counts.pop() >= 2:
            return separator
    for separator in SEPARATORS:  # texts with a separator inside: the fields that every line has
        if min(len(line.split(separator)) for line in lines) >= 2 and separator != " ":
            return separator
    raise ValueError(
        f"{where}: no separator cuts its lines into columns; the first line is {lines[0][:80]!r}; name the separator"
    )


def _recognised(fields: Sequence[str]) -> dict[str, int]:
    """The roles of known column names, RecBole's types (``user_id:token``) aside."""
    plain = [field.partition(":")[0].strip().lower() for field in fields]
    return {role: plain.index(name) for role, names in _KNOWN_HEADERS.items() for name in names if name in plain}


def _is_whole(text: str) -> bool:
    """Whether a field holds a whole number."""
    return text.strip().removeprefix("-").isdecimal()


def _reads_as_data(text: str) -> bool:
    """Whether a field of a numeric column holds a number or a time."""
    try:
        float(text)
    except ValueError:
        return text[:4].isdecimal()
    return True
