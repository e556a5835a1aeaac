"""JSON data of values and back: frozen dataclasses, enums, tuples, NumPy numbers."""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Reader = Callable[[Any], Any]
_PLAIN = (str, int, bool, type(None))
_SHOWN = {str: "a text", int: "a whole number", bool: "true or false", types.NoneType: "null"}


def to_json(value: Any, *, exact: bool = False) -> Any:
    """Return ``value`` as JSON data.

    A dataclass becomes an object of its fields, an enum its value, a tuple, range or set (sorted) a list, a NumPy
    number or array plain numbers, and anything else its text. A number that is not finite becomes null, or stays as it
    is with ``exact``, which ``json`` writes as NaN or Infinity. A class with a method ``to_json`` writes itself.
    """
    if type(value) in _PLAIN:
        return value
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        return {name: to_json(getattr(value, name), exact=exact) for name in names}
    if isinstance(value, Mapping):
        return {str(key): to_json(inner, exact=exact) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple | range):
        return [to_json(inner, exact=exact) for inner in value]
    if hasattr(value, "tolist"):
        return to_json(value.tolist(), exact=exact)
    if isinstance(value, float):
        return value if exact or math.isfinite(value) else None
    return value if isinstance(value, int | str) else str(value)


def from_json(kind: Any, record: Any, name: str = "", readers: Mapping[Any, Reader] = MappingProxyType({})) -> Any:
    """Return the value of type ``kind`` that ``to_json`` wrote; null for a float is NaN.

    ``kind``: a dataclass, an enum, a tuple, list or dict of such, a union, a plain type or Any. ``name``: how an error
    calls the value. ``readers``: functions that read a type in their own way. Raises ValueError naming the field and
    what it must be.
    """
    name = name or getattr(kind, "__name__", "the value")
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return record
    if kind in readers:
        return readers[kind](record)
    if origin in (types.UnionType, typing.Union):
        return _one_of(parts, record, name, readers)
    if origin in (tuple, list):
        return _sequence(origin, parts, record, name, readers)
    if origin is dict:
        _expect(isinstance(record, Mapping), name, "an object", record)
        return {parts[0](key): from_json(parts[1], inner, f"{name}.{key}", readers) for key, inner in record.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, record, name, readers)
    if issubclass(kind, enum.Enum):
        options = [member.value for member in kind]
        _expect(record in options, name, f"one of {', '.join(map(str, options))}", record)
        return kind(record)
    if kind is float:
        number = isinstance(record, int | float) and not isinstance(record, bool)
        _expect(number or record is None, name, "a number", record)
        return math.nan if record is None else record
    matches = isinstance(record, kind) and (kind is bool or not isinstance(record, bool))
    _expect(matches, name, _SHOWN.get(kind, kind.__name__), record)
    return record


def _one_of(kinds: tuple[Any, ...], record: Any, name: str, readers: Mapping[Any, Reader]) -> Any:
    """Read the first of ``kinds`` that accepts the record."""
    if record is None and types.NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    for kind in kinds[:-1]:
        try:
            return from_json(kind, record, name, readers)
        except ValueError:
            continue
    return from_json(kinds[-1], record, name, readers)


def _sequence(origin: type, parts: tuple[Any, ...], record: Any, name: str, readers: Mapping[Any, Reader]) -> Any:
    _expect(isinstance(record, list | tuple), name, "a list", record)
    repeated = origin is list or parts[-1] is Ellipsis
    _expect(repeated or len(record) == len(parts), name, f"a list of {len(parts)}", record)
    kinds = [parts[0]] * len(record) if repeated else parts
    pairs = zip(kinds, record, strict=True)
    return origin(from_json(kind, inner, f"{name}[{n}]", readers) for n, (kind, inner) in enumerate(pairs))


def _dataclass(kind: type, record: Any, name: str, readers: Mapping[Any, Reader]) -> Any:
    _expect(isinstance(record, Mapping), name, "an object", record)
    known = _fields(kind)
    for key in record:
        if key not in known:
            raise ValueError(f"{name} has no field {key!r}: it has {', '.join(known)}")
    for key, (_, required) in known.items():
        if required and key not in record:
            raise ValueError(f"{name} needs the field {key!r}")
    fields = {key: from_json(known[key][0], inner, f"{name}.{key}", readers) for key, inner in record.items()}
    return kind(**fields)


def _expect(holds: bool, name: str, expected: str, found: Any) -> None:
    if not holds:
        raise ValueError(f"{name} must be {expected}, got {found!r}")


@functools.cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """The type of each field that the constructor takes, and whether the field is required."""
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(kind)
        if field.init
    }
