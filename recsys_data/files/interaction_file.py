"""InteractionFile: a user's own file as a data set; its separator, header and times are recognised and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys_data.arrow import numbers
from recsys_data.checks import check_choice
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import data_folder, read_bytes
from recsys_data.files.export import PART_NAMES
from recsys_data.files.recognise import ROLES, find_roles, recognise_layout
from recsys_data.files.sequence_files import PARTS, SequenceFiles
from recsys_data.files.tables import read_table
from recsys_data.files.time_lstm_files import ITEMS, LstFiles
from recsys_data.files.times import to_seconds
from recsys_data.interactions import Clock, Interactions
from recsys_data.vocabulary import EncodedColumn, encode_ids

_ID = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    "user": _ID, "session": _ID, "item": _ID, "rating": pa.float32(), "timestamp": pa.string(), "part": _ID,
}  # fmt: skip


@dataclass(frozen=True)
class InteractionFile:
    """A file of events as a data set: CSV, TSV, RecBole .inter, SessionId/ItemId/Time or Parquet, plain or .xz.

    columns: the role of each column in the file's order: user, session, item, rating, timestamp, part (train,
    validation or test, the same for all events of a user, for the protocol AsPublished), or "" to skip it; or ROLE=NAME
    with names from the header; empty: known names in the header are recognised. separator: None guesses among ``::``,
    tab, comma, semicolon, bar and blank. header: None checks whether the first line looks like data. A user-item.lst
    is read with its two companion files (LstFiles), a train_set_sequences alone (SequenceFiles). clock: the value of a
    Clock where the times are not Unix times. A comma or semicolon file may quote texts.
    """

    path: str
    columns: tuple[str, ...] = ()
    separator: str | None = None
    header: bool | None = None
    comment: str | None = None
    encoding: str = ""
    time_format: str = ""
    time_unit: str = ""
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
        if self.clock:
            check_choice(self, "clock", [clock.value for clock in Clock])

    @property
    def name(self) -> str:
        """The label, or the file's name up to its first dot."""
        return self.label or Path(self.path).name.partition(".")[0]

    @property
    def title(self) -> str:
        """The name."""
        return self.name

    def _locate(self, folder: Path | None) -> Path:
        """The file, relative to the working directory or to the data folder."""
        path = Path(self.path).expanduser()
        return path if path.is_absolute() or path.is_file() else data_folder(folder) / path

    def present(self, folder: Path | None) -> bool:
        """Whether the file is there."""
        return self._locate(folder).is_file()

    def raw_files(self, folder: Path | None) -> list[Path] | None:
        """The one file; None where it is absent or read together with other files."""
        path = self._locate(folder)
        alone = path.is_file() and path.name not in (ITEMS, *PARTS.values())
        return [path] if alone else None

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events; ValueError that names the column or row that cannot be read."""
        path = self._locate(folder)
        if not path.is_file():
            raise DataMissing(f"{self.name}: no file at {path}; give the path of the file to read")
        if path.name == ITEMS:
            return LstFiles(str(path.parent), self.name).load()
        if path.name in PARTS.values():
            return SequenceFiles(str(path), self.name).load()
        if path.name.endswith(".parquet"):
            table, layout = self._parquet(path), "Parquet"
        else:
            table, layout = self._text(path)
        return self._events(table, layout, str(path))

    def _parquet(self, path: Path) -> pa.Table:
        """The columns of a Parquet file, named by role."""
        try:
            names = pq.read_schema(path).names
            roles = find_roles(self.columns, names, named=True, where=str(path))
            table = pq.read_table(path, columns=[names[place] for place in roles.values()])
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})") from error
        return table.rename_columns(list(roles)) if table.num_columns == len(roles) else table

    def _text(self, path: Path) -> tuple[pa.Table, str]:
        """The columns of a text file, named by role, and its layout in words."""
        data = read_bytes(path)
        lines = [line for line in data[: 1 << 16].decode("utf-8-sig", "replace").splitlines()[:20] if line.strip()]
        if not lines:
            raise ValueError(f"{path}: is empty; expected one event per line")
        layout = recognise_layout(lines, self.columns, self.separator, self.header, str(path))
        table = read_table(
            data,
            layout.column_names,
            {role: _TYPES[role] for role in layout.roles},
            separator=layout.separator,
            header=layout.header,
            quoted=layout.quoted,
            where=str(path),
        )
        return table, layout.summary()

    def _events(self, table: pa.Table, layout: str, where: str) -> Interactions:
        """Interactions from a table whose columns are named by role."""
        unit = "session" if "session" in table.column_names and "user" not in table.column_names else "user"
        owner = "session" if "session" in table.column_names else "user"
        for role in table.column_names:
            _require_values(table[role], role, where)
        times, clock = None, Clock(self.clock) if self.clock else Clock.WITHIN
        if "timestamp" in table.column_names:
            times, kind = to_seconds(table["timestamp"], where)
            layout += f", times in {kind}"
            clock = Clock(self.clock) if self.clock else Clock.ABSOLUTE
        elif clock.has_gaps or clock.has_global_order:
            raise ValueError(
                f"{where}: the clock {clock.value!r} needs a column of times and the file has none; name it with "
                f"--columns, or choose {Clock.WITHIN.value!r} where the rows are in each user's order"
            )
        return Interactions.from_events(
            self.name,
            _encode(table[owner], owner, where),
            _encode(table["item"], "item", where),
            times,
            clock=clock,
            ratings=numbers(table["rating"]) if "rating" in table.column_names else None,
            unit="session" if owner == "session" else unit,
            edition=f"the user's file {Path(where).name}, read with {layout}",
            parts=_parts(table["part"], where) if "part" in table.column_names else None,
        )


def _require_values(column: pa.ChunkedArray, role: str, where: str) -> None:
    """Raise ValueError for the first event without a value in the column of a role."""
    if column.null_count:
        event = int(numbers(pc.cast(pc.is_null(column), pa.uint8())).argmax()) + 1
        raise ValueError(f"{where}: event {event} has no {role}; fill it in or remove the row")


def _encode(column: pa.ChunkedArray, role: str, where: str) -> EncodedColumn:
    """Encode a column of ids; ValueError for an empty text and for fractions (7.0 is a whole number)."""
    if pa.types.is_floating(column.type):  # pandas stores whole numbers with gaps as floats
        try:
            column = column.cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise ValueError(
                f"{where}: the {role} column holds fractions; ids must be whole numbers or texts"
            ) from error
    coded = encode_ids(column)
    if coded.ids.dtype.kind in "UO" and coded.size and coded.ids[0] == "":  # sorted: the empty text is the first
        event = int((coded.codes == 0).argmax()) + 1
        raise ValueError(f"{where}: event {event} has no {role}; fill it in or remove the row")
    return coded


def _parts(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """The number of each event's part, (E,) int8; ValueError for a value that is not one of PART_NAMES."""
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(PART_NAMES))
    if found.null_count:
        other = column.cast(pa.string()).filter(pc.is_null(found))[0].as_py()
        raise ValueError(f"{where}: a part must be {', '.join(PART_NAMES[:-1])} or {PART_NAMES[-1]}, got {other!r}")
    return numbers(found).astype(np.int8)
