"""Values of statistics, such as a ComparisonTable, as JSON data and back, without losing a bit."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from typing import Any

from evaluation.comparison.table import ComparisonTable


def to_record(table: ComparisonTable) -> dict[str, Any]:
    """The table as JSON data."""
    return plain(table)


def from_record(record: dict[str, Any]) -> ComparisonTable:
    """The table that ``to_record`` wrote; infinite and undefined numbers are themselves again."""
    return made(ComparisonTable, record)


def plain(value: Any) -> Any:
    """The value as JSON data: dataclasses and enums by their fields and values, tuples as lists."""
    if dataclasses.is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def made(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` that ``plain`` wrote."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # something or None
        return None if value is None else made(parts[0], value)
    if origin is tuple:
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(made(k, v) for k, v in zip(kinds, value, strict=True))
    if origin is dict:
        return {parts[0](key): made(parts[1], inner) for key, inner in value.items()}
    if dataclasses.is_dataclass(kind):
        return kind(**{name: made(hint, value[name]) for name, hint in _hints(kind).items()})
    return kind(value) if issubclass(kind, enum.Enum) else value


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The type of each field."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
