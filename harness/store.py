"""The store of finished cells: addressed by key, locked while they are computed, written atomically."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.stored_files import SCHEMAS, read_record
from harness.system.locks import file_lock
from recsys_data.atomic_write import atomic_write
from recsys_data.sealed_json import sealed_text, sha256

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_FOLDERS = ("cells", "partial", "locks", "suites")


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
        store._recover()
        return store

    @classmethod
    def view(cls, root: Path) -> Store:
        """The store at ``root`` for reading: it may be missing, full or read-only. Raises StoreUnusable for a file."""
        store = cls(Path(root).absolute())
        with store.writing():
            if store.root.exists() and not store.root.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(store.root))
        return store

    def exists(self) -> bool:
        """Whether its folders exist."""
        return all((self.root / folder).is_dir() for folder in _FOLDERS)

    def _create(self) -> None:
        """Create the folders and write a probe file."""
        for folder in _FOLDERS:
            try:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            except FileNotFoundError as error:  # in /proc, for example
                raise PermissionError(errno.EACCES, "no folder can be created there", str(self.root)) from error
        with tempfile.TemporaryFile(dir=self.root / "cells") as probe:  # without a name, so a kill leaves nothing
            probe.write(b"probe")
        for left in (self.root / "cells").glob(".probe-*"):  # by earlier versions
            left.unlink(missing_ok=True)

    def _recover(self) -> None:
        """Put back the cells that were being replaced when a process died between the two renames of ``commit``."""
        for old in (self.root / "cells").glob(".old-*"):
            key = old.name.removeprefix(".old-")
            with self.lock(key) as owned:
                if owned:
                    self.remove_leftovers(key)

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
        return read_record(self.folder(key) / "cell.json", ["key", "files"], belongs={"key": key})

    def holds(self, key: str) -> bool:
        """Whether a cell is finished."""
        return (self.folder(key) / "cell.json").exists()

    def size(self, key: str) -> int:
        """The total size of a cell's files, in bytes."""
        return sum(path.stat().st_size for path in self.folder(key).iterdir())

    def failure(self, key: str) -> dict[str, Any] | None:
        """The record of a failed cell; None where there is none."""
        return read_record(self.folder(key) / "failure.json", ["reason"], belongs={"key": key})

    def records(self) -> list[dict[str, Any]]:
        """The records of all finished cells, oldest first."""
        paths = sorted((self.root / "cells").glob("[!.]*/cell.json"))
        found = [self.record(path.parent.name) for path in paths]
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
            (folder / self.traceback(key).name).write_text(trace, errors="replace")
            write_record(folder / "failure.json", {"schema": SCHEMAS["failure.json"], **failure, "key": key})

        return self.commit(key, write)

    def discard_partial(self, key: str) -> None:
        """Remove an unfinished cell's checkpoint and progress."""
        shutil.rmtree(self.partial(key), ignore_errors=True)

    def suite_file(self, suite: str, name: str = "suite.json") -> Path:
        """The path of a file of one suite."""
        return self.root / "suites" / suite / name

    def write_json(self, path: Path, record: Mapping[str, Any]) -> None:
        """Write a sealed JSON file atomically."""
        self.write_text(path, sealed_text(record))

    def write_text(self, path: Path, text: str) -> None:
        """Write a text file atomically."""
        with self.writing(), atomic_write(path) as aside:
            aside.write_text(text)
            sync(aside)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a cell or a failure with the SHA-256 of every other file in its folder."""
    files = {file.name: sha256(file.read_bytes()) for file in sorted(path.parent.iterdir()) if file != path}
    path.write_text(sealed_text({**record, "files": files}))


def sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
