"""Variants: runs whose options change what the cells of a suite are; each has a name and a record of its own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys_data.sealed_json import SEAL, parse_object, unseal

ROOT = Path(__file__).resolve().parents[2]
SEPARATOR = "@"
_UNSAFE = re.compile(r"[^A-Za-z0-9._=,+()-]+")
_FIELDS = {"file": str, "suite": str, "options": dict}  # of a suite.json, that name what is run
_LONGEST = 160  # characters: a lock's and a folder's name have at most 255


def variant_name(suite: str, variant: Sequence[str]) -> str:
    """The name of a variant in folders, MLflow and messages: "ml1m@GRU.dim=64,limit-users=50"; plain without changes.

    Signs that a folder's name cannot hold become "-"; a hash of the exact text then keeps names distinct.
    """
    return suite + (f"{SEPARATOR}{_safe(','.join(variant))}" if variant else "")


def safe_name(name: str) -> str:
    """The stored name for a name as a user types it: the part after "@" may hold any sign of a model's label."""
    suite, at, variant = name.partition(SEPARATOR)
    return f"{suite}{at}{_safe(variant)}"


def _safe(text: str) -> str:
    """The text if it is safe as part of a folder's name, else its safe signs and a hash."""
    kept = _UNSAFE.sub("-", text)
    if kept == text and len(text) <= _LONGEST:
        return text
    return f"{kept[: _LONGEST - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def stored_options(name: str, results: Path) -> tuple[str, Mapping[str, Any]] | None:
    """The source of the suite whose results are stored under ``name``, and the options of the run that made them.

    None for a path, for a suite of the checkout and where nothing is stored: ``name`` is then what to load. Raises
    ValueError if the file of a user's suite no longer exists. It loads no library, since threads are set before.
    """
    if "/" in name or name.endswith(".py") or (ROOT / "suites" / f"{name}.py").is_file():
        return None
    path = results / "suites" / safe_name(name) / "suite.json"
    record = _stored_record(path)
    if record is None or "file" not in record:  # of an earlier version: it does not name its file
        return None
    wrong = next((field for field, kind in _FIELDS.items() if not isinstance(record.get(field), kind)), None)
    if wrong is not None or not _is_path(record["file"]):
        raise ValueError(f"{path} is damaged (its field {wrong or 'file'} is not as a run writes it): remove it and "
                         "run again")  # fmt: skip
    file = (results / record["file"]).resolve()
    if record["file"] and not file.is_file():
        raise ValueError(f"the file of suite {record['suite']!r} was {file} and no longer exists: give the path that "
                         "it has now, such as ./my_suite.py")  # fmt: skip
    return str(file) if record["file"] else record["suite"], record["options"]


def _is_path(text: str) -> bool:
    """Whether the system can hold a path of this text."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _stored_record(path: Path) -> Mapping[str, Any] | None:
    """The record in a suite.json; None where there is none."""
    try:
        record = parse_object(path.read_bytes())
        return unseal(record) if SEAL in record else record  # of an earlier version: refused where it is read whole
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): remove it and run again") from error
