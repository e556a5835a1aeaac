"""Prepared data sets on disk: raw files are read once, then opened memory-mapped."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.subsample import LimitUsers
from recsys_data.fetching.source import Source, locate
from recsys_data.interactions import Clock, Interactions

SCHEMA = 1
_COARSE = 2_000_000_000  # nanoseconds
_ARRAYS = ("users", "items", "timestamps", "ratings", "parts", "user_ids", "item_ids")


def load_cached(dataset: Dataset, folder: Path | None, cache: Path, code: str = "") -> Interactions:
    """``dataset.load(folder)``, taken from ``cache`` where files of the same bytes were read by the same code before.

    The key is made of the data set's fields, the SHA-256 of each raw file, and ``code``, a hash of the source that
    reads them (if empty, of this package). A part of a data set is cut from the whole one. A data set without files
    of its own (generated, or of a kind unknown here) is loaded each time. A damaged entry is made again.
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
    """Keep the two newest entries of a data set: others are of files or code that have changed since."""
    entries = sorted(cache.glob(f"{stem}-{'[0-9a-f]' * 16}"), key=lambda path: path.stat().st_mtime_ns)
    for entry in entries[:-2]:
        shutil.rmtree(entry, ignore_errors=True)


def write_prepared(interactions: Interactions, entry: Path) -> None:
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
        scratch.chmod(0o755)  # a scratch folder is its maker's alone; what is kept, others may read
        if not entry.exists():
            try:
                scratch.replace(entry)
            except OSError:  # another process has put the same entry there in the meantime
                if not (entry / "meta.json").exists():
                    raise
    except OSError as error:
        if error.errno is None:  # how NumPy says that the disk took less than it was given
            raise OSError(errno.ENOSPC, str(error), str(entry)) from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_prepared(entry: Path) -> Interactions:
    """What write_prepared wrote, its arrays memory-mapped and read-only; ValueError for another schema or a gap."""
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


def raw_files(dataset: Dataset, folder: Path | None) -> list[Path] | None:
    """The raw files that ``load`` would read, none for generated data; None where they are absent or not known."""
    if isinstance(dataset, LimitUsers):
        return raw_files(dataset.dataset, folder)
    if hasattr(dataset, "raw_files"):
        return dataset.raw_files(folder)
    source = getattr(dataset, "source", None)
    found = [locate(folder, name) for name in source.files] if isinstance(source, Source) else [None]
    return None if None in found else found


def raw_sums(files: list[Path], cache: Path) -> list[str]:
    """The SHA-256 of each file; one that has not changed in any way since it was last read is not read again.

    Its inode, size, and times of change must be those written down beside the sum; the system sets one of the times
    itself. A file that changed within the last seconds is read each time, since the times are coarse.
    """
    return [_sum(path.resolve(), cache / "raw") for path in files]


def _sum(path: Path, notes: Path) -> str:
    """The SHA-256 of a file, from its note where nothing has changed."""
    stat = path.stat()
    state = [str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    note = notes / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"
    try:
        *known, digest = json.loads(note.read_text())
        if known == state:
            return digest
    except (OSError, ValueError):  # no note yet, or half of one
        pass
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _COARSE:
        notes.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps([*state, digest]))
    return digest


def _key(dataset: Dataset, sums: list[str], code: str) -> str:
    """16 hexadecimal signs that change with the fields, the files, or the source that reads them."""
    return hashlib.sha256(f"{SCHEMA}|{dataset!r}|{sums}|{code or _package()}".encode()).hexdigest()[:16]


@functools.cache
def _package() -> str:
    """A hash of this package's source."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py")))
    return hashlib.sha256(b"".join(sources)).hexdigest()
