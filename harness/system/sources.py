"""Hashes of the source files that compute a cell; comments, docstrings and layout do not change them."""
# ruff: noqa: PTH112, PTH113, PTH119, PTH120  (pathlib takes ten times as long, and a plan looks up ten thousand names)

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.system.source_files import Stamp, digest, imports, read_source, stamp

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
_WITHOUT_FIELDS = {type(None), bool, int, float, str}
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
            hashes[_relative(path, (root,))] = read_source(path)[0]
    return dict(sorted(hashes.items()))


def closure_hashes(value: Any, modules: Iterable[str] = (), root: Path = ROOT) -> dict[str, str]:
    """The hash of each project file that defines ``value``, the values in its fields, or ``modules``.

    Imports of project modules, and of modules beside a user's suite file, are followed statically. Docstrings,
    comments and layout do not count. Of a suite file, only the definitions that the value needs count.
    """
    hashes: dict[str, str] = {}
    waiting: list[str] = list(modules)
    folders = [root]
    for cls in classes_in(value):
        module = sys.modules.get(cls.__module__)
        path = _path(module)
        suite_folders = [folder for folder in _suite_folders if str(path) in _module_files(cls.__module__, (folder,))]
        if path is None or ".venv" in path.parts:
            continue
        if not (_is_suite(module) or suite_folders or path.is_relative_to(root)):
            continue
        folders += suite_folders
        if _is_suite(module):
            folders.append(path.parent)
            tree = _needed_statements(ast.parse(path.read_text()), cls.__qualname__.split(".")[0])
            hashes[f"{path.stem}:{cls.__qualname__}"] = digest(tree)
            waiting.extend(imports(tree))
        else:
            waiting.append(cls.__module__)
    return hashes | _closure(waiting, list(dict.fromkeys(folders)))


def combined_hash(hashes: dict[str, str]) -> str:
    """One hash of all files."""
    return hashlib.sha256("\n".join(f"{name} {value}" for name, value in sorted(hashes.items())).encode()).hexdigest()


def classes_in(value: Any) -> tuple[type, ...]:
    """The classes of a value and of the values in its fields, each once; equal classes have equal sources."""
    found: dict[type, None] = {}
    _add_classes(value, found)
    return tuple(found)


def _add_classes(value: Any, found: dict[type, None]) -> None:
    """Add the classes of a dataclass value and of all values in its fields."""
    kind = type(value)
    if kind in _WITHOUT_FIELDS:  # most values
        return
    if dataclasses.is_dataclass(kind):
        found[kind] = None
        for name in field_names(kind):
            _add_classes(getattr(value, name), found)
    elif isinstance(value, dict):
        for inner in value.values():
            _add_classes(inner, found)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            _add_classes(inner, found)


@functools.cache
def field_names(kind: type) -> tuple[str, ...]:
    """The names of a data class's fields that its constructor takes."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)


def _is_suite(module: Any) -> bool:
    """Whether a module is a suite file, which defines SUITE."""
    return "SUITE" in getattr(module, "__dict__", ())  # getattr of SUITE would load a lazy module


def _path(module: Any) -> Path | None:
    """The file of a module, or None."""
    file = getattr(module, "__dict__", {}).get("__file__")
    return Path(file).resolve() if file else None


def _closure(modules: Iterable[str], folders: Iterable[Path]) -> dict[str, str]:
    """The hash of each file that ``modules`` reach by imports, searched in ``folders``."""
    places = tuple(map(str, folders))
    return {path: sha for module in modules for path, sha in _reached(module, places).items()}


# The process owns this: what a module reaches, with the stamps of the files and of their folders.
_known_reach: dict[tuple[str, tuple[str, ...]], tuple[dict[str, Stamp], dict[str, str]]] = {}


def _reached(module: str, folders: tuple[str, ...]) -> dict[str, str]:
    """The hash of each file that one module reaches; computed again where one of them or of their folders changed."""
    known = _known_reach.get((module, folders))
    if known is not None and _unchanged(known[0]):
        return known[1]
    hashes: dict[str, str] = {}
    stamps = {folder: stamp(folder) for folder in folders}
    waiting, seen = [module], {module}
    while waiting:
        name = waiting.pop()
        for path in _module_files(name, folders):
            for place in (path, os.path.dirname(path)):
                stamps[place] = stamp(place)
            sha, found = read_source(path)
            hashes[_relative(path, folders)] = sha
            fresh = [_absolute(imported, name, path) for imported in found]
            waiting.extend(imported for imported in fresh if imported not in seen)
            seen.update(fresh)
    _known_reach[module, folders] = stamps, hashes
    return hashes


def _unchanged(stamps: dict[str, Stamp]) -> bool:
    """Whether every file and folder still has its stamp."""
    try:
        return all(stamp(path) == known for path, known in stamps.items())
    except OSError:
        return False


def _absolute(found: str, importer: str, path: str) -> str:
    """The absolute name of an imported module, whose leading dots are relative to the importer's package."""
    if not found.startswith("."):
        return found
    level = len(found) - len(found.lstrip("."))
    parts = importer.split(".")
    package = parts[: len(parts) - level + (os.path.basename(path) == "__init__.py")]
    return ".".join([*package, found.lstrip(".")]).strip(".")


def _module_files(module: str, folders: Iterable[Path | str]) -> list[str]:
    """The project files of a dotted name, including its packages; empty for a third-party module."""
    parts = module.split(".")
    for folder in folders:
        stem, found = str(folder), []
        for depth, part in enumerate(parts, start=1):
            stem = f"{stem}{os.sep}{part}"
            package, file = os.path.isfile(f"{stem}{os.sep}__init__.py"), os.path.isfile(f"{stem}.py")
            found += [f"{stem}{os.sep}__init__.py"] * package + [f"{stem}.py"] * file
            if depth == len(parts) and file:
                found += [f"{stem}{ending}" for ending in _NATIVE if os.path.isfile(f"{stem}{ending}")]
            if depth == 1 and not (found or os.path.isdir(stem)):  # nothing below it either
                break
        if found:
            return found
    return []


def _relative(path: str, folders: Iterable[Path | str]) -> str:
    """A file's path relative to the checkout or the suite's folder."""
    for folder in folders:
        if path.startswith(f"{folder}{os.sep}"):
            return path[len(str(folder)) + 1 :].replace(os.sep, "/")
    return os.path.basename(path)


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


def files_beside(path: Path, root: Path = ROOT) -> list[Path]:
    """A suite's file and the files in its folder that it reaches by imports; of the checkout's packages only suites."""
    folder = path.resolve().parent
    built_in = folder == root / "suites"
    found, waiting = {path.resolve(): None}, [path.resolve()]
    while waiting:
        file = waiting.pop()
        importer = ".".join(file.relative_to(root if built_in else folder).with_suffix("").parts)
        for name in read_source(str(file))[1] if file.suffix == ".py" else ():
            for other in map(Path, _module_files(_absolute(name, importer, str(file)), (folder, root))):
                ours = (
                    other.is_relative_to(root) and (root / other.relative_to(root).parts[0] / "__init__.py").is_file()
                )
                if other not in found and other.is_relative_to(folder) and (built_in or not ours):
                    found[other] = None
                    waiting.append(other)
    return list(found)


def _is_ours(path: Path, root: Path) -> bool:
    """Whether a file is in one of the checkout's packages."""
    return path.is_relative_to(root) and (root / path.relative_to(root).parts[0] / "__init__.py").is_file()
