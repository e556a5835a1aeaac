"""Read a split back from its files, with the fingerprint that it was written with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys_data.interactions import Clock
from recsys_data.sealed_json import parse_object, sha256, unseal
from recsys_data.sequences import UNKNOWN, Sequences
from recsys_data.split import HeldOut, Split, TrainingSet
from recsys_data.split_files.event_files import FORMATS, PartEvents, read_table
from recsys_data.vocabulary import encode_ids

RECORD, SUMS = "split.json", "SHA256SUMS"
PARTS = ("validation", "test")
QUERIES = {"validation": "validation_queries.csv", "test": "queries.csv"}
SCHEMA = 1
_AGAIN = "export the split again"


def read_split(folder: Path) -> Split:
    """The split in ``folder``. Raises ValueError naming a file that is missing or was changed."""
    _check_sums(folder)
    record = unseal(parse_object((folder / RECORD).read_bytes()))
    if record["schema"] != SCHEMA:
        raise ValueError(
            f"{folder / RECORD} has schema {record['schema']}, this program reads {SCHEMA}: export it again"
        )
    reader = FORMATS[record["format"]]
    items, users = (read_table(folder / f"{name}s.csv")[name] for name in ("item", "user"))
    places = _places(items), _places(users)
    trained = reader.read(folder, "train")
    owners = _codes(trained.owners, places[1])
    numbers = np.full(len(users), UNKNOWN, dtype=np.int32)  # of users in training
    if record["num_users"]:
        numbers[owners] = np.arange(len(owners))
    sequences = _sequences(trained, places[0], numbers[owners])
    train = TrainingSet(sequences, record["num_users"], len(items), Clock(record["clock"]))
    held_out = {}
    for part in PARTS:
        queries = read_table(folder / QUERIES[part])
        events = reader.read(folder, part) if len(queries["query"]) else PartEvents.none()
        held_out[part] = _held_out(events, queries, places, numbers, record[part])
    split = Split(train, **held_out, item_ids=encode_ids(items).ids, user_ids=encode_ids(users).ids,
                  train_clusters=owners)  # fmt: skip
    if split.fingerprint != record["fingerprint"]:
        raise ValueError(
            f"{folder} gives the split {split.fingerprint[:12]}…, not {record['fingerprint'][:12]}… that it was "
            "written from: these files cannot hold it"
        )
    return split


def _check_sums(folder: Path) -> None:
    """Raise ValueError for the first file that differs from its checksum."""
    sums = folder / SUMS
    if not sums.is_file():
        raise ValueError(f"{folder} has no {SUMS}: it is no exported split")
    for line in sums.read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or sha256(path.read_bytes()) != expected:
            raise ValueError(f"{path} is {'missing' if not path.is_file() else 'not as exported'}: {_AGAIN}")


def _places(ids: np.ndarray) -> dict[str, int]:
    """The place of each id."""
    return {value: place for place, value in enumerate(ids.tolist())}


def _codes(ids: np.ndarray, places: Mapping[str, int]) -> np.ndarray:
    return np.array([places[value] for value in ids.tolist()], dtype=np.int64)


def _sequences(events: PartEvents, items: Mapping[str, int], users: np.ndarray) -> Sequences:
    """The sequences of events, with the user of each (S,)."""
    codes = _codes(events.items, items).astype(np.int32)
    return Sequences(codes, events.timestamps, events.offsets.astype(np.int64), users.astype(np.int32))


def _held_out(
    events: PartEvents,
    queries: Mapping[str, np.ndarray],
    places: tuple[Mapping[str, int], Mapping[str, int]],
    numbers: np.ndarray,
    settings: Mapping[str, Any],
) -> HeldOut:
    """A held-out part from its events and the rows of its queries; a sequence may have queries and no event."""
    number, sequence = (queries[name].astype(np.int64) for name in ("query", "sequence"))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    clusters = np.zeros(int(sequence.max(initial=-1)) + 1, dtype=np.int64)
    clusters[sequence] = _codes(queries["user"], places[1])
    missing = len(clusters) + 1 - len(events.offsets)
    events = replace(events, offsets=np.pad(events.offsets, (0, missing), mode="edge"))
    targets = [places[0][target] if target else UNKNOWN for target in queries["target"].tolist()]
    times = [float(time) if time else np.nan for time in queries["time"][first].tolist()]
    return HeldOut(
        sequences=_sequences(events, places[0], numbers[clusters]),
        sequence_of=sequence[first],
        history_lengths=queries["history"][first].astype(np.int64),
        query_times=np.array(times, dtype=np.float64),
        targets=np.array(targets, dtype=np.int32),
        target_offsets=np.append(first, len(number)).astype(np.int64),
        clusters=clusters.astype(np.int32),
        **settings,
    )
