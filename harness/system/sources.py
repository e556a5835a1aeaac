"""Hashes of the source files that compute a cell; comments, docstrings and layout do not change them."""

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
EVALUATION_MODULES = (  # included with their imports
    "evaluation.ranking.rank",
    "evaluation.metrics.accuracy",
    "evaluation.metrics.lists",
)
CELL_MODULES = (  # included without their imports: the rest of the harness changes no result
    "harness.cells.execute",
    "harness.system.determinism",
)
TUNED_CELL_MODULES = (*CELL_MODULES, "harness.cells.search")
_NATIVE = (".c", ".cpp", ".cu", ".h")
# Folders of the suite files that this process has loaded, added by the loader: a suite may import modules beside it.
_suite_folders: dict[Path, None] = {}


def add_suite_folder(folder: Path) -> None:
    """Treat the modules in a suite file's folder as source files of the project."""
    _suite_folders[folder.resolve()] = None


def source_hashes(model: Any, root: Path = ROOT, cell_modules: Iterable[str] = CELL_MODULES) -> dict[str, str]:
    """The hash of each project file that can change the result of ``model``, by path relative to the checkout.

    The files are those of ``closure_hashes``, the ranking and all metrics with their imports, and ``cell_modules``.
    """
    hashes = closure_hashes(model, EVALUATION_MODULES, root)
    for module in cell_modules:
        for path in _module_files(module, (root,)):
            hashes[_relative(path, (root,))] = _hash_and_imports(path)[0]
    return dict(sorted(hashes.items()))


def closure_hashes(value: Any, modules: Iterable[str] = (), root: Path = ROOT) -> dict[str, str]:
    """The hash of each project file that defines ``value``, the values in its fields, or ``modules``.

    Imports of project modules, and of modules beside a user's suite file, are followed statically. Docstrings,
    comments and layout do not count. Of a suite file, only the definitions that the value needs count.
    """
    hashes: dict[str, str] = {}
    waiting: list[str] = list(modules)
    folders = [root]
    for cls in _classes(value):
        module = sys.modules.get(cls.__module__)
        path = _path(module)
        suite_folders = [folder for folder in _suite_folders if path in _module_files(cls.__module__, (folder,))]
        if path is None or ".venv" in path.parts:
            continue
        if not (_is_suite(module) or suite_folders or path.is_relative_to(root)):
            continue
        folders += suite_folders
        if _is_suite(module):
            folders.append(path.parent)
            tree = _needed_statements(ast.parse(path.read_text()), cls.__qualname__.split(".")[0])
            hashes[f"{path.stem}:{cls.__qualname__}"] = _digest(tree)
            waiting.extend(_imports(tree))
        else:
            waiting.append(cls.__module__)
    return hashes | _closure(waiting, list(dict.fromkeys(folders)))


def combined_hash(hashes: dict[str, str]) -> str:
    """One hash of all files."""
    return hashlib.sha256("\n".join(f"{name} {value}" for name, value in sorted(hashes.items())).encode()).hexdigest()


def classes_in(value: Any) -> tuple[type, ...]:
    """The classes of a value and of the values in its fields, each once; equal classes have equal sources."""
    return tuple(dict.fromkeys(_classes(value)))


def _classes(value: Any) -> Iterator[type]:
    """The classes of a dataclass value and of all values in its fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield type(value)
        for field in dataclasses.fields(value):
            if field.init:
                yield from _classes(getattr(value, field.name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _classes(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _classes(inner)


def _is_suite(module: Any) -> bool:
    """Whether a module is a suite file, which defines SUITE."""
    return "SUITE" in getattr(module, "__dict__", ())  # getattr of SUITE would load a lazy module


def _path(module: Any) -> Path | None:
    """The file of a module, or None."""
    file = getattr(module, "__dict__", {}).get("__file__")
    return Path(file).resolve() if file else None


def _closure(modules: Iterable[str], folders: Iterable[Path]) -> dict[str, str]:
    """The hash of each file that ``modules`` reach by imports, searched in ``folders``."""
    hashes: dict[str, str] = {}
    waiting = list(modules)
    seen = set(waiting)
    while waiting:
        name = waiting.pop()
        for path in _module_files(name, folders):
            digest, imports = _hash_and_imports(path)
            hashes[_relative(path, folders)] = digest
            fresh = [_absolute(found, name, path) for found in imports]
            waiting.extend(found for found in fresh if found not in seen)
            seen.update(fresh)
    return hashes


def _absolute(found: str, importer: str, path: Path) -> str:
    """The absolute name of an imported module, whose leading dots are relative to the importer's package."""
    if not found.startswith("."):
        return found
    level = len(found) - len(found.lstrip("."))
    parts = importer.split(".")
    package = parts[: len(parts) - level + (path.name == "__init__.py")]
    return ".".join([*package, found.lstrip(".")]).strip(".")


def _module_files(module: str, folders: Iterable[Path]) -> list[Path]:
    """The project files of a dotted name, including its packages; empty for a third-party module."""
    parts = module.split(".")
    for folder in folders:
        found = []
        for depth in range(1, len(parts) + 1):
            stem = folder.joinpath(*parts[:depth])
            found += [path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file()]
            native = stem.parent
            if depth == len(parts) and stem.with_suffix(".py").is_file():
                found += [path for path in sorted(native.glob(f"{stem.name}.*")) if path.suffix in _NATIVE]
        if found:
            return found
    return []


def _relative(path: Path, folders: Iterable[Path]) -> str:
    """A file's path relative to the checkout or the suite's folder."""
    for folder in folders:
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.name


def _hash_and_imports(path: Path) -> tuple[str, tuple[str, ...]]:
    """The hash and the imports of a file, cached until its time or size changes."""
    stat = path.stat()
    return _read_file(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=1024)
def _read_file(path: Path, _mtime: int, _size: int) -> tuple[str, tuple[str, ...]]:
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest(), ()
    tree = ast.parse(path.read_text(), filename=str(path))
    return _digest(tree), tuple(_imports(tree))


def _imports(tree: ast.AST) -> Iterator[str]:
    """Every module name that an import in the tree may refer to; relative names start with dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = "." * node.level + (node.module or "")
            yield stem
            joint = "" if stem.endswith(".") or not stem else "."
            yield from (f"{stem}{joint}{alias.name}" for alias in node.names)


def _digest(tree: ast.AST) -> str:
    """The SHA-256 of a syntax tree without docstrings; a tree has no comments and no layout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a bare string, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _needed_statements(tree: ast.Module, name: str) -> ast.Module:
    """The top-level statements that ``name`` needs, directly or indirectly; so a suite's claims do not count."""
    definitions: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for bound in _defined_names(statement):
            definitions.setdefault(bound, []).append(statement)
    needed: list[ast.stmt] = []
    waiting, seen = [name, "*"], {name, "*"}  # a star import may define any name
    while waiting:
        for statement in definitions.get(waiting.pop(), []):
            if statement in needed:
                continue
            needed.append(statement)
            used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            waiting.extend(used - seen)
            seen |= used
    return ast.Module(body=[statement for statement in tree.body if statement in needed], type_ignores=[])


def _defined_names(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement defines."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    inner = [node for node in ast.walk(statement) if isinstance(node, ast.stmt) and node is not statement]
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names.union(*map(_defined_names, inner))  # such as an import inside try
