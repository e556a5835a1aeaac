"""The store of finished cells: addressed by key, locked while they are computed, written atomically."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.stored_files import read_record
from harness.system.locks import file_lock
from recsys_data.atomic_write import atomic_write

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class StoreUnusable(ValueError):
    """The results folder cannot be written, in one sentence."""


def unusable(error: OSError, root: Path) -> StoreUnusable | None:
    """The error to raise for a full disk or a folder that cannot be written; None for any other error."""
    if error.errno in _FULL:
        return StoreUnusable(f"no space left for results in {root}: free some and run again; finished cells are kept")
    if error.errno in _CLOSED:
        return StoreUnusable(
            f"cannot write results in {root} ({error.strerror}): choose a writable folder with "
            "--results; finished cells are kept"
        )
    return None


@dataclass(frozen=True)
class Store:
    """The results folder: cells/<key>, partial/<key>, tuning/<key>, locks/<key>.lock, suites/<suite>/suite.json."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Store:
        """Open the store at ``root``, creating it if needed. Raises StoreUnusable if it cannot be written."""
        store = cls(Path(root).absolute())
        with store.writing():
            store._create()
        return store

    def _create(self) -> None:
        """Create the folders and write a probe file."""
        for folder in ("cells", "partial", "locks", "suites"):
            try:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            except FileNotFoundError as error:  # in /proc, for example
                raise PermissionError(errno.EACCES, "no folder can be created there", str(self.root)) from error
        probe = self.root / "cells" / f".probe-{os.getpid()}"
        probe.write_bytes(b"probe")
        probe.unlink()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Raise StoreUnusable for a full or read-only disk."""
        try:
            yield
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreUnusable(
                f"{error.filename} is in the way: {self.root} must be a folder; choose another with --results"
            ) from error
        except OSError as error:
            blocked = unusable(error, self.root)
            if blocked is None:
                raise
            raise blocked from error

    def folder(self, key: str) -> Path:
        """The folder of a cell's result or failure."""
        return self.root / "cells" / key

    def traceback(self, key: str) -> Path:
        """The file with a failed cell's traceback."""
        return self.folder(key) / "traceback.txt"

    def partial(self, key: str) -> Path:
        """The folder of an unfinished cell's checkpoint and progress."""
        return self.root / "partial" / key

    def search(self, key: str) -> Path:
        """The folder of a search's record and ledger."""
        return self.root / "tuning" / key

    def record(self, key: str) -> dict[str, Any] | None:
        """The record of a finished cell; None where there is none."""
        return read_record(self.folder(key) / "cell.json", ["key"])

    def holds(self, key: str) -> bool:
        """Whether a cell is finished."""
        return (self.folder(key) / "cell.json").exists()

    def size(self, key: str) -> int:
        """The total size of a cell's files, in bytes."""
        return sum(path.stat().st_size for path in self.folder(key).iterdir())

    def failure(self, key: str) -> dict[str, Any] | None:
        """The record of a failed cell; None where there is none."""
        return read_record(self.folder(key) / "failure.json", ["reason"])

    def records(self) -> list[dict[str, Any]]:
        """The records of all finished cells, oldest first."""
        found = [read_record(path, ["key"]) for path in sorted((self.root / "cells").glob("[!.]*/cell.json"))]
        return sorted((r for r in found if r is not None), key=lambda r: (r.get("finished", ""), r["key"]))

    @contextlib.contextmanager
    def lock(self, key: str, wait: bool = False) -> Iterator[bool]:
        """Lock a cell; False where another process owns it, unless ``wait`` waits for that process.

        The system frees the lock of a process that dies, so no lock is left behind.
        """
        with contextlib.ExitStack() as stack:
            with self.writing():
                owned = stack.enter_context(file_lock(self.root / "locks" / f"{key}.lock", wait=wait))
            yield owned

    def commit(self, key: str, write: Callable[[Path], None]) -> Path:
        """Fill a temporary folder with ``write``, then rename it into place; call it only while owning the lock.

        A reader sees either the earlier folder or the complete new one.
        """
        target = self.folder(key)
        with self.writing():
            self.remove_leftovers(key)
            aside = target.with_name(f".new-{key}")
            aside.mkdir(parents=True)
            try:
                write(aside)
                for path in [*sorted(aside.iterdir()), aside]:
                    sync(path)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            if target.exists():
                target.rename(target.with_name(f".old-{key}"))
            aside.rename(target)
            sync(target.parent)
            self.remove_leftovers(key)
        return target

    def remove_leftovers(self, key: str) -> None:
        """Remove what a process that died while writing this cell left; call it only while owning the lock."""
        target, old = self.folder(key), self.root / "cells" / f".old-{key}"
        if old.exists() and not target.exists():
            old.rename(target)
        for name in (f".new-{key}", f".old-{key}"):
            shutil.rmtree(target.with_name(name), ignore_errors=True)

    def commit_failure(self, key: str, failure: Mapping[str, Any], trace: str) -> Path:
        """Store that a cell failed, unless a result is stored."""
        if self.record(key) is not None:
            return self.folder(key)

        def write(folder: Path) -> None:
            (folder / "failure.json").write_text(json.dumps(failure, indent=1, allow_nan=False))
            (folder / self.traceback(key).name).write_text(trace)

        return self.commit(key, write)

    def discard_partial(self, key: str) -> None:
        """Remove an unfinished cell's checkpoint and progress."""
        shutil.rmtree(self.partial(key), ignore_errors=True)

    def suite_file(self, suite: str, name: str = "suite.json") -> Path:
        """The path of a file of one suite."""
        return self.root / "suites" / suite / name

    def write_json(self, path: Path, value: Any) -> None:
        """Write a JSON file atomically."""
        self.write_text(path, json.dumps(value, indent=1, allow_nan=False))

    def write_text(self, path: Path, text: str) -> None:
        """Write a text file atomically."""
        with self.writing(), atomic_write(path) as aside:
            aside.write_text(text)
            sync(aside)


def sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
