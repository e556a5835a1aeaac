"""Sealed JSON: objects that carry the SHA-256 of their own content, so that a changed character is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

SEAL = "sha256"


class SealBroken(ValueError):
    """The content of a stored object is not what was sealed."""


def seal(record: Mapping[str, Any], place: str = "", default: Callable[[Any], Any] | None = None) -> dict[str, Any]:
    """Return the record as JSON data with its SHA-256 in ``sha256``.

    place: what the record belongs to, such as the key of a search; it is part of the sum but not of the record, so that
    a record is not accepted elsewhere. default: as of json.dumps.
    """
    plain = json.loads(json.dumps({name: value for name, value in record.items() if name != SEAL}, default=default))
    return plain | {SEAL: _digest(plain, place)}


def sealed_text(record: Mapping[str, Any], place: str = "", *, allow_nan: bool = False) -> str:
    """Return the sealed record as the text of a file; ValueError for a number that is not finite, unless allowed."""
    return json.dumps(seal(record, place), indent=1, allow_nan=allow_nan)


def sealed_line(record: Mapping[str, Any], place: str = "", default: Callable[[Any], Any] | None = None) -> str:
    """Return the sealed record as one line of a .jsonl file."""
    return json.dumps(seal(record, place, default)) + "\n"


def parse_object(data: bytes | str) -> dict[str, Any]:
    """Parse an object whose seal is not checked yet. Raises ValueError for anything else."""
    try:
        found = json.loads(data)
    except RecursionError:
        raise SealBroken("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise SealBroken("expected an object")
    return found


def unseal(found: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return a parsed object without its seal. Raises SealBroken where it has none or its content was changed."""
    plain = {name: value for name, value in found.items() if name != SEAL}
    if SEAL not in found:
        raise SealBroken("it has no checksum")
    if found[SEAL] != _digest(plain, place):
        raise SealBroken("its content does not match its checksum")
    return plain


def read_sealed(data: bytes | str, place: str = "") -> dict[str, Any]:
    """Parse a sealed object and return it without its seal. Raises ValueError where it was changed."""
    return unseal(parse_object(data), place)


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _digest(plain: Mapping[str, Any], place: str) -> str:
    """The SHA-256 of the content, whatever the blanks between its names and values."""
    return sha256(f"{place}\n{json.dumps(plain, separators=(',', ':'))}".encode())
