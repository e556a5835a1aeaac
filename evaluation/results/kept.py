"""Kept results: what a bundle made for sharing states instead of the ranks that it withholds, by its inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.stored_files import read_record

FILE_NAME = "kept.json"  # beside suite.json
_OF_THIS_MACHINE = "files"  # of a cell's fingerprint: sizes and times, which a bundle does not have


def kept_name(kind: str, inputs: Any) -> str:
    """Return the name of a result that depends on stored cells; empty for one that does not.

    The cells count by their keys alone, so that the name is the same in the store and in a bundle of it.
    """
    if not any(_fingerprints(inputs)):
        return ""
    return f"{kind}-{hashlib.sha256(json.dumps([kind, _without_files(inputs)]).encode()).hexdigest()[:32]}"


def read_kept(folder: Path, suite: str) -> dict[str, Any]:
    """Return the kept results of a suite by name; empty where there are none. Raises ValueError naming damage."""
    record = read_record(folder / FILE_NAME, ["results"], "unpack the bundle again", {"suite": suite})
    return {} if record is None else record["results"]


def _is_fingerprint(value: Any) -> bool:
    return isinstance(value, Mapping) and {"key", _OF_THIS_MACHINE} <= value.keys()


def _fingerprints(value: Any) -> Iterator[Any]:
    """Yield the fingerprints of cells in JSON data."""
    if _is_fingerprint(value):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _fingerprints(entry)


def _without_files(value: Any) -> Any:
    """Return JSON data whose fingerprints of cells have no sizes and times."""
    if _is_fingerprint(value):
        return {name: entry for name, entry in value.items() if name != _OF_THIS_MACHINE}
    return [_without_files(entry) for entry in value] if isinstance(value, list | tuple) else value
