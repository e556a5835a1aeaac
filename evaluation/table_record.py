"""A ComparisonTable as JSON data and back, without losing a bit."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from typing import Any

from evaluation.comparison_table import ComparisonTable


def to_record(table: ComparisonTable) -> dict[str, Any]:
    """The table as JSON data."""
    return _plain(table)


def from_record(record: dict[str, Any]) -> ComparisonTable:
    """The table that ``to_record`` wrote; infinite and undefined numbers are themselves again."""
    return _made(ComparisonTable, record)


def _plain(value: Any) -> Any:
    """A value with dataclasses and enums told by their fields and values."""
    if dataclasses.is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value


def _made(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` that was told so."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # something or None
        return None if value is None else _made(parts[0], value)
    if origin is tuple:
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(_made(k, v) for k, v in zip(kinds, value, strict=True))
    if origin is dict:
        return {parts[0](key): _made(parts[1], inner) for key, inner in value.items()}
    if dataclasses.is_dataclass(kind):
        return kind(**{name: _made(hint, value[name]) for name, hint in _hints(kind).items()})
    return kind(value) if issubclass(kind, enum.Enum) else value


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The type of each field."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
