"""Choose the column of the times among those without a role, by name and content; refuse where several may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys_data.columns.column_names import compact_name, names_a_time, names_another_moment
from recsys_data.columns.date_texts import is_date
from recsys_data.columns.id_columns import MISSING_WORDS
from recsys_data.columns.open_choice import OpenChoice
from recsys_data.columns.times import looks_like_unix_time
from recsys_data.printable import printable

MOST = 0.9  # of the values: some may be broken
NO_TIMES = "timestamp= to take the order of the rows for that of the events"


def choose_time_column(candidates: Mapping[str, Sequence[str]], where: str) -> str | None:
    """The name of the column that holds the times of the events; None where no column looks like times.

    candidates: the names of the columns without a role, each with some of its values. A column is used where name and
    content say so and no other column's do, or where it alone holds dates. Raises ValueError, with the options to
    choose, where several columns may be the times or where name and content disagree.
    """
    contents = {name: content for name, values in candidates.items() if (content := times_in(values))}
    named = [name for name in candidates if names_a_time(name)]
    sure = [name for name in named if name in contents and not names_another_moment(name)]
    if len(sure) == 1:
        return sure[0]
    if sure:
        shown = [printable(name) for name in sure]
        options = " or ".join(f"timestamp={name}" for name in shown)
        raise OpenChoice(f"{where}: the columns {', '.join(shown)} look like times; choose with --columns {options}",
                         columns=(f"timestamp={sure[0]}",))  # fmt: skip
    possible = list(dict.fromkeys([*(name for name in candidates if name in contents), *named]))
    if not possible:
        return None
    first = possible[0]
    written = printable(first)
    if len(possible) == 1 and contents.get(first) == "dates" and not names_another_moment(first):
        return first
    value = next((value for value in candidates[first] if value.strip()), "")
    raise OpenChoice(
        f"{where}: column {first!r} (value {value!r}) may or may not hold the times of the events; say --columns "
        f"timestamp={written} to use it, or {NO_TIMES}",
        columns=(f"timestamp={first if first in contents else ''}",),
    )


def looks_like_time(name: str, values: Sequence[str]) -> bool:
    """Whether a column looks like times by name or by content."""
    return names_a_time(name) or bool(times_in(values))


def times_in(values: Sequence[str]) -> str:
    """Return "dates" or "numbers" where nine of ten values are dates or Unix times, else nothing.

    Values that stand for missing ones do not count.
    """
    filled = [value.strip() for value in values if value.strip() not in MISSING_WORDS]
    if not filled:
        return ""
    if sum(map(is_date, filled)) >= MOST * len(filled):
        return "dates"
    try:
        numbers = np.array(filled, dtype=np.float64)
    except ValueError:
        return ""
    usual = numbers[numbers >= 1e8]  # without a 0 for an unknown time
    numbers = usual if len(usual) >= MOST * len(numbers) else numbers
    padded = any(
        len(value) > 1 and value[0] == "0" and value.isdecimal() for value in filled
    )  # an id such as 0144272509
    return "numbers" if not padded and looks_like_unix_time(numbers) else ""


def diginetica_columns(names: Sequence[str]) -> tuple[int, int] | None:
    """The numbers of the columns eventdate and timeframe where these are Diginetica's columns, else None."""
    compact = [compact_name(name) for name in names]
    if not {"sessionid", "timeframe", "eventdate"} <= set(compact):
        return None
    return compact.index("eventdate"), compact.index("timeframe")
