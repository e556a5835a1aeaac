"""Write a split as files: events of each part, queries, ids, settings, checksums and a README."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from recsys_data.atomic_write import temporary_beside
from recsys_data.sealed_json import sealed_text, sha256
from recsys_data.split import HeldOut, Split
from recsys_data.split_files.event_files import FORMATS, PartEvents, write_table
from recsys_data.split_files.read import PARTS, QUERIES, RECORD, SCHEMA, SUMS, read_split
from recsys_data.split_files.readme import readme
from recsys_data.split_files.recbole import write_benchmark_files


def write_split(split: Split, folder: Path, kind: str, *, dataset: str, protocol: str) -> Path:
    """Write the split to ``folder``, which must not exist or be empty, and read it back; return the folder.

    kind: "csv", "session" (SessionId ItemId Time), "recbole" (atomic files, and benchmark files in a folder of the data
    set's name) or "lists" (a line per sequence). Ids are those of the raw data. The folder appears complete or not at
    all. Raises ValueError for another kind, an id that the format cannot hold, and a split that files cannot hold: one
    whose training set grows, or whose protocol does not say whose its sequences are.
    """
    check_destination(folder, kind)
    if split.train.changes:
        raise ValueError(f"{protocol}: the training set grows with the epochs, and files hold one; another program "
                         "cannot be given this split")  # fmt: skip
    if split.user_ids is None or split.train_clusters is None:
        raise ValueError(f"{protocol} does not say to which user its sequences belong; make its split by assemble()")
    aside = temporary_beside(folder)
    aside.mkdir(parents=True)
    try:
        _write(split, aside, kind, dataset, protocol)
        read_split(aside)
        if folder.exists():
            folder.rmdir()
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return folder


def check_destination(folder: Path, kind: str) -> None:
    """Raise ValueError for a format that there is not, or a folder that holds something."""
    if kind not in FORMATS:
        raise ValueError(f"the format of a split must be one of {', '.join(FORMATS)}, got {kind!r}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists already; name a new folder, or an empty one, with -o")


def _write(split: Split, folder: Path, kind: str, dataset: str, protocol: str) -> None:
    """Write every file."""
    clusters = {"train": split.train_clusters, **{part: getattr(split, part).clusters for part in PARTS}}
    for part, numbers in clusters.items():
        sequences = split.train.sequences if part == "train" else getattr(split, part).sequences
        if len(numbers):
            items = split.item_ids[sequences.items]
            FORMATS[kind].write(
                folder, part, PartEvents(split.user_ids[numbers], sequences.offsets, items, sequences.timestamps)
            )
    for part in PARTS:
        write_table(folder / QUERIES[part], _queries(split, getattr(split, part)))
    if kind == "recbole":
        write_benchmark_files(split, folder, dataset)
    write_table(folder / "items.csv", {"item": split.item_ids})
    write_table(folder / "users.csv", {"user": split.user_ids})
    record = _record(split, kind, dataset, protocol)
    (folder / RECORD).write_text(sealed_text(record), encoding="utf-8")
    (folder / "README.md").write_text(readme(split, kind, dataset, protocol), encoding="utf-8")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sums = "".join(f"{sha256((folder / name).read_bytes())}  {name}\n" for name in files)
    (folder / SUMS).write_text(sums, encoding="utf-8")


def _queries(split: Split, held_out: HeldOut) -> dict[str, np.ndarray]:
    """The columns of a file of queries: a row per query and target, an empty target outside the catalogue."""
    query = np.repeat(np.arange(len(held_out)), np.diff(held_out.target_offsets))
    sequence = held_out.sequence_of[query]
    targets = np.array([str(split.item_ids[t]) if t >= 0 else "" for t in held_out.targets.tolist()], dtype=object)
    times = held_out.query_times[query].tolist()
    return {
        "query": query,
        "sequence": sequence,
        "user": split.user_ids[held_out.clusters[sequence]],
        "history": held_out.history_lengths[query],
        "target": targets,
        "time": np.array(["" if time != time else repr(time) for time in times], dtype=object),  # NaN: withheld
    }


def _record(split: Split, kind: str, dataset: str, protocol: str) -> dict[str, Any]:
    """The settings that the other files do not hold."""
    return {
        "schema": SCHEMA,
        "dataset": dataset,
        "protocol": protocol,
        "format": kind,
        "fingerprint": split.fingerprint,
        "clock": split.clock.value,
        "num_users": split.train.num_users,
        **{
            part: {
                "exclude_seen": held_out.exclude_seen,
                "num_sampled": held_out.num_sampled,
                "repeats": held_out.repeats,
                "sample_seed": held_out.sample_seed,
            }
            for part, held_out in ((part, getattr(split, part)) for part in PARTS)
        },
    }
