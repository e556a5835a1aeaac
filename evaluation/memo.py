"""Memo: results of slow pure functions, kept beside a store and found again by all that decides them."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.results import CellResult

CHECKOUT = Path(__file__).resolve().parent.parent
_LIBRARIES = ("numpy", "scipy", "numba", "pyarrow", "matplotlib")
_UNUSED_SECONDS = 30 * 86400  # what no report asked for in this time is dropped


@dataclass(frozen=True)
class Memo:
    """Answers kept in ``folder`` (None: none are kept), by a hash of their inputs and of ``code``.

    A folder that cannot be written only means that everything is computed again; so does an answer that is damaged.
    """

    folder: Path | None = None
    code: str = ""

    @classmethod
    def of(cls, folder: Path, floors: Sequence[str]) -> Memo:
        """A memo whose answers hold for the present source of these floors and the present libraries only."""
        files = [path for floor in floors for path in sorted((CHECKOUT / floor).rglob("*.py"))]
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes())
        for name in _LIBRARIES:
            digest.update(f"{name} {importlib.metadata.version(name)}".encode())
        memo = cls(folder, digest.hexdigest())
        memo._sweep()
        return memo

    def answer(self, kind: str, inputs: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` returns, as JSON data, computed once for these ``inputs`` (JSON data as well).

        It has been through JSON whether it was found or made, so both are the same to the last bit.
        """
        if self.folder is None:
            return json.loads(json.dumps(make()))
        asked = json.dumps([kind, self.code, inputs], sort_keys=True)
        path = self.folder / f"{kind}-{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"
        found = _read(path)
        if found is None:
            found = json.dumps(make())
            _write(path, found)
        return json.loads(found)

    def _sweep(self) -> None:
        """Drop what was not asked for in a long time."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir() if self.folder is not None else ():
                if time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                    path.unlink()


def marks(cells: Iterable[CellResult]) -> list[Any]:
    """What tells these cells as they are stored: model, seed, key, and size and time of each file."""
    return [[cell.model, cell.seed, cell.key, _files(cell.folder)] for cell in cells]


def _files(folder: Path) -> list[Any]:
    found = [(file.name, file.stat()) for file in sorted(folder.iterdir())]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in found]


def _read(path: Path) -> str | None:
    """A kept answer, None if there is none or its bytes are not those that were written."""
    try:
        checksum, _, text = path.read_text().partition("\n")
        if hashlib.sha256(text.encode()).hexdigest() != checksum:
            return None
        os.utime(path)
    except (OSError, UnicodeDecodeError):
        return None
    return text


def _write(path: Path, text: str) -> None:
    """Keep an answer: written aside and renamed, so that none is ever half there."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}-{os.getpid()}")
        aside.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
        aside.replace(path)
