"""Trials of damaged files: each damage is healed (the numbers are the same) or named in one sentence with its path."""

from __future__ import annotations

import functools
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.results.suite_results import read_suite
from tests.faults.damaged_store import NAME, DamagedStore
from tests.faults.trial import Trial

DAMAGES = ("bit", "cut", "zeros", "swap", "delete", "number")
_NUMBER = re.compile(rb"\d+\.?\d*")


@dataclass(frozen=True)
class Kind:
    """A kind of stored file: its files, the reader that opens them, and how many damages are documented."""

    name: str
    files: Sequence[Path]
    read: Callable[[], Any]
    tries: int


def trials(folder: Path, scale: float, seed: int) -> Iterator[Trial]:
    """Damage every kind of stored file at random; 3,250 damages at scale 1."""
    made = DamagedStore.make(folder / "store")
    rng = np.random.default_rng(seed)
    for kind in kinds(made, folder):
        before = {file: file.read_bytes() for file in kind.files}
        reference = kind.read()
        trial = Trial(f"{kind.name} damaged (bits, cuts, zeros, swaps, deletions, numbers)")
        for number in range(max(round(scale * kind.tries), len(DAMAGES))):
            damage = DAMAGES[number % len(DAMAGES)]
            trial.count(_try(made, kind, before, damage, reference, rng))
        yield trial


def kinds(made: DamagedStore, folder: Path) -> list[Kind]:
    """All kinds of stored file."""
    root = made.store.root

    def found(pattern: str) -> list[Path]:
        return sorted(path for path in root.glob(pattern) if path.is_file())

    fit, unfitted = made.interrupted(folder / "fit", "GRU")
    search, unsearched = made.interrupted(folder / "search", "Tuned")
    partial = sorted(fit.store.partial(unfitted.key).iterdir())
    ledger = sorted(search.store.root.glob("tuning/*/*"))
    return [
        Kind("ranks.parquet", found("cells/*/ranks.parquet"), made.report, 400),
        Kind("items.parquet", found("cells/*/items.parquet"), made.report, 200),
        Kind("sums.parquet", found("cells/*/sums.parquet"), made.report, 300),
        Kind("curve.jsonl", found("cells/*/curve.jsonl"), made.report, 150),
        Kind("cell.json", found("cells/*/cell.json"), made.report, 200),
        Kind("cell.json, planned", found("cells/*/cell.json"), made.planned, 100),
        Kind("ranks, compared", found("cells/*/ranks.parquet"), made.compared, 100),
        Kind("failure.json and traceback", [*found("cells/*/failure.json"), *found("cells/*/*.txt")], made.packed, 100),
        Kind("suite.json", found("suites/*/suite.json"), made.report, 150),
        Kind("mlflow.json and certificate.json", [*found("suites/*/mlflow.json"), *found("suites/*/cert*.json")],
             made.report, 150),
        Kind("search.json and ledger", found("tuning/*/*"), made.report, 200),
        Kind("a ledger that a search resumes from", ledger, functools.partial(search.resume, unsearched), 80),
        Kind("a checkpoint and its progress", partial, functools.partial(fit.resume, unfitted), 120),
        Kind("prepared/", found("prepared/**/*"), made.prepared, 300),
        Kind("derived/", found("derived/*"), made.report, 200),
        Kind("a bundle", [made.bundle], made.unpacked, 500),
    ]  # fmt: skip


def _try(
    made: DamagedStore, kind: Kind, before: dict[Path, bytes], damage: str, reference: Any, rng: np.random.Generator
) -> str:
    """Damage one file, read, and put all of the kind back; what went wrong, or nothing."""
    _put_back(before)
    path = kind.files[rng.integers(len(kind.files))]
    changed = _damaged(damage, path, before, rng)
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)
    try:
        said = _judged(made, kind, path, reference, optional=changed is None)
    finally:
        _put_back(before)
    return f"{damage} in {path}: {said}" if said else ""


def _put_back(before: dict[Path, bytes]) -> None:
    for file, data in before.items():
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


def _judged(made: DamagedStore, kind: Kind, path: Path, reference: Any, optional: bool) -> str:
    """Whether reading gave the numbers from before, or an error that names the file; else what it did."""
    try:
        found = kind.read()
    except (ValueError, OSError) as error:
        text = " ".join(str(error).split())
        named = str(path) in text or str(path.parent) in text or (optional and f"results of suite {NAME!r}" in text)
        return "" if named else f"not named: {text[:200]}"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error} {traceback.format_exc()[-400:]}"
    if found == reference or (optional and _said_missing(made, path)):
        return ""
    return "read back as something else, silently"


def _said_missing(made: DamagedStore, path: Path) -> bool:
    """Whether a deleted file has its own words in a report: a cell without a result, or a view that was not made."""
    missing = [failure.folder for failure in read_suite(made.store.root, NAME).failures if failure.state == "MISSING"]
    return path.parent in missing or path.name in ("mlflow.json", "certificate.json", "failure.json")


def _damaged(damage: str, path: Path, files: dict[Path, bytes], rng: np.random.Generator) -> bytes | None:
    """The content after a damage that changes it; None for a deleted file."""
    data = files[path]
    others = [other for file, other in files.items() if file != path and other != data and file.suffix == path.suffix]
    if damage == "delete":
        return None
    if damage == "swap" and others:
        return others[rng.integers(len(others))]
    numbers = list(_NUMBER.finditer(data)) if damage == "number" and path.suffix in (".json", ".jsonl") else []
    if numbers:
        chosen = numbers[rng.integers(len(numbers))]
        at = chosen.start() + int(rng.integers(len(chosen.group())))
        digit = data[at : at + 1]
        return data[:at] + (b"7" if digit != b"7" else b"3") + data[at + 1 :]
    if damage == "cut" and data:
        return data[: rng.integers(len(data))]
    if damage == "zeros" and any(data):
        start = int(rng.choice(np.flatnonzero(np.frombuffer(data, np.uint8))))
        length = min(int(rng.integers(1, 600)), len(data) - start)
        return data[:start] + bytes(length) + data[start + length :]
    changed = bytearray(data or b"\0")
    changed[rng.integers(len(changed))] ^= 1 << int(rng.integers(8))
    return bytes(changed)
