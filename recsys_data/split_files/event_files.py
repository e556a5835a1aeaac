"""Events of the sequences of one part as files in four formats: a row per event, or a line per sequence."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.arrow import csv, pa, text_array, texts

QUOTED = ","  # the separator of files that quote what holds it; others refuse such ids


@dataclass(frozen=True, eq=False)
class PartEvents:
    """The events of a part's S sequences, in order.

    owners (S,), items (E,): raw ids, whole numbers or texts; offsets (S + 1,) int64; timestamps (E,) float64. A file
    with a row per event does not say whose a sequence without events is: its owner is read as "".
    """

    owners: np.ndarray
    offsets: np.ndarray
    items: np.ndarray
    timestamps: np.ndarray

    @classmethod
    def none(cls) -> PartEvents:
        """No sequence."""
        return cls(np.empty(0, object), np.zeros(1, np.int64), np.empty(0, object), np.empty(0))


@dataclass(frozen=True)
class PartTable:
    """A file with a row per event: a header of four names, ``separator``, and the ``ending`` of its name."""

    header: tuple[str, str, str, str]
    separator: str
    ending: str

    def write(self, folder: Path, part: str, events: PartEvents) -> None:
        """Write the events of ``part``. Raises ValueError for an id that the format cannot hold."""
        sequence = np.repeat(np.arange(len(events.owners)), np.diff(events.offsets))
        columns = (sequence, events.owners[sequence], events.items, events.timestamps)
        write_table(folder / f"{part}{self.ending}", dict(zip(self.header, columns, strict=True)), self.separator)

    def read(self, folder: Path, part: str) -> PartEvents:
        """Read the events of ``part``."""
        table = read_table(folder / f"{part}{self.ending}", self.separator)
        number, owner, items, times = (table[name] for name in self.header)
        sequence = number.astype(np.int64)
        owners = np.full(int(sequence.max(initial=-1)) + 1, "", dtype=object)
        owners[sequence] = owner
        offsets = np.searchsorted(sequence, np.arange(len(owners) + 1))
        return PartEvents(owners, offsets, items, times.astype(np.float64))


@dataclass(frozen=True)
class Lists:
    """A file with a line per sequence, its owner and its items, and one beside it with the times in their place."""

    ending: str = ".txt"

    def write(self, folder: Path, part: str, events: PartEvents) -> None:
        """Write the events of ``part``. Raises ValueError for an id with a blank, which separates ids here."""
        for what, values in (("owner", events.owners), ("item", events.items)):
            _refuse_ids(what, values, " \t\r\n")
        for name, values in ((part, events.items.astype(str).tolist()), (f"{part}_times", events.timestamps.tolist())):
            texts_of = [str(value) for value in values]
            spans = zip(events.owners.tolist(), itertools.pairwise(events.offsets.tolist()), strict=True)
            lines = (" ".join([str(owner), *texts_of[start:stop]]) for owner, (start, stop) in spans)
            (folder / f"{name}{self.ending}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def read(self, folder: Path, part: str) -> PartEvents:
        """Read the events of ``part``."""
        items, times = (
            [line.split(" ") for line in (folder / f"{name}{self.ending}").read_text(encoding="utf-8").split("\n")[:-1]]
            for name in (part, f"{part}_times")
        )
        return PartEvents(
            np.array([line[0] for line in items], dtype=object),
            np.cumsum([0, *(len(line) - 1 for line in items)]),
            np.array([item for line in items for item in line[1:]], dtype=object),
            np.array([float(time) for line in times for time in line[1:]]),
        )


FORMATS: dict[str, PartTable | Lists] = {
    "csv": PartTable(("sequence", "user", "item", "timestamp"), ",", ".csv"),
    "session": PartTable(("SessionId", "UserId", "ItemId", "Time"), "\t", ".tsv"),
    "recbole": PartTable(("sequence:token", "user_id:token", "item_id:token", "timestamp:float"), "\t", ".inter"),
    "lists": Lists(),
}


def write_table(path: Path, columns: dict[str, np.ndarray], separator: str = QUOTED) -> None:
    """Write columns of numbers or texts under a header. Raises ValueError for a text that the file cannot hold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quoted = separator == QUOTED
    if not quoted:
        for name, values in columns.items():
            _refuse_ids(name, values, f'{separator}\r\n"')
    texts_or_numbers = {
        name: text_array(list(map(str, values.tolist()))) if values.dtype.kind in "OU" else pa.array(values)
        for name, values in columns.items()
    }
    style = "needed" if quoted else "none"
    with path.open("wb") as file:
        file.write((separator.join(columns) + "\n").encode())
        options = csv.WriteOptions(include_header=False, delimiter=separator, quoting_style=style)
        csv.write_csv(pa.table(texts_or_numbers), file, options)


def read_table(path: Path, separator: str = QUOTED) -> dict[str, np.ndarray]:
    """The columns of a file as texts (R,) object, by the names in its header."""
    quoted = separator == QUOTED
    with path.open(encoding="utf-8") as file:
        names = file.readline().rstrip("\n").split(separator)
    parse = csv.ParseOptions(delimiter=separator, quote_char='"' if quoted else False, newlines_in_values=quoted)
    convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    table = csv.read_csv(path, parse_options=parse, convert_options=convert)
    return {name: texts(table[name]) for name in names}


def _refuse_ids(what: str, values: np.ndarray, forbidden: str) -> None:
    """Raise ValueError for a text that holds one of the ``forbidden`` characters, or is empty."""
    if values.dtype.kind in "iuf":
        return
    for value in dict.fromkeys(map(str, values.tolist())):
        if not value or any(character in value for character in forbidden):
            raise ValueError(f"a file of this format cannot hold {value!r} in {what}; export as csv")
