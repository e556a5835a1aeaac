"""Interactions written as a file (or a folder of files) that others, and InteractionFile, read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

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
        "part": "published_part:token",
    },
    "sessions": {"user": "SessionId", "item": "ItemId", "timestamp": "Time", "part": "published_part"},
    "plain": {
        "user": "user",
        "item": "item",
        "rating": "rating",
        "timestamp": "timestamp",
        "part": "published_part",
    },
}
PART_NAMES = ("train", "validation", "test")  # in the order of recsys_data.protocols.build's numbers


def export_interactions(interactions: Interactions, path: Path, kind: str) -> Path:
    """The file ``path``, one event a row in the fixed order, with a header; it appears whole or not at all.

    kind: "inter" (RecBole's atomic file, tab-separated, typed header), "sessions" (SessionId ItemId Time), "csv",
    "tsv" or "parquet"; "sequences" (Devooght's) and "lst" (Time-LSTM's) make a folder. Positions
    that order whole sessions stand in the time column, to be read with that clock again; data whose clock orders only
    the events of one history get none: their order is the rows'. Data without order are to be read with that clock, or
    the rows' order would count. Where the data were published in parts, a last column
    says each event's: train, validation or test. Raises ValueError for another kind, and for data or
    an id that such a file cannot hold.
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
    if interactions.parts is not None:
        columns[names["part"]] = pa.array(PART_NAMES).take(pa.array(interactions.parts[interactions.users]))
    table = pa.table(columns)
    partial = path.with_name(f".{path.name}.part")
    partial.parent.mkdir(parents=True, exist_ok=True)
    if kind == "parquet":
        pq.write_table(table, partial, compression="zstd")
    elif kind == "csv":
        csv.write_csv(table, partial)
    else:
        _refuse(interactions, "\t\r\n")
        with partial.open("wb") as file:
            file.write(("\t".join(table.column_names) + "\n").encode())
            options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
            csv.write_csv(table, file, options)
    partial.replace(path)
    return path


def _ids(ids: np.ndarray, codes: np.ndarray) -> pa.Array:
    """The raw id of each event."""
    return pa.array(ids).take(pa.array(codes))


def _refuse(interactions: Interactions, forbidden: str) -> None:
    """ValueError for an id with a character that separates fields or rows, or a quote that pyarrow would not write."""
    for kind, ids in (("user", interactions.user_ids), ("item", interactions.item_ids)):
        if ids.dtype.kind in "iu":
            continue
        for value in ids.tolist():
            if any(sign in value for sign in forbidden + '"'):
                raise ValueError(
                    f"{interactions.name}: the {kind} id {value!r} cannot stand in a tab-separated file; "
                    "export as csv or parquet"
                )
