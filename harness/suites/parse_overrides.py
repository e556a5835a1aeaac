"""Parsing of command-line values: seeds, and the values of model fields."""

from __future__ import annotations

import ast
import dataclasses
import math
import re
import types
import typing
from collections.abc import Sequence
from typing import Any

MAX_SEED_COUNT = 10_000
_MISMATCH = object()


class InvalidOverride(ValueError):
    """A change that cannot be made; the message is one sentence."""


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from "5" (five: 0 to 4), "0" (seed 0 alone), "0-4" or a list such as "0,3,7-9" ("7," is seed 7 alone)."""
    ranges = [_seed_range(part.strip()) for part in text.split(",") if part.strip()]
    if not ranges or not all(ranges):
        raise InvalidOverride(
            f"--seeds {text!r} is not understood: expected a number of seeds (5), a range (0-4) or a list of seeds "
            f"(0,3,7)"
        )
    if sum(each.stop - each.start for each in ranges) > MAX_SEED_COUNT:
        raise InvalidOverride(f"--seeds {text!r} means more than {MAX_SEED_COUNT:,} seeds; give fewer")
    numbers = [number for each in ranges for number in each]
    if len(set(numbers)) != len(numbers):
        raise InvalidOverride(f"--seeds {text!r} lists a seed twice")
    if text.strip().isdigit() and numbers[0] > MAX_SEED_COUNT:
        raise InvalidOverride(
            f"--seeds {text!r} means more than {MAX_SEED_COUNT:,} seeds; "
            f"write --seeds {text.strip()}, (with the comma) for that one seed"
        )
    return tuple(range(max(1, numbers[0]))) if text.strip().isdigit() else tuple(numbers)


def _seed_range(part: str) -> range:
    """The seeds of "7" or "0-4"; an empty range for a text that is neither."""
    found = re.fullmatch(r"([0-9]+)(?: ?- ?([0-9]+))?", part)
    return range(0) if found is None else range(int(found[1]), int(found[2] or found[1]) + 1)


def format_seeds(seeds: Sequence[int]) -> str:
    """The shortest text that ``parse_seeds`` reads as exactly these seeds."""
    if tuple(seeds) == tuple(range(len(seeds))) and len(seeds) > 1:
        return str(len(seeds))
    return ",".join(map(str, seeds)) + ("," if len(seeds) == 1 else "")


def parse_field(kind: type, name: str, text: str) -> Any:
    """``text`` as a value of the declared type of a dataclass's field. Raises InvalidOverride."""
    try:
        declared = typing.get_type_hints(kind).get(name, str)
    except NameError as error:
        raise InvalidOverride(f"the types of {kind.__name__}'s fields cannot be resolved: {error}") from error
    for alternative in _alternatives(declared):
        value = _convert(alternative, text)
        if value is not _MISMATCH:
            return value
    raise InvalidOverride(f"{kind.__name__}.{name} must be {_type_text(declared)}, got {text!r}")


def _alternatives(declared: Any) -> list[Any]:
    """The members of a union, str last since any text is a str; else the type alone."""
    if typing.get_origin(declared) in (typing.Union, types.UnionType):
        return sorted((a for part in typing.get_args(declared) for a in _alternatives(part)), key=lambda a: a is str)
    return [declared]


def _convert(declared: Any, text: str) -> Any:
    """``text`` as a value of type ``declared``, or _MISMATCH."""
    if declared is str:
        return text
    if declared is type(None):
        return None if text.lower() == "none" else _MISMATCH
    if declared is bool:
        return {"true": True, "false": False}.get(text.lower(), _MISMATCH)
    if typing.get_origin(declared) is typing.Literal:
        return next((option for option in typing.get_args(declared) if str(option) == text), _MISMATCH)
    if _has_defaults(declared):
        return declared() if text.lower() == declared.__name__.lower() else _MISMATCH
    if declared in (int, float):
        try:
            value = declared(text)
        except ValueError:
            return _MISMATCH
        return _MISMATCH if math.isnan(value) else value
    if typing.get_origin(declared) in (tuple, list):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return _MISMATCH
        return typing.get_origin(declared)(value) if isinstance(value, list | tuple) else _MISMATCH
    return _MISMATCH


def _has_defaults(declared: Any) -> bool:
    """Whether a type is a dataclass whose fields all have defaults, so that its name alone gives a value."""
    missing = dataclasses.MISSING
    return (
        isinstance(declared, type)
        and dataclasses.is_dataclass(declared)
        and not any(f.init and f.default is missing and f.default_factory is missing
                    for f in dataclasses.fields(declared))
    )  # fmt: skip


def _type_text(declared: Any) -> str:
    """A declared type in plain English."""
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    parts = []
    for alternative in _alternatives(declared):
        if typing.get_origin(alternative) is typing.Literal:
            parts.append("one of " + ", ".join(map(str, typing.get_args(alternative))))
        else:
            parts.append(names.get(alternative, getattr(alternative, "__name__", str(alternative))))
    return " or ".join(parts)
