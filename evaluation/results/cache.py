"""Result cache: results of slow pure functions, stored on disk under a hash of everything that determines them."""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.results.kept import kept_name
from evaluation.results.process_pool import ProcessPool
from evaluation.results.suite_results import CellResult
from recsys_data.atomic_write import write_bytes_atomically

CHECKOUT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("numpy", "scipy", "numba", "pyarrow", "matplotlib")
_UNUSED_SECONDS = 30 * 86400  # results that no report has used for this long are deleted


class CachedCall(NamedTuple):
    """A call to cache: ``compute`` returns JSON data that ``kind`` and ``inputs`` (JSON data) determine."""

    kind: str
    inputs: Any
    compute: Callable[[], Any]


@dataclass(frozen=True)
class ResultCache:
    """Results stored in ``folder`` (None: not stored) under a hash of their inputs and of ``code``.

    A damaged result, or one in a folder that cannot be written, is computed again. ``precomputed``: results of
    ``precompute`` by file name. ``kept``: results of a bundle made for sharing, which are used as they are; ``seen``:
    where given, it gets every result that depends on stored cells. Both by kept_name.
    """

    folder: Path | None = None
    code: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    seen: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    precomputed: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def for_packages(cls, folder: Path, packages: Sequence[str]) -> ResultCache:
        """Return a cache whose results are valid for the present source of ``packages`` and the present libraries."""
        files = [path for package in packages for path in sorted((CHECKOUT / package).rglob("*.py"))]
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes())
        for name in _LIBRARIES:
            digest.update(f"{name} {importlib.metadata.version(name)}".encode())
        cache = cls(folder, digest.hexdigest())
        cache._delete_unused()
        return cache

    def get(self, kind: str, inputs: Any, compute: Callable[[], Any]) -> Any:
        """Return the result of ``compute`` as JSON data; compute it only if none is stored for these ``inputs``.

        A computed result passes through JSON like a stored one, so both are equal to the last bit.
        """
        of_cells = kept_name(kind, inputs) if self.kept or self.seen is not None else ""
        known = of_cells in self.kept
        result = copy.deepcopy(self.kept[of_cells]) if known else self._computed(kind, inputs, compute)
        if of_cells and self.seen is not None:
            self.seen[of_cells] = result
        return result

    def _computed(self, kind: str, inputs: Any, compute: Callable[[], Any]) -> Any:
        """Return a result that was computed now, in this process or in an earlier one."""
        name = self._file_name(kind, inputs)
        found = self.precomputed.get(name)
        if found is None and self.folder is not None:
            found = _read(self.folder / name)
        if found is None:
            found = self._store(name, json.dumps(compute()))
        return json.loads(found)

    def precompute(self, batches: Iterable[Sequence[CachedCall]], pool: ProcessPool, at_least: int = 1) -> None:
        """Compute the calls that are not stored, in parallel, if there are ``at_least`` so many of them.

        One process computes all calls of a batch, which read the same files. A call that raises an error is skipped;
        ``get`` raises the error.
        """
        missing: list[dict[str, Callable[[], Any]]] = []
        for batch in batches:
            computed = [call for call in batch if not (self.kept and kept_name(call.kind, call.inputs) in self.kept)]
            named = {self._file_name(call.kind, call.inputs): call.compute for call in computed}
            missing.append({name: compute for name, compute in named.items() if not self._has(name)})
        missing = [batch for batch in missing if batch]
        if sum(map(len, missing)) < at_least:
            return
        results = pool.run([functools.partial(_compute_all, [*batch.values()]) for batch in missing])
        for batch, found in zip(missing, results, strict=True):
            for name, result in zip(batch, found or (), strict=False):
                if result is not None:
                    self.precomputed[name] = self._store(name, result)

    def _file_name(self, kind: str, inputs: Any) -> str:
        identity = json.dumps([kind, self.code, inputs], sort_keys=True)
        return f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}.json"

    def _has(self, name: str) -> bool:
        return name in self.precomputed or (self.folder is not None and (self.folder / name).exists())

    def _store(self, name: str, result: str) -> str:
        if self.folder is not None:
            stored = f"{_checksum(name, result)}\n{result}"
            with contextlib.suppress(OSError):
                write_bytes_atomically(self.folder / name, stored.encode())
        return result

    def _delete_unused(self) -> None:
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir() if self.folder is not None else ():
                if time.time() - path.stat().st_mtime > _UNUSED_SECONDS:
                    path.unlink()


def _compute_all(computes: Sequence[Callable[[], Any]]) -> list[str | None]:
    """Return the result of each call as JSON; None for one that raises an error."""
    results: list[str | None] = []
    for compute in computes:
        try:
            results.append(json.dumps(compute()))
        except Exception:  # raised again by ``get``
            results.append(None)
    return results


def cell_fingerprints(cells: Iterable[CellResult]) -> list[Any]:
    """Return the identity of stored cells: model, seed, key, and the size and time of each file."""
    return [{"model": c.model, "seed": c.seed, "key": c.key, "files": _files(c.folder)} for c in cells]


def _files(folder: Path) -> list[Any]:
    found = [(file.name, file.stat()) for file in sorted(folder.iterdir())]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in found]


def _checksum(name: str, result: str) -> str:
    """The SHA-256 of a result and of its file's name, so that the file of another result is not taken for it."""
    return hashlib.sha256(f"{name}\n{result}".encode()).hexdigest()


def _read(path: Path) -> str | None:
    """Return a stored result and mark it as used; None if there is none or its checksum is wrong."""
    try:
        checksum, _, text = path.read_bytes().decode().partition("\n")
        if _checksum(path.name, text) != checksum:
            return None
        os.utime(path)
    except (OSError, UnicodeDecodeError):
        return None
    return text
