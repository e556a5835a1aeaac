"""Prepared data sets on disk: raw files are read once, then opened memory-mapped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from recsys_data.dataset import Dataset
from recsys_data.download import locate
from recsys_data.interactions import Clock, Interactions

SCHEMA = 1
_ARRAYS = ("users", "items", "timestamps", "ratings", "parts", "user_ids", "item_ids")


def load_cached(dataset: Dataset, folder: Path | None, cache: Path) -> Interactions:
    """``dataset.load(folder)``, taken from ``cache`` where the same files were read by the same code before.

    The key is made of the data set's fields, the size and time of change of each raw file, and this package's source.
    A data set without files (generated) is not kept. A damaged entry is made again.
    """
    files = _files(dataset, folder)
    if not files:
        return dataset.load(folder)
    entry = cache / f"{dataset.name}-{_key(dataset, files)}"
    if (entry / "meta.json").exists():
        try:
            return read_interactions(entry)
        except (OSError, ValueError, KeyError):
            shutil.rmtree(entry, ignore_errors=True)
    loaded = dataset.load(folder)
    write_interactions(loaded, entry)
    return loaded


def write_interactions(interactions: Interactions, entry: Path) -> None:
    """The folder ``entry`` with one file an array; it appears whole or not at all, and an existing one stays."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=entry.parent, prefix=".making-"))
    try:
        for name in _ARRAYS:
            array = getattr(interactions, name)
            if array is None:
                continue
            if array.dtype.kind in "UO":
                (scratch / f"{name}.json").write_text(json.dumps(array.tolist()), encoding="utf-8")
            else:
                np.save(scratch / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        meta = {
            "schema": SCHEMA,
            "name": interactions.name,
            "clock": interactions.clock.value,
            "unit": interactions.unit,
            "edition": interactions.edition,
            "facts": interactions.facts,
            "fingerprint": interactions.fingerprint,
        }
        (scratch / "meta.json").write_text(json.dumps(meta))
        if not entry.exists():
            try:
                scratch.replace(entry)
            except OSError:  # another process has put the same entry there in the meantime
                if not (entry / "meta.json").exists():
                    raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_interactions(entry: Path) -> Interactions:
    """What write_interactions wrote, its arrays memory-mapped and read-only; ValueError for another schema or a gap."""
    meta = json.loads((entry / "meta.json").read_text())
    if meta["schema"] != SCHEMA:
        raise ValueError(f"{entry}: prepared data of schema {meta['schema']}, this program reads schema {SCHEMA}")
    arrays: dict[str, Any] = {}
    for name in _ARRAYS:
        if (entry / f"{name}.npy").exists():
            arrays[name] = np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        elif (entry / f"{name}.json").exists():
            texts = json.loads((entry / f"{name}.json").read_text(encoding="utf-8"))
            arrays[name] = np.empty(len(texts), dtype=object)  # long texts do not widen the short ones
            arrays[name][:] = texts
    missing = {"users", "items", "timestamps", "user_ids", "item_ids"} - arrays.keys()
    if missing:
        raise ValueError(f"{entry}: prepared data without {', '.join(sorted(missing))}; remove the folder")
    loaded = Interactions(
        **arrays,
        name=meta["name"],
        clock=Clock(meta["clock"]),
        unit=meta["unit"],
        edition=meta["edition"],
        facts=meta["facts"],
    )
    vars(loaded)["fingerprint"] = meta["fingerprint"]  # fills the cached property: hashing again would read it all
    return loaded


def _files(dataset: Dataset, folder: Path | None) -> list[Path]:
    """The raw files of a data set, or none where it has no source of its own or they are not there."""
    source = getattr(dataset, "source", None)
    found = [locate(folder, name) for name in source.files] if source is not None else []
    return [] if None in found else found


def _key(dataset: Dataset, files: list[Path]) -> str:
    """16 hexadecimal signs that change with the fields, the files, or the source of this package."""
    digest = hashlib.sha256(f"{SCHEMA}|{type(dataset).__qualname__}|{dataclasses.asdict(dataset)}".encode())
    for path in files:
        digest.update(f"|{path.resolve()}|{path.stat().st_size}|{path.stat().st_mtime_ns}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
