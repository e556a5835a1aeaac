"""Finished cells on disk: atomic, content-addressed, locked while they are computed, never half-written."""

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

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class StoreUnusable(ValueError):
    """The results folder cannot be written, in one sentence."""


def unusable(error: OSError, root: Path) -> StoreUnusable | None:
    """What a full disk or a folder that cannot be written means to a user; None for any other error."""
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
        """The store at ``root``, made if it is not there. Raises StoreUnusable if it cannot be written."""
        store = cls(Path(root).absolute())
        with store.writing():
            store._make()
        return store

    def _make(self) -> None:
        """Make the folders, and try whether a file can be written."""
        for folder in ("cells", "partial", "locks", "suites"):
            try:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            except FileNotFoundError as error:  # a place where no folder can be made, such as /proc
                raise PermissionError(errno.EACCES, "no folder can be made there", str(self.root)) from error
        probe = self.root / "cells" / f".probe-{os.getpid()}"
        probe.write_bytes(b"probe")
        probe.unlink()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turn a full or closed disk into StoreUnusable."""
        try:
            yield
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreUnusable(
                f"{error.filename} is in the way: {self.root} must be a folder; choose another with --results"
            ) from error
        except OSError as error:
            sentence = unusable(error, self.root)
            if sentence is None:
                raise
            raise sentence from error

    def folder(self, key: str) -> Path:
        """Where a cell's result or failure lies."""
        return self.root / "cells" / key

    def partial(self, key: str) -> Path:
        """Where an unfinished cell keeps its checkpoint and progress."""
        return self.root / "partial" / key

    def search(self, key: str) -> Path:
        """Where the search of a tuned model keeps its head and its ledger."""
        return self.root / "tuning" / key

    def record(self, key: str) -> dict[str, Any] | None:
        """The cell.json of a finished cell, or None."""
        return read_record(self.folder(key) / "cell.json", ["key"])

    def holds(self, key: str) -> bool:
        """Whether a cell is finished."""
        return (self.folder(key) / "cell.json").exists()

    def size(self, key: str) -> int:
        """The bytes that a cell's files take."""
        return sum(path.stat().st_size for path in self.folder(key).iterdir())

    def failure(self, key: str) -> dict[str, Any] | None:
        """The failure.json of a failed cell, or None."""
        return read_record(self.folder(key) / "failure.json", ["reason"])

    def records(self) -> list[dict[str, Any]]:
        """All finished cells, oldest first."""
        found = [read_record(path, ["key"]) for path in sorted((self.root / "cells").glob("[!.]*/cell.json"))]
        return sorted((r for r in found if r is not None), key=lambda r: (r.get("finished", ""), r["key"]))

    @contextlib.contextmanager
    def lock(self, key: str, wait: bool = False) -> Iterator[bool]:
        """Whether this process now owns the cell; with ``wait`` it is true once another owner is done.

        The system frees the lock of a process that dies, so no lock is ever left behind.
        """
        with contextlib.ExitStack() as stack:
            with self.writing():
                owned = stack.enter_context(file_lock(self.root / "locks" / f"{key}.lock", wait=wait))
            yield owned

    def commit(self, key: str, write: Callable[[Path], None]) -> Path:
        """Let ``write`` fill a folder aside, then put it in place at once; call it only while owning the lock.

        A reader sees the earlier folder (a failure, or a result computed anew) or the whole new one.
        """
        target = self.folder(key)
        with self.writing():
            self.sweep(key)
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
            self.sweep(key)
        return target

    def sweep(self, key: str) -> None:
        """Clear what a process that died while writing this cell left; the lock's owner alone may do so."""
        target, old = self.folder(key), self.root / "cells" / f".old-{key}"
        if old.exists() and not target.exists():
            old.rename(target)
        for name in (f".new-{key}", f".old-{key}"):
            shutil.rmtree(target.with_name(name), ignore_errors=True)

    def commit_failure(self, key: str, failure: Mapping[str, Any], trace: str) -> Path:
        """Record that a cell failed; a result that is there already is kept."""
        if self.record(key) is not None:
            return self.folder(key)

        def write(folder: Path) -> None:
            (folder / "failure.json").write_text(json.dumps(failure, indent=1, allow_nan=False))
            (folder / "traceback.txt").write_text(trace)

        return self.commit(key, write)

    def discard_partial(self, key: str) -> None:
        """Drop an unfinished cell's checkpoint."""
        shutil.rmtree(self.partial(key), ignore_errors=True)

    def suite_file(self, suite: str, name: str = "suite.json") -> Path:
        """A file that belongs to one suite."""
        return self.root / "suites" / suite / name

    def write_json(self, path: Path, value: Any) -> None:
        """Write a JSON file aside and rename it into place."""
        self.write_text(path, json.dumps(value, indent=1, allow_nan=False))

    def write_text(self, path: Path, text: str) -> None:
        """Write a file aside and rename it into place."""
        with self.writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}-{os.getpid()}")
            aside.write_text(text)
            sync(aside)
            aside.replace(path)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
