"""Export interactions to files in common formats, which InteractionFile reads too."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys_data.arrow import csv, pa, pq
from recsys_data.atomic_write import atomic_write
from recsys_data.files.sequence_files import write_sequence_files
from recsys_data.files.time_lstm_files import write_lst_files
from recsys_data.interactions import Interactions

FILES = ("inter", "sessions", "csv", "tsv", "parquet")
_FOLDERS = {"sequences": write_sequence_files, "lst": write_lst_files}
FORMATS = (*FILES, *_FOLDERS)
_HEADERS = {
    "inter": {
        "user": "user_id:token",
        "item": "item_id:token",
        "rating": "rating:float",
        "timestamp": "timestamp:float",
        "event": "event_type:token",
        "part": "published_part:token",
    },
    "sessions": {
        "user": "SessionId",
        "item": "ItemId",
        "timestamp": "Time",
        "event": "EventType",
        "part": "published_part",
    },
    "plain": {
        "user": "user",
        "item": "item",
        "rating": "rating",
        "timestamp": "timestamp",
        "event": "event_type",
        "part": "published_part",
    },
}
PART_NAMES = ("train", "validation", "test")  # in the order of the part numbers of recsys_data.split


def export_interactions(interactions: Interactions, path: Path, kind: str) -> Path:
    """Write ``path``, one event per row in the fixed order, with a header; the write is atomic.

    kind: "inter" (RecBole's atomic file, tab-separated, typed header), "sessions" (SessionId ItemId Time), "csv",
    "tsv" or "parquet"; "sequences" (Devooght's) and "lst" (Time-LSTM's) write a folder. Positions that order whole
    sessions go to the time column; read them with the same clock. Data whose clock orders only the events of a history
    get no time column: the rows are in order. Read data without order with the clock NONE, else the order of the rows
    counts. Event types are a column; a published split adds a last one: train, validation or test. Raises ValueError
    for another kind, and for data or an id that the format cannot hold.
    """
    if kind not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {kind!r}")
    if kind in _FOLDERS:
        return _FOLDERS[kind](interactions, path)
    names = dict(_HEADERS.get(kind, _HEADERS["plain"]))
    if interactions.unit == "session" and kind != "inter":
        names["user"] = "SessionId" if kind == "sessions" else "session"
    columns = {
        names["user"]: _ids(interactions.user_ids, interactions.users),
        names["item"]: _ids(interactions.item_ids, interactions.items),
    }
    if interactions.ratings is not None and "rating" in names:
        columns[names["rating"]] = pa.array(interactions.ratings)
    if interactions.clock.has_gaps or interactions.clock.has_global_order:
        columns[names["timestamp"]] = pa.array(interactions.timestamps)
    if interactions.event_types is not None and interactions.event_type_names is not None:
        columns[names["event"]] = _ids(interactions.event_type_names, interactions.event_types)
    if interactions.parts is not None:
        columns[names["part"]] = pa.array(PART_NAMES).take(pa.array(interactions.parts[interactions.users]))
    table = pa.table(columns)
    if kind not in ("parquet", "csv"):
        _check_ids(interactions, "\t\r\n")
    with atomic_write(path) as temporary:
        if kind == "parquet":
            pq.write_table(table, temporary, compression="zstd")
        elif kind == "csv":
            csv.write_csv(table, temporary)
        else:
            with temporary.open("wb") as file:
                file.write(("\t".join(table.column_names) + "\n").encode())
                options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
                csv.write_csv(table, file, options)
    return path


def _ids(ids: np.ndarray, codes: np.ndarray) -> pa.Array:
    """The raw id of each event."""
    return pa.array(ids).take(pa.array(codes))


def _check_ids(interactions: Interactions, forbidden: str) -> None:
    """Raise ValueError for an id with a separator or a quote, which pyarrow does not write."""
    for kind, ids in (("user", interactions.user_ids), ("item", interactions.item_ids)):
        if ids.dtype.kind in "iu":
            continue
        for value in ids.tolist():
            if any(character in value for character in forbidden + '"'):
                raise ValueError(
                    f"{interactions.name}: a tab-separated file cannot hold the {kind} id {value!r}; "
                    "export as csv or parquet"
                )
