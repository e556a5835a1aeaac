"""The methods of a comparison: each has one rank file, or one for each of its seeds under one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.stored_files import read_record


@dataclass(frozen=True)
class MethodFiles:
    """One method. files: the path of each seed's ranks; deterministic: whether one file stands for all seeds."""

    name: str
    files: tuple[str, ...]
    deterministic: bool = False


def methods_of(arguments: Sequence[Path | str], deterministic: Sequence[str] = ()) -> list[MethodFiles]:
    """Read ``FILE`` and ``NAME=FILE``: files of one name are the seeds of one method; methods in order of appearance.

    A file without a name is a method of its own, called by its path, with repeated ones numbered from the second on. An
    argument that is the path of a file is one, whatever it holds. Raises ValueError.
    """
    named = [_split(str(argument)) for argument in arguments]
    taken = {name for name, _ in named}
    files: dict[str, list[str]] = {}
    for name, path in named:
        if not name:
            name = _unused(path, taken)
            taken.add(name)
        if Path(path).resolve() in map(_resolved, files.setdefault(name, [])):
            raise ValueError(f"{name}={path} is given twice; expected another file for each seed of {name}")
        files[name].append(path)
    if len(named) < 2:
        raise ValueError(f"a comparison needs at least two rank files, got {len(named)}")
    if len(files) < 2:
        raise ValueError(f"a comparison needs at least two methods; all {len(named)} files are of {named[0][0]}")
    for name in deterministic:
        if name not in files:
            raise ValueError(f"--deterministic {name} names no method of this comparison ({', '.join(files)})")
        if len(files[name]) > 1:
            raise ValueError(f"--deterministic {name}: a method that does not depend on seeds has one file, and "
                             f"{len(files[name])} are given")  # fmt: skip
    return [MethodFiles(name, tuple(paths), name in deterministic) for name, paths in files.items()]


def check_pairs(methods: Sequence[MethodFiles]) -> None:
    """Raise ValueError unless the n-th files of all methods that depend on seeds can share a seed.

    That needs equally many files, two or more; folders of stored cells also tell their seeds, which must be equal.
    """
    paired = [method for method in methods if not method.deterministic]
    counts = {len(method.files) for method in paired}
    if len(counts) > 1 or 1 in counts:
        shown = ", ".join(f"{method.name} has {len(method.files)}" for method in paired)
        raise ValueError(
            f"--pair-seeds needs equally many files of every method, at least two, in the same order: {shown}"
        )
    for files in zip(*(method.files for method in paired), strict=True):
        seeds = {file: seed for file in files if (seed := _stored_seed(Path(file))) is not None}
        if len(set(seeds.values())) > 1:
            shown = ", ".join(f"{file} has seed {seed}" for file, seed in seeds.items())
            raise ValueError(f"--pair-seeds pairs files of one seed, in the order given: {shown}; order them by seed")


def _stored_seed(path: Path) -> int | None:
    """Return the seed of a stored cell's folder, or None for any other file."""
    record = read_record(path / "cell.json", ["seed"]) if (path / "ranks.parquet").exists() else None
    return None if record is None else int(record["seed"])


def _split(argument: str) -> tuple[str, str]:
    """Return the name, "" where none is given, and the path."""
    name, equals, path = argument.partition("=")
    return ("", argument) if not equals or not name or not path or Path(argument).exists() else (name, path)


def _resolved(path: str) -> Path:
    return Path(path).resolve()


def _unused(path: str, taken: set[str]) -> str:
    """Return the path, numbered where a method has this name: a file may be compared with itself."""
    number, name = 1, path
    while name in taken:
        number += 1
        name = f"{path} ({number})"
    return name
