"""The source that computes a cell: which files, and a hash of each that comments and layout do not change."""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIXED = (
    "evaluation.ranking.rank",
    "evaluation.metrics.accuracy",
    "evaluation.metrics.lists",
)  # with all that they import
ALONE = (
    "harness.cells.execute",
    "harness.system.determinism",
)  # these two files only: the rest of the harness moves no bit
SEARCHED = (*ALONE, "harness.cells.search")  # those of a tuned cell
_NATIVE = (".c", ".cpp", ".cu", ".h")


def source_hashes(model: Any, root: Path = ROOT, alone: Iterable[str] = ALONE) -> dict[str, str]:
    """A hash for each project file that decides what ``model`` computes, by path relative to the checkout.

    The files are those of ``closure_of``, ranking and all measures with what they import, and the files ``alone``, by
    default the two that run a cell.
    """
    hashes = closure_of(model, FIXED, root)
    for module in alone:
        for path in _find(module, (root,)):
            hashes[_label(path, (root,))] = _file(path)[0]
    return dict(sorted(hashes.items()))


def closure_of(value: Any, also: Iterable[str] = (), root: Path = ROOT) -> dict[str, str]:
    """A hash for each project file that defines ``value``, every value in its fields, and the modules ``also``.

    Project modules that these import are followed statically, as are modules beside a user's suite file. Docstrings,
    comments and layout do not count. Of a suite's own file only the definitions that the value needs count.
    """
    hashes: dict[str, str] = {}
    waiting: list[str] = list(also)
    places = [root]
    for kind in _types(value):
        module = sys.modules.get(kind.__module__)
        path = _path(module)
        beside = [place for place in _suite_folders() if path in _find(kind.__module__, (place,))]
        if path is None or not (_is_suite(module) or beside or path.is_relative_to(root)) or ".venv" in path.parts:
            continue
        places += beside
        if _is_suite(module):
            places.append(path.parent)
            tree = _needed_part(ast.parse(path.read_text()), kind.__qualname__.split(".")[0])
            hashes[f"{path.stem}:{kind.__qualname__}"] = _digest(tree)
            waiting.extend(_imports(tree))
        else:
            waiting.append(kind.__module__)
    return hashes | _closure(waiting, list(dict.fromkeys(places)))


def combined(hashes: dict[str, str]) -> str:
    """One hash for all files."""
    return hashlib.sha256("\n".join(f"{name} {value}" for name, value in sorted(hashes.items())).encode()).hexdigest()


def kinds_of(value: Any) -> tuple[type, ...]:
    """The classes of a value and of all in its fields, each once: values of equal kinds have one source."""
    return tuple(dict.fromkeys(_types(value)))


def _types(value: Any) -> Iterator[type]:
    """The classes of a dataclass value and of all values inside its fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield type(value)
        for field in dataclasses.fields(value):
            if field.init:
                yield from _types(getattr(value, field.name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _types(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _types(inner)


def _is_suite(module: Any) -> bool:
    """Whether a module is a suite file: it holds the value SUITE."""
    return "SUITE" in getattr(module, "__dict__", ())  # asking a lazy module for an attribute would load it


def _path(module: Any) -> Path | None:
    """The file of a module; None where it has none."""
    file = getattr(module, "__dict__", {}).get("__file__")
    return Path(file).resolve() if file else None


def _suite_folders() -> list[Path]:
    """The folders of all suite files that are loaded: a user's suite may import what lies beside it."""
    paths = [_path(module) for module in list(sys.modules.values()) if _is_suite(module)]
    return list(dict.fromkeys(path.parent for path in paths if path is not None))


def _closure(modules: Iterable[str], places: Iterable[Path]) -> dict[str, str]:
    """The hash of each file reached from ``modules`` by imports, looked up in ``places``."""
    hashes: dict[str, str] = {}
    waiting = list(modules)
    seen = set(waiting)
    while waiting:
        name = waiting.pop()
        for path in _find(name, places):
            digest, imports = _file(path)
            hashes[_label(path, places)] = digest
            fresh = [_absolute(found, name, path) for found in imports]
            waiting.extend(found for found in fresh if found not in seen)
            seen.update(fresh)
    return hashes


def _absolute(found: str, importer: str, path: Path) -> str:
    """A module's absolute name: a leading dot means the importer's own package."""
    if not found.startswith("."):
        return found
    level = len(found) - len(found.lstrip("."))
    parts = importer.split(".")
    kept = parts[: len(parts) - level + (path.name == "__init__.py")]
    return ".".join([*kept, found.lstrip(".")]).strip(".")


def _find(module: str, places: Iterable[Path]) -> list[Path]:
    """The project files behind a dotted name (packages on the way included); none for a third-party module."""
    parts = module.split(".")
    for place in places:
        found = []
        for depth in range(1, len(parts) + 1):
            stem = place.joinpath(*parts[:depth])
            found += [path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file()]
            native = stem.parent
            if depth == len(parts) and stem.with_suffix(".py").is_file():
                found += [path for path in sorted(native.glob(f"{stem.name}.*")) if path.suffix in _NATIVE]
        if found:
            return found
    return []


def _label(path: Path, places: Iterable[Path]) -> str:
    """A file's path relative to the checkout (or to the suite's folder)."""
    for place in places:
        if path.is_relative_to(place):
            return path.relative_to(place).as_posix()
    return path.name


def _file(path: Path) -> tuple[str, tuple[str, ...]]:
    """The hash of a file and what it imports; read again only when its time or size changed."""
    stat = path.stat()
    return _file_at(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=1024)
def _file_at(path: Path, _mtime: int, _size: int) -> tuple[str, tuple[str, ...]]:
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest(), ()
    tree = ast.parse(path.read_text(), filename=str(path))
    return _digest(tree), tuple(_imports(tree))


def _imports(tree: ast.AST) -> Iterator[str]:
    """Every module name that could be meant by an import anywhere in the tree; dots lead for relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = "." * node.level + (node.module or "")
            yield stem
            joint = "" if stem.endswith(".") or not stem else "."
            yield from (f"{stem}{joint}{alias.name}" for alias in node.names)


def _digest(tree: ast.AST) -> str:
    """SHA-256 of a syntax tree without docstrings (comments and layout are not in a tree)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a bare string: a docstring, or one below a field."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _needed_part(tree: ast.Module, name: str) -> ast.Module:
    """The top-level statements that ``name`` needs, directly or through other names; so claims do not count."""
    binders: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for bound in _binds(statement):
            binders.setdefault(bound, []).append(statement)
    needed: list[ast.stmt] = []
    waiting, seen = [name, "*"], {name, "*"}  # a star may give any name
    while waiting:
        for statement in binders.get(waiting.pop(), []):
            if statement in needed:
                continue
            needed.append(statement)
            used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            waiting.extend(used - seen)
            seen |= used
    return ast.Module(body=[statement for statement in tree.body if statement in needed], type_ignores=[])


def _binds(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement gives a value."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    inner = [node for node in ast.walk(statement) if isinstance(node, ast.stmt) and node is not statement]
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names.union(*map(_binds, inner))  # such as an import inside try
