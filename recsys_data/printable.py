"""Text that is safe to show: control, escape, direction and other invisible characters are written as codes."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

_JOINERS = "\u200c\u200d"  # part of emoji and of Persian and Indic words


def printable(text: str) -> str:
    r"""One line of text whose invisible characters are codes: "\x1b" for Escape, "\n" for a line end, "\u202e".

    A terminal obeys such characters, a page hides or reorders text by them, and XML forbids some. Spaces are kept.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """Text of several lines, each as ``printable`` gives it."""
    return "\n".join(map(printable, text.split("\n")))


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"


def map_texts(change: Callable[[str], str], value: Any) -> Any:
    """A copy of a value with every text in its data classes, lists, tuples and mappings changed; itself if equal."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        changed = [map_texts(change, entry) for entry in value]
        same = all(a is b for a, b in zip(value, changed, strict=True))
        return value if same else type(value)(changed)
    if isinstance(value, Mapping):
        mapped = {map_texts(change, name): map_texts(change, entry) for name, entry in value.items()}
        same = all(a is b and value[a] is mapped[a] for a, b in zip(value, mapped, strict=True))
        return value if same else mapped
    if dataclasses.is_dataclass(value):
        old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        new = {name: map_texts(change, entry) for name, entry in old.items()}
        different = {name: entry for name, entry in new.items() if entry is not old[name]}
        return dataclasses.replace(value, **different) if different else value
    return value
