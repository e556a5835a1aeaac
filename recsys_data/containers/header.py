"""Decide from all columns whether the first line of a text file names the columns or holds an event."""

from __future__ import annotations

import re
from collections.abc import Sequence

from recsys_data.columns.column_names import is_id_name, is_known
from recsys_data.columns.date_texts import is_date

_IDS = ("user", "session", "item")


def is_header(fields: Sequence[str], others: Sequence[Sequence[str]], roles: Sequence[str]) -> bool | None:
    """Whether ``fields``, those of the first line, are names; None where that cannot be decided.

    others: the fields of some lines after it. roles: of the columns in order, where the user gave them.
    """
    columns = [[other[place] for other in others if place < len(other)] for place in range(len(fields))]
    known = any(map(is_id_name, fields)) or sum(map(is_known, fields)) > 1  # one word such as Time may be a title
    if any(is_value(field) for field in fields):  # a name is no number and no date, so line 1 is an event
        numbered = len(fields) > 2 and [field.strip() for field in fields] == [str(n) for n in range(len(fields))]
        return None if known or numbered else False  # 0,1,2,…: the names that pandas gives to columns without one
    if known:
        return True
    values = [place for place, column in enumerate(columns) if column and all(map(is_value, column))]
    if len(values) > 1 or any(place >= len(roles) or roles[place] not in _IDS for place in values):
        return True  # text above numbers; in one column of ids alone it may be the id of the first event
    if any(field in column for field, column in zip(fields, columns, strict=True)):
        return False  # a name does not come again as a value
    if any(_is_pattern(field, column) for field, column in zip(fields, columns, strict=True)):
        return True
    return None


def is_value(text: str) -> bool:
    """Whether a field is a number or a date, which no column is called."""
    text = text.strip()
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text)) or is_date(text)


def _is_pattern(field: str, column: Sequence[str]) -> bool:
    """Whether all values are letters and digits in one pattern such as v3, and the first field has no digit."""
    shapes = {re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", value)) for value in column}
    return len(shapes) == 1 and {"a", "9"} <= set(next(iter(shapes))) and not re.search(r"\d", field)
