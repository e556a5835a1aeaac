"""Progress of running cells: each appends records to a file in its partial folder, which the parent process follows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys_data.sealed_json import read_sealed, sealed_line

FILE = "progress.jsonl"
POLL_SECONDS = 0.5


def progress_writer(folder: Path) -> Callable[[Mapping[str, Any]], None]:
    """A function that appends records to the progress file in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    if path.exists() and not path.read_bytes().endswith(b"\n"):  # end the partial line of a killed run
        with path.open("a") as file:
            file.write("\n")

    def log(record: Mapping[str, Any]) -> None:
        with path.open("a") as file:
            file.write(sealed_line(record, folder.name, default=str))

    return log


def last_epoch(folder: Path) -> int | None:
    """The last epoch that an unfinished cell reported; None if it reported none."""
    found = [line.get("epoch") for line in JsonlTail(folder / FILE).new_records() if line.get("event") == "epoch"]
    return next((epoch for epoch in reversed(found) if isinstance(epoch, int)), None)


@dataclass
class JsonlTail:
    """Reads the records appended to a file since the last call, from the start if the file was replaced.

    An incomplete last line is left for the next call; a damaged line (full disk, killed process) is skipped.
    """

    path: Path
    position: int = 0
    inode: int = 0

    def new_records(self) -> list[dict[str, Any]]:
        """The new records."""
        try:
            with self.path.open("rb") as file:
                state = os.fstat(file.fileno())
                if state.st_ino != self.inode or state.st_size < self.position:
                    self.inode, self.position = state.st_ino, 0
                file.seek(self.position)
                data = file.read()
        except OSError:
            self.position = 0
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.position += len(whole)
        records = (_record(line, self.path.parent.name) for line in whole.splitlines())
        return [record for record in records if record is not None]


def _record(line: bytes, key: str) -> dict[str, Any] | None:
    """The record of a line; None where the line is damaged."""
    try:
        return read_sealed(line, key)
    except ValueError:
        return None


@dataclass
class ProgressWatcher:
    """A thread that passes every new progress record of some cells to ``on_record(key, record)``."""

    folders: Mapping[str, Path]
    on_record: Callable[[str, Mapping[str, Any]], None]
    _tails: dict[str, JsonlTail] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> ProgressWatcher:
        """Start at the current ends of the files: earlier records belong to a killed run."""
        for key, folder in self.folders.items():
            self._tails[key] = JsonlTail(folder / FILE)
            self._tails[key].new_records()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            for key, tail in self._tails.items():
                for record in tail.new_records():
                    self.on_record(key, record)
