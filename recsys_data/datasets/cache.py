"""Cache of prepared data sets: raw files are read once, then the arrays are memory-mapped."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from recsys_data.atomic_write import temporary_beside, write_bytes_atomically
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.subsample import LimitUsers
from recsys_data.fetching.source import Source, locate
from recsys_data.interactions import Clock, Interactions
from recsys_data.sealed_json import parse_object, read_sealed, sealed_text, unseal

SCHEMA = 2
_COARSE = 2_000_000_000  # nanoseconds
_ARRAYS = ("users", "items", "timestamps", "ratings", "parts", "event_types", "user_ids", "item_ids",
           "event_type_names")  # fmt: skip


def load_cached(dataset: Dataset, folder: Path | None, cache: Path, code: str = "") -> Interactions:
    """Return ``dataset.load(folder)``, from ``cache`` if the same code has read files with the same bytes before.

    The key consists of the data set's fields, the SHA-256 of each raw file, and ``code``, a hash of the source code
    that reads them (if empty, of this package). LimitUsers is cut from the whole data set. A data set without known
    files (generated, or a user's class) is loaded each time. A damaged entry is replaced.
    """
    if isinstance(dataset, LimitUsers):
        return dataset.cut(load_cached(dataset.dataset, folder, cache, code))
    files = raw_files(dataset, folder)
    if not files:
        return dataset.load(folder)
    stem = re.sub(r"[^\w.-]+", "_", dataset.name)
    entry = cache / f"{stem}-{_key(dataset, raw_sums(files, cache), code)}"
    if (entry / "meta.json").exists():
        try:
            return read_prepared(entry)
        except (OSError, ValueError, KeyError, EOFError):
            shutil.rmtree(entry, ignore_errors=True)
    loaded = dataset.load(folder)
    write_prepared(loaded, entry)
    _drop_old(cache, stem)
    return loaded


def _drop_old(cache: Path, stem: str) -> None:
    """Keep the two newest entries of a data set; the others belong to older files or code."""
    entries = sorted(cache.glob(f"{stem}-{'[0-9a-f]' * 16}"), key=lambda path: path.stat().st_mtime_ns)
    for entry in entries[:-2]:
        shutil.rmtree(entry, ignore_errors=True)


def write_prepared(interactions: Interactions, entry: Path) -> None:
    """Write the folder ``entry`` with one file per array, atomically; keep an existing one."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    scratch = temporary_beside(entry)
    scratch.mkdir()
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
            "files": {file.name: _file_sum(file) for file in sorted(scratch.iterdir())},
        }
        (scratch / "meta.json").write_text(sealed_text(meta, entry.name, allow_nan=True))
        if not entry.exists():
            try:
                scratch.replace(entry)
            except OSError:  # another process has written the same entry in the meantime
                if not (entry / "meta.json").exists():
                    raise
    except OSError as error:
        if error.errno is None:  # NumPy's error for a short write to a full disk
            raise OSError(errno.ENOSPC, str(error), str(entry)) from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_prepared(entry: Path) -> Interactions:
    """Read an entry, its arrays memory-mapped and read-only; ValueError for another schema or a changed file."""
    meta = parse_object((entry / "meta.json").read_bytes())
    if meta.get("schema") != SCHEMA:
        raise ValueError(f"{entry}: prepared data of schema {meta.get('schema')}, expected {SCHEMA}; remove the folder")
    meta = unseal(meta, entry.name)
    for name, expected in meta["files"].items():
        if _file_sum(entry / name) != expected:
            raise ValueError(f"{entry / name} is damaged: it does not match its checksum; remove the folder")
    arrays: dict[str, Any] = {}
    for name in _ARRAYS:
        if f"{name}.npy" in meta["files"]:
            arrays[name] = np.load(entry / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        elif f"{name}.json" in meta["files"]:
            texts = json.loads((entry / f"{name}.json").read_text(encoding="utf-8"))
            arrays[name] = np.empty(len(texts), dtype=object)  # a long text does not widen the others
            arrays[name][:] = texts
    loaded = Interactions(
        **arrays,
        name=meta["name"],
        clock=Clock(meta["clock"]),
        unit=meta["unit"],
        edition=meta["edition"],
        facts=meta["facts"],
    )
    vars(loaded)["fingerprint"] = meta["fingerprint"]  # the cached property: hashing would read all arrays
    return loaded


def raw_files(dataset: Dataset, folder: Path | None) -> list[Path] | None:
    """The raw files that ``load`` reads, empty for generated data; None where they are missing or unknown."""
    if isinstance(dataset, LimitUsers):
        return raw_files(dataset.dataset, folder)
    if hasattr(dataset, "raw_files"):
        return dataset.raw_files(folder)
    source = getattr(dataset, "source", None)
    found = [locate(folder, name) for name in source.files] if isinstance(source, Source) else [None]
    return None if None in found else found


def raw_sums(files: list[Path], cache: Path) -> list[str]:
    """The SHA-256 of each file; a file that has not changed since it was last read is not read again.

    A file is unchanged if its path, inode, size, mtime and ctime are those recorded with its hash. A file that changed
    within the last two seconds is always read, since the times are coarse.
    """
    return [_sum(path.resolve(), cache / "raw") for path in files]


def _sum(path: Path, records: Path) -> str:
    """The SHA-256 of a file, from its record if the file is unchanged."""
    stat = path.stat()
    state = [str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    record = records / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"
    try:
        known = read_sealed(record.read_bytes(), record.name)
        if known["file"] == state:
            return known["digest"]
    except (OSError, ValueError, KeyError):  # no record yet, or a damaged one
        pass
    digest = _file_sum(path)
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _COARSE:
        write_bytes_atomically(record, sealed_text({"file": state, "digest": digest}, record.name).encode())
    return digest


def _file_sum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(dataset: Dataset, sums: list[str], code: str) -> str:
    """16 hexadecimal digits that change with the fields, the files, or the source code that reads them."""
    return hashlib.sha256(f"{SCHEMA}|{dataset!r}|{sums}|{code or _package_hash()}".encode()).hexdigest()[:16]


@functools.cache
def _package_hash() -> str:
    """The hash of this package's source code."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py")))
    return hashlib.sha256(b"".join(sources)).hexdigest()
