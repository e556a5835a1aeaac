"""Imported: a data set that `data import` stored in the data folder, known by its name everywhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recsys_data.arrow import numbers, pa, pc, pq
from recsys_data.atomic_write import temporary_beside
from recsys_data.fetching.errors import DataMissing, first_line
from recsys_data.fetching.source import data_folder
from recsys_data.files.export import PART_NAMES
from recsys_data.interactions import Clock, Interactions
from recsys_data.sealed_json import parse_object
from recsys_data.vocabulary import encode_ids

FOLDER = "imported"
_ENDING = ".parquet"
_NAME = re.compile(r"\w[\w.-]*")
_RECORD = b"encore.imported"  # the key of the file's metadata under which what the columns do not hold is stored
_SCHEMA = 1
_OTHER_COLUMNS = (LookupError, TypeError, AttributeError, ArithmeticError, NotImplementedError)  # than import writes


@dataclass(frozen=True)
class Imported:
    """The data set that ``data import FILE --name NAME`` stored."""

    name: str

    expected: ClassVar[None] = None
    licence: ClassVar[str] = "unknown: the user's own file"
    citation: ClassVar[str] = "none given"

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def title(self) -> str:
        """The name."""
        return self.name

    def path(self, folder: Path | None) -> Path:
        """The file under the data folder."""
        return data_folder(folder) / FOLDER / f"{self.name}{_ENDING}"

    def present(self, folder: Path | None) -> bool:
        """Whether the data set was imported into this data folder."""
        return self.path(folder).is_file()

    def raw_files(self, folder: Path | None) -> list[Path] | None:
        """The one file; None where it is absent."""
        return [self.path(folder)] if self.present(folder) else None

    def record(self, folder: Path | None) -> dict[str, Any]:
        """The clock, unit, edition and counts (events, users, items), without reading the events.

        Raises DataMissing with the command that imports the data set, and ValueError for a file of another origin.
        """
        path = self.path(folder)
        try:
            record = parse_object((pq.read_schema(path).metadata or {})[_RECORD])
            if record["schema"] == _SCHEMA:
                return record
        except FileNotFoundError as error:
            raise DataMissing(
                f"{self.name}: no data set of this name is imported in {path.parent}; import it with: "
                f"python benchmark.py data import FILE --name {self.name}"
            ) from error
        except PermissionError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path}: is damaged ({first_line(error)}); {self._again}") from error
        except (KeyError, TypeError, ValueError):  # no record, or one of another version
            pass
        raise ValueError(f"{path}: was not written by this version of data import; {self._again}")

    @property
    def _again(self) -> str:
        """The advice to import the data set again."""
        return f"import it again: python benchmark.py data import FILE --name {self.name} --replace"

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events; they are those that were imported, to the bit. Errors as in record()."""
        record, path = self.record(folder), self.path(folder)
        try:
            table = pq.read_table(pa.OSFile(str(path)))
            return self._interactions(record, {name: table[name] for name in table.column_names})
        except PermissionError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path}: is damaged ({first_line(error)}); {self._again}") from error
        except (*_OTHER_COLUMNS, ValueError) as error:
            raise ValueError(f"{path}: was not written by data import ({first_line(error)}); {self._again}") from error

    def _interactions(self, record: Mapping[str, Any], columns: Mapping[str, pa.ChunkedArray]) -> Interactions:
        """The events of a file's record and columns."""
        times = columns.get("timestamp", columns.get("position"))
        if (empty := next((name for name, column in columns.items() if column.null_count), None)) is not None:
            raise ValueError(f"the column {empty} holds null")
        return Interactions.from_events(
            self.name,
            encode_ids(columns[record["unit"]]),
            encode_ids(columns["item"]),
            numbers(times),
            clock=Clock(record["clock"]),
            ratings=numbers(columns["rating"]) if "rating" in columns else None,
            unit=record["unit"],
            edition=record["edition"],
            parts=_part_numbers(columns.get("published_part")),
            event_types=columns.get("event_type"),
        )


def check_name(name: str) -> None:
    """Raise ValueError for a name that cannot name an imported data set."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid name for imported data; use letters, digits, '-', '_' and '.'")


def imported_datasets(folder: Path | None) -> dict[str, Imported]:
    """All imported data sets of a data folder by name, sorted."""
    names = sorted(path.name.removesuffix(_ENDING) for path in (data_folder(folder) / FOLDER).glob(f"*{_ENDING}"))
    return {name: Imported(name) for name in names if _NAME.fullmatch(name)}


def refuse_taken(name: str, folder: Path | None) -> None:
    """Raise ValueError where a data set of this name is imported already."""
    if Imported(name).present(folder):
        raise ValueError(f"a data set called {name!r} is imported already; choose another name, or say --replace")


def store_imported(interactions: Interactions, folder: Path | None, *, replace: bool = False) -> Imported:
    """Store events under their name, atomically. Raises ValueError for a name that is taken, without ``replace``.

    Of two processes that import under one name at the same time, one is refused.
    """
    dataset = Imported(interactions.name)
    path = dataset.path(folder)
    record = {
        "schema": _SCHEMA,
        "clock": interactions.clock.value,
        "unit": interactions.unit,
        "edition": interactions.edition,
        "events": len(interactions),
        "users": interactions.num_users,
        "items": interactions.num_items,
    }
    table = _table(interactions).replace_schema_metadata({_RECORD: json.dumps(record)})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        pq.write_table(table, temporary, compression="zstd")
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # fails where the name is taken, also by another process in the meantime
    except FileExistsError:
        refuse_taken(dataset.name, folder)
        raise
    finally:
        temporary.unlink(missing_ok=True)
    return dataset


def remove_imported(name: str, folder: Path | None) -> Path:
    """Remove an imported data set; return the file that was removed. Raises DataMissing where there is none."""
    path = Imported(name).path(folder)
    try:
        path.unlink()
    except FileNotFoundError as error:
        known = ", ".join(imported_datasets(folder)) or "none"
        raise DataMissing(f"no data set called {name!r} is imported in {path.parent}; imported: {known}") from error
    return path


def _part_numbers(column: pa.ChunkedArray | None) -> np.ndarray | None:
    """The number of each event's part."""
    return None if column is None else numbers(pc.index_in(column, pa.array(PART_NAMES)))


def _table(interactions: Interactions) -> pa.Table:
    """The events in their fixed order, one row each."""
    timed = interactions.clock.has_gaps or interactions.clock.has_global_order
    columns = {
        interactions.unit: _ids(interactions.user_ids, interactions.users),
        "item": _ids(interactions.item_ids, interactions.items),
        "timestamp" if timed else "position": pa.array(interactions.timestamps),
    }
    if interactions.ratings is not None:
        columns["rating"] = pa.array(interactions.ratings)
    if interactions.event_types is not None and interactions.event_type_names is not None:
        columns["event_type"] = _ids(interactions.event_type_names, interactions.event_types)
    if interactions.parts is not None:
        columns["published_part"] = pa.array(PART_NAMES).take(pa.array(interactions.parts[interactions.users]))
    return pa.table(columns)


def _ids(ids: Any, codes: Any) -> pa.Array:
    """The raw id of each event."""
    return pa.array(ids).take(pa.array(codes))
