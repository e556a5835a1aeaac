"""Memo: results of slow pure functions, kept beside a store and found again by all that decides them."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.results.crew import Crew
from evaluation.results.suite_results import CellResult

CHECKOUT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("numpy", "scipy", "numba", "pyarrow", "matplotlib")
_UNUSED_SECONDS = 30 * 86400  # what no report asked for in this time is dropped


class Question(NamedTuple):
    """What a memo is asked: ``make`` answers it, with JSON data, and ``inputs`` (JSON data as well) decide how."""

    kind: str
    inputs: Any
    make: Callable[[], Any]


@dataclass(frozen=True)
class Memo:
    """Answers kept in ``folder`` (None: none are kept), by a hash of their inputs and of ``code``.

    A folder that cannot be written only means that everything is computed again; so does an answer that is damaged.
    ``foreseen``: answers made before they were asked for, by name.
    """

    folder: Path | None = None
    code: str = ""
    foreseen: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

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
        name = self._name(kind, inputs)
        found = self.foreseen.get(name)
        if found is None and self.folder is not None:
            found = _read(self.folder / name)
        if found is None:
            found = self._keep(name, json.dumps(make()))
        return json.loads(found)

    def foresee(self, batches: Iterable[Sequence[Question]], crew: Crew, fewest: int = 1) -> None:
        """Let a crew answer what is not answered yet, if that is at least ``fewest``; ``answer`` then knows it.

        The questions of a batch are answered by one process, since they read the same. One that cannot be answered is
        left, and fails where it is asked.
        """
        wanted: list[dict[str, Callable[[], Any]]] = []
        for batch in batches:
            named = {self._name(question.kind, question.inputs): question.make for question in batch}
            wanted.append({name: make for name, make in named.items() if not self._has(name)})
        wanted = [batch for batch in wanted if batch]
        if sum(map(len, wanted)) < fewest:
            return
        found = crew.work([functools.partial(_all, [*batch.values()]) for batch in wanted])
        for batch, answers in zip(wanted, found, strict=True):
            for name, answer in zip(batch, answers or (), strict=False):
                if answer is not None:
                    self.foreseen[name] = self._keep(name, answer)

    def _name(self, kind: str, inputs: Any) -> str:
        """The file of an answer."""
        asked = json.dumps([kind, self.code, inputs], sort_keys=True)
        return f"{kind}-{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"

    def _has(self, name: str) -> bool:
        return name in self.foreseen or (self.folder is not None and (self.folder / name).exists())

    def _keep(self, name: str, found: str) -> str:
        if self.folder is not None:
            _write(self.folder / name, found)
        return found

    def _sweep(self) -> None:
        """Drop what was not asked for in a long time."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir() if self.folder is not None else ():
                if time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                    path.unlink()


def _all(makers: Sequence[Callable[[], Any]]) -> list[str | None]:
    """The answers as JSON, None for one that cannot be had."""
    found: list[str | None] = []
    for make in makers:
        try:
            found.append(json.dumps(make()))
        except Exception:  # told where it is asked
            found.append(None)
    return found


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
