"""Digest and imports of a source file, its part in a hash of code, kept between processes.

A file is read again when its time, size or inode differs; what a user's cache folder keeps belongs to one checkout, one
version of Python and this very code.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

from recsys_data.atomic_write import write_bytes_atomically

ROOT = Path(__file__).resolve().parents[2]
SETTLED_NS = 2_000_000_000  # a file changed less than this ago may change again without a new time

Stamp = tuple[int, int, int, int]  # time of the content, time of the entry, size, inode
Source = tuple[str, tuple[str, ...]]  # digest, imports


def read_source(path: str) -> Source:
    """The digest and the imports of a file, from the cache where the file has not changed."""
    now = stamp(path)
    known = _sources().get(path)
    if known is None or known[0] != now:
        known = _cached[path] = now, _parsed(path)
        _changed.add(path)
    return known[1]


def stamp(path: str) -> Stamp:
    """The stamp of a file or folder; a folder's changes when an entry comes or goes."""
    stat = os.stat(path)  # noqa: PTH116  (pathlib takes five times as long)
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def digest(tree: ast.AST) -> str:
    """The SHA-256 of a syntax tree without docstrings; a tree has no comments and no layout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module name that an import in the tree may refer to; relative names start with dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = "." * node.level + (node.module or "")
            yield stem
            joint = "" if stem.endswith(".") or not stem else "."
            yield from (f"{stem}{joint}{alias.name}" for alias in node.names)


def cache_file() -> Path:
    """The file in the user's cache folder with the sources of this checkout."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = [str(ROOT), platform.python_version(), Path(__file__).read_text(encoding="utf-8")]
    return folder / "encore" / f"sources-{hashlib.sha256(json.dumps(version).encode()).hexdigest()[:16]}.json"


def save_sources() -> None:
    """Keep the checkout's sources for later processes; without effect where nothing is new or the disk refuses."""
    now = time.time_ns()
    inside = {path: known for path, known in _cached.items() if path.startswith(f"{ROOT}{os.sep}")}
    kept = {path: known for path, known in inside.items() if max(known[0][:2]) < now - SETTLED_NS}
    if not _changed & kept.keys():
        return
    try:
        path = cache_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(path, json.dumps(kept).encode())
    except (OSError, RuntimeError):  # no home folder, or one that cannot be written
        return
    _changed.clear()


# The process owns these: each file is read once, and an edit is noticed by its stamp.
_cached: dict[str, tuple[Stamp, Source]] = {}
_changed: set[str] = set()
_loaded: list[bool] = []


def _sources() -> dict[str, tuple[Stamp, Source]]:
    """The cache, at its first use with what earlier processes kept."""
    if not _loaded:
        _loaded.append(True)
        atexit.register(save_sources)
        try:
            kept = json.loads(cache_file().read_bytes())
            _cached.update({path: (tuple(seen), (sha, tuple(names))) for path, (seen, (sha, names)) in kept.items()})
        except (OSError, RuntimeError, ValueError, TypeError, AttributeError):  # none, or damaged: files are read anew
            _cached.clear()
    return _cached


def _parsed(path: str) -> Source:
    """Read a file; of a native source every byte counts."""
    content = Path(path).read_bytes()
    if not path.endswith(".py"):
        return hashlib.sha256(content).hexdigest(), ()
    tree = ast.parse(content, filename=path)
    found = tuple(imports(tree))
    return digest(tree), found


def _is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a bare string, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
