"""Read events written as objects of JSON: one per line, or a list of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from recsys_data.arrow import pa
from recsys_data.columns.column_roles import ColumnRoles, assign_roles

_SAMPLE = 300  # objects whose keys are the columns


def read_json_events(data: bytes, columns: Sequence[str], where: str) -> tuple[pa.Table, ColumnRoles, list[int] | None]:
    """The columns of a text in UTF-8, named by role, and the line of each event (None for a list of objects).

    columns: as in InteractionFile; the names are the keys of the first objects. Numbers are kept as they are written,
    so that no digit of a long id is lost. Raises ValueError with the line of a text that is not an object, and for a
    value that is a list or an object.
    """
    listed = data.lstrip().startswith(b"[")
    objects = list(_listed(data, where) if listed else _lines(data, where))
    place = (lambda row: f"object {row + 1}") if listed else (lambda row: f"line {objects[row][0]}")
    names = list(dict.fromkeys(key for _, event in objects[:_SAMPLE] for key in event))
    samples = [[_as_text(event.get(name)) for _, event in objects[:_SAMPLE]] for name in names]
    roles = assign_roles(columns, names, samples, named=True, where=where)
    found = {}
    for role in roles.places:
        name = roles.name_of(role)
        values = [event.get(name) for _, event in objects]
        kinds = {type(value) for value in values if value is not None}
        if wrong := kinds - {str} - ({bool} if kinds == {bool} else set()):
            row = next(row for row, value in enumerate(values) if type(value) in wrong)
            raise ValueError(f"{where}: {place(row)}, key {name!r} holds {json.dumps(values[row])[:60]}; expected a "
                             f"number or a text for the {role}, as in other events")  # fmt: skip
        found[role] = pa.chunked_array([pa.array(values, pa.bool_() if kinds == {bool} else pa.string())])
    return pa.table(found), roles, None if listed else [line for line, _ in objects]


def _lines(data: bytes, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number and the object of each line that is not blank."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, _object(_parse(line, f"{where}: line {number}"), f"{where}: line {number}")


def _listed(data: bytes, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number and the object of each element of one list."""
    for number, value in enumerate(_parse(data, where), start=1):
        yield number, _object(value, f"{where}: object {number}")


def _parse(text: bytes, where: str) -> Any:
    """The value of a text of JSON, its numbers as texts."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        shown = text[:60].decode("utf-8", "replace").strip()
        raise ValueError(
            f"{where} is not JSON ({error}): {shown!r}; expected one object per line or one list of objects, with "
            "names and texts in double quotes"
        ) from error


def _object(value: Any, where: str) -> dict[str, Any]:
    """The value itself; ValueError where it is not an object."""
    if not isinstance(value, dict):
        raise ValueError(
            f'{where} is {json.dumps(value)[:60]}, not an object; expected such as {{"user": 1, "item": 2}}'
        )
    return value


def _as_text(value: Any) -> str:
    """A value as text for the recognition of times; lists and objects are left out."""
    return value if isinstance(value, str) else ""
