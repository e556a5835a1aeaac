"""Text that is safe to show: control, escape, direction and other invisible characters are written as codes."""

from __future__ import annotations

import dataclasses
import functools
import operator
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
    if value is None or isinstance(value, float | int):  # most values of a table
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        changed = [map_texts(change, entry) for entry in value]
        same = all(map(operator.is_, value, changed))
        return value if same else type(value)(changed)
    if isinstance(value, Mapping):
        mapped = {map_texts(change, name): map_texts(change, entry) for name, entry in value.items()}
        same = all(map(operator.is_, (*value, *value.values()), (*mapped, *mapped.values())))
        return value if same else mapped
    different = {}
    for name in _fields(type(value)):
        old = getattr(value, name)
        new = map_texts(change, old)
        if new is not old:
            different[name] = new
    return dataclasses.replace(value, **different) if different else value


@functools.cache
def _fields(kind: type) -> tuple[str, ...]:
    """The names of a data class's fields that its constructor takes; none for another type."""
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)
