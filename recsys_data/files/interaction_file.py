"""InteractionFile: a user's own file as a data set; its separator, header and times are recognised and recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.arrow import numbers, pa, pc
from recsys_data.checks import check_choice
from recsys_data.columns.clean_columns import clean_columns
from recsys_data.columns.column_names import ROLES
from recsys_data.columns.column_roles import OFFSET
from recsys_data.columns.date_formats import time_format_error
from recsys_data.columns.open_choice import UnreadableValue
from recsys_data.columns.times import UNITS, day_and_offset, in_calendar, to_seconds
from recsys_data.containers.content import Content, parts_of, read_content, to_utf8
from recsys_data.containers.json_events import read_json_events
from recsys_data.containers.parquet_events import read_parquet_events
from recsys_data.containers.text_events import read_text_events
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import data_folder
from recsys_data.files.event_table import EventTable
from recsys_data.files.export import PART_NAMES
from recsys_data.files.reading import FileReading, event_type_notes, iso_time, time_notes
from recsys_data.files.sequence_files import PARTS, SequenceFiles
from recsys_data.files.time_lstm_files import ITEMS, LstFiles
from recsys_data.interactions import Clock, Interactions
from recsys_data.vocabulary import encode_ids

_IDS = ("user", "session", "item", "rating", "event", "part")


@dataclass(frozen=True)
class InteractionFile:
    r"""A file of events as a data set: text (CSV, TSV, RecBole .inter, sessions), JSON lines or Parquet.

    columns: the role of each column in the file's order: user, session, item, rating, timestamp, event (what happened,
    for the filter EventTypes), part (train, validation or test, the same for all events of a user, for the protocol
    AsPublished), or "" to skip it; or ROLE=NAME with names from the header, ROLE= for a role without a column. Other
    roles, and all if empty, go to columns with known names; times are also recognised by content. None or empty is
    recognised, or refused where it is open: separator (``::``, tab, comma, semicolon, bar, blank or ``\s+``), header,
    comment (the beginning of lines to leave out, "" for none), time_format (strptime), time_unit (s, ms, us, ns or
    day), encoding. clock: the value of a Clock where the times are not Unix times. drop_missing: leave out events with
    a missing value; drop_unreadable: leave out lines with too few or too many fields and events whose time or rating
    cannot be read, at most one in ten. Both are refused otherwise. A user-item.lst is read with its two companion files
    (LstFiles), a train_set_sequences alone (SequenceFiles).

    The path may be compressed (.gz, .bz2, .xz, .zst, a .zip with one file), or a folder of Parquet parts. Ids follow
    one rule whatever the file is, so equal data have equal fingerprints: see recsys_data.columns.id_columns.
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
    drop_missing: bool = False
    drop_unreadable: bool = False
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
        if self.time_unit:
            check_choice(self, "time_unit", UNITS)
        if self.time_unit and self.time_format:
            raise ValueError("time_unit is for numbers and time_format for dates; give one of them")
        if error := time_format_error(self.time_format):
            raise ValueError(
                f"{self.path}: the time format {self.time_format!r} cannot be read: {error}; expected strptime's "
                "codes, each once, such as '%d/%m/%Y %H:%M'"
            )

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
        return path if path.is_absolute() or path.exists() else data_folder(folder) / path

    def present(self, folder: Path | None) -> bool:
        """Whether the file (or the folder of parts) is there."""
        return self._locate(folder).exists()

    def raw_files(self, folder: Path | None) -> list[Path] | None:
        """The file, or the parts in a folder; None where it is absent or read together with other files."""
        path = self._locate(folder)
        if path.is_dir():
            return parts_of(path)
        alone = path.is_file() and path.name not in (ITEMS, *PARTS.values())
        return [path] if alone else None

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events; ValueError that names the column or row that cannot be read."""
        return self.read(folder)[0]

    def read(self, folder: Path | None = None) -> tuple[Interactions, FileReading]:
        """Load the events, and say how the file was read."""
        path = self._locate(folder)
        if not path.exists():
            raise DataMissing(f"{self.name}: no file at {path}; give the path of the file to read")
        if path.name in (ITEMS, *PARTS.values()):
            kind = LstFiles(str(path.parent), self.name) if path.name == ITEMS else SequenceFiles(str(path), self.name)
            loaded = kind.load()
            return loaded, FileReading(path.name, loaded.edition)
        content = read_content(path)
        read = self._parquet if content.is_parquet else self._json if content.is_json else self._text
        return self._readable_events(read(content, path), path)

    def _parquet(self, content: Content, path: Path) -> EventTable:
        """The columns of a Parquet file or of a folder of parts, named by role."""
        table, roles = read_parquet_events(content, self.columns, str(path), path if path.is_dir() else None)
        return EventTable(table, content.words("Parquet"), roles, lambda row: f"row {row + 1}")

    def _json(self, content: Content, path: Path) -> EventTable:
        """The columns of objects of JSON, named by role."""
        data = to_utf8(content.data, self.encoding, str(path))
        table, roles, lines = read_json_events(data, self.columns, str(path))
        place = (lambda row: f"object {row + 1}") if lines is None else (lambda row: f"line {lines[row]}")
        return EventTable(table, content.words("JSON"), roles, place)

    def _text(self, content: Content, path: Path) -> EventTable:
        """The columns of a text file, named by role."""
        types = dict.fromkeys(_IDS, pa.dictionary(pa.int32(), pa.string()))
        types |= {"timestamp": pa.string(), OFFSET: pa.float64()}
        read = read_text_events(
            to_utf8(content.data, self.encoding, str(path)),
            self.columns,
            types,
            separator=self.separator,
            header=self.header,
            comment=self.comment,
            drop_unreadable=self.drop_unreadable,
            where=str(path),
        )
        return EventTable(read.table, content.words(read.layout.summary()), read.roles,
                          lambda row: f"line {read.line_of(row)}", read.ragged_lines)  # fmt: skip

    def _readable_events(self, read: EventTable, path: Path) -> tuple[Interactions, FileReading]:
        """Interactions from a table whose columns are named by role; ``drop_unreadable`` leaves out some events."""
        while True:
            try:
                return self._events(read, path)
            except UnreadableValue as error:
                if not self.drop_unreadable:
                    raise
                read = read.without(error)

    def _events(self, read: EventTable, path: Path) -> tuple[Interactions, FileReading]:
        """Interactions from a table whose columns are named by role."""
        where, raw = str(path), read
        table, rows, notes = clean_columns(
            raw.table, raw.roles.name_of, raw.place, drop_missing=self.drop_missing, where=where
        )
        read = replace(raw, table=table, place=lambda row: raw.place(int(rows[row])))
        table, layout = read.table, read.layout
        owner = "session" if "session" in table.column_names else "user"
        owners, times = encode_ids(table[owner]), None
        clock = Clock(self.clock) if self.clock else Clock.WITHIN
        if "timestamp" in table.column_names:
            clock = Clock(self.clock) if self.clock else Clock.ABSOLUTE
            try:
                times, kind = to_seconds(
                    table["timestamp"],
                    where,
                    unit=self.time_unit,
                    pattern=self.time_format,
                    absolute=clock is Clock.ABSOLUTE,
                    place=lambda row: f"{read.place(row)}, column {read.roles.name_of('timestamp')!r}",
                )
            except UnreadableValue as error:
                error.row = int(rows[error.row])  # of the file's table, as for other roles
                raise
            if OFFSET in table.column_names:
                offsets = numbers(table[OFFSET])
                times = day_and_offset(owners.codes, times, offsets / 1e3)
                if clock is Clock.ABSOLUTE and (wrong := ~in_calendar(times)).any():
                    row = int(wrong.argmax())
                    raise ValueError(f"{where}: {read.place(row)}, column {read.roles.name_of(OFFSET)!r} has "
                                     f"{offsets[row]}; expected milliseconds since the session's start")  # fmt: skip
            layout += f", times in {kind}"
        elif self.time_unit or self.time_format:
            raise ValueError(f"{where}: no column of times for --time-unit or --time-format; name it with --columns")
        elif clock.has_gaps or clock.has_global_order:
            raise ValueError(
                f"{where}: the clock {clock.value!r} needs a column of times and the file has none; name it with "
                f"--columns, or choose {Clock.WITHIN.value!r} where the rows are in each user's order"
            )
        loaded = Interactions.from_events(
            self.name,
            owners,
            encode_ids(table["item"]),
            times,
            clock=clock,
            ratings=numbers(table["rating"]) if "rating" in table.column_names else None,
            unit=owner,
            parts=_parts(table["part"], where) if "part" in table.column_names else None,
            event_types=table["event"] if "event" in table.column_names else None,
        )
        written = bool(self.time_unit or self.time_format)
        notes = (*read.roles.notes, *raw.notes, *notes, *time_notes(loaded, times is not None, written))
        notes += event_type_notes(loaded)
        reading = FileReading(path.name, layout, read.roles.summary(), notes, _first_events(read, times, clock))
        return replace(loaded, edition=reading.edition()), reading


def _first_events(read: EventTable, times: np.ndarray | None, clock: Clock) -> tuple[str, ...]:
    """The first events in the order of the file, one line each."""
    lines = []
    shown = read.table if times is None else read.table.drop_columns("timestamp")
    for row, event in enumerate(shown.slice(0, 3).to_pylist()):
        if times is not None:
            seconds = float(times[row])
            event["timestamp"] = iso_time(seconds) if clock is Clock.ABSOLUTE else f"{seconds:.15g}"
        fields = ", ".join(f"{role} {value}" for role, value in event.items() if role != OFFSET)
        lines.append(f"{read.place(row)}: {fields}")
    return tuple(lines)


def _parts(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """The number of each event's part, (E,) int8; ValueError for a value that is not one of PART_NAMES."""
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(PART_NAMES))
    if found.null_count:
        other = column.cast(pa.string()).filter(pc.is_null(found))[0].as_py()
        raise ValueError(f"{where}: a part must be {', '.join(PART_NAMES[:-1])} or {PART_NAMES[-1]}, got {other!r}")
    return numbers(found).astype(np.int8)
