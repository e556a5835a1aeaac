"""Convert times to Unix seconds: numbers in any unit, days written as whole numbers, timestamps, dates as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from recsys_data.arrow import numbers, pa, pc
from recsys_data.columns.date_texts import EXPECTED, Refuse, parse_dates, parse_format
from recsys_data.columns.open_choice import OpenChoice, UnreadableValue

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "day": 86_400.0}  # in seconds
_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "day": "days"}
_LIMITS = (1e11, 1e14, 1e17)  # absolute numbers below the first are seconds (the year 5138), below the next ms, us, ns
_EARLIEST, _LATEST = 0.0, 4_133_980_800.0  # 1970 and 2101; other years are mistakes
_WHOLE_DATES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # by their number of digits


def to_seconds(
    column: pa.ChunkedArray,
    where: str,
    *,
    unit: str = "",
    pattern: str = "",
    absolute: bool = True,
    place: Callable[[int], str] = lambda row: f"event {row + 1}",
) -> tuple[np.ndarray, str]:
    """Unix seconds (E,) float64, and the format of the column, such as "seconds", "nanoseconds" or "ISO 8601".

    unit: one of UNITS, for numbers; pattern: a format of strptime; empty: recognised. Texts without a zone are read as
    UTC. absolute: whether the times are Unix times: they must then lie in 1970 … 2100, have one unit, and whole numbers
    such as 20001231 are days. place: names a row (from 0) in an error. Raises ValueError with the first row that cannot
    be read, and its value.
    """

    def refuse(row: int, reason: str, form: str | None = None, /) -> ValueError:
        shown = column.slice(row, 1)
        if pa.types.is_temporal(column.type):  # Python has no date beyond the year 9999
            shown = shown.cast(pa.string())
        sentence = f"{where}: {place(row)} has the time {shown[0].as_py()!r}; {reason}"
        if form is None:
            return UnreadableValue(sentence, "timestamp", row)
        return OpenChoice(sentence, **({"time_format": form} if form else {}))

    seconds, kind = _convert(column, unit, pattern, absolute, refuse)
    if (wrong := ~np.isfinite(seconds)).any():
        raise refuse(int(wrong.argmax()), f"expected {EXPECTED}")
    if absolute and (wrong := ~in_calendar(seconds)).any():
        row = int(wrong.argmax())
        raise refuse(
            row,
            f"read as {kind} it is {_moment(seconds[row])}, outside 1970 to 2100; say --time-unit or --time-format, or "
            "--clock where the times are not Unix times",
        )
    return seconds, kind


def day_and_offset(sessions: np.ndarray, days: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Unix seconds (E,): the day of each session's first row plus its rows' ``offsets`` in seconds.

    Diginetica's times: the day of a row is no help after midnight, its offset since the session's start is.
    """
    _, first, inverse = np.unique(sessions, return_index=True, return_inverse=True)
    return days[first][inverse] + offsets


def in_calendar(seconds: np.ndarray) -> np.ndarray:
    """Whether each time lies in the years 1970 to 2100."""
    return (seconds >= _EARLIEST) & (seconds < _LATEST)


def looks_like_unix_time(values: np.ndarray) -> bool:
    """Whether numbers are whole days such as 20001231, or times from 1973 to 2100 in one unit."""
    if not len(values) or not np.isfinite(values).all():
        return False
    if _whole_date(values) and _valid_dates(values, _whole_date(values)).all():
        return True
    return any(((values >= low) & (values < 4.13398e9 * low / 1e8)).all() for low in (1e8, 1e11, 1e14, 1e17))


def _convert(
    column: pa.ChunkedArray, unit: str, pattern: str, absolute: bool, refuse: Refuse
) -> tuple[np.ndarray, str]:
    """Seconds and the format in words, without a check of the years."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        whole = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False)  # truncates nanoseconds
        return numbers(pc.cast(whole, pa.int64())) / 1e6, "timestamps"
    if pattern:
        return parse_format(_as_texts(column), pattern, refuse), f"the format {pattern}"
    try:
        values = numbers(column.cast(pa.float64(), safe=not pa.types.is_integer(column.type)))  # to the nearest
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _from_texts(column, unit, refuse)
    if not unit and not absolute:
        unit = _unit_of(float(np.median(np.abs(values)))) if len(values) else "s"
    if unit:
        return (values / 1e3 ** list(UNITS).index(unit) if unit != "day" else values * UNITS[unit]), _UNIT_NAMES[unit]
    if (wrong := ~np.isfinite(values)).any():
        raise refuse(int(wrong.argmax()), f"expected {EXPECTED}")
    if digits := _whole_date(values):
        if (wrong := ~(valid := _valid_dates(values, digits))).any():
            like = int(values[valid][0])
            raise refuse(
                int(wrong.argmax()), f"other rows are days such as {like}; say --time-unit s if they are seconds"
            )
        texts = pa.chunked_array([pa.array(values.astype(np.int64)).cast(pa.string())])
        return parse_format(texts, _WHOLE_DATES[digits], refuse), f"whole numbers of the form {_WHOLE_DATES[digits]}"
    if form := _reversed_date(values):
        raise refuse(0, f"this looks like {form}; say --time-format {form}, or --time-unit s if it is in seconds", form)
    unit = _unit_of(float(np.median(np.abs(values)))) if len(values) else "s"
    if (wrong := np.searchsorted(_LIMITS, np.abs(values), side="right") != list(UNITS).index(unit)).any():
        row = int(wrong.argmax())
        found, other = _unit_of(abs(float(values[row]))), "; write all times in one unit"
        if found in list(UNITS)[: list(UNITS).index(unit)]:  # a small number such as 0 is possible in the finer unit
            other += f", or say --time-unit {unit} if it is right for all"
        reason = f"as {_UNIT_NAMES[found]} a plausible time, but most other rows are in {_UNIT_NAMES[unit]}"
        raise refuse(row, reason + other)
    return values / 1e3 ** list(UNITS).index(unit), _UNIT_NAMES[unit]


def _from_texts(column: pa.ChunkedArray, unit: str, refuse: Refuse) -> tuple[np.ndarray, str]:
    """Seconds and the format of a column that holds at least one text that is not a number."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise refuse(0, f"the column holds {column.type}; expected {EXPECTED}", "")
    texts = pc.utf8_trim_whitespace(column)
    numeric = pc.match_substring_regex(texts, r"^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$")
    is_number = numbers(pc.cast(numeric, pa.uint8())) > 0
    if unit or is_number.mean() > 0.5:
        reason = f"expected a number of --time-unit {unit}" if unit else "expected a number as in most other rows"
        raise refuse(int((~is_number).argmax()), reason)
    return parse_dates(texts, refuse)


def _as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as texts; whole numbers without a fraction."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.equal(pc.floor(column), column), column.cast(pa.int64(), safe=False).cast(pa.string()),
                            column.cast(pa.string()))  # fmt: skip
    return column.cast(pa.string())


def _unit_of(size: float) -> str:
    """The unit of an absolute number by its size."""
    return list(UNITS)[int(np.searchsorted(_LIMITS, size, side="right"))]


def _whole_date(values: np.ndarray) -> int:
    """The number of digits where most values are dates written as one whole number, else 0."""
    digits = len(str(int(np.median(values)))) if len(values) else 0
    return digits if digits in _WHOLE_DATES and _valid_dates(values, digits).mean() > 0.5 else 0


def _valid_dates(values: np.ndarray, digits: int) -> np.ndarray:
    """Whether each value is a date of this many digits, in the years 1970 to 2100."""
    sound = np.isfinite(values) & (values == np.floor(values)) & (values >= 0) & (values < 1e15)
    whole = np.where(sound, values, 0).astype(np.int64)
    day = whole // 10 ** (digits - 8)
    found = sound & (day // 10_000 >= 1970) & (day // 10_000 <= 2100)
    found &= np.isin(day // 100 % 100, np.arange(1, 13)) & np.isin(day % 100, np.arange(1, 32))
    if digits > 8:
        clock = whole % 10 ** (digits - 8) * (1 if digits == 14 else 100)
        found &= (clock // 10_000 < 24) & (clock // 100 % 100 < 60) & (clock % 100 < 60)
    return found


def _reversed_date(values: np.ndarray) -> str:
    """%d%m%Y or %m%d%Y where most values look like that, else nothing."""
    if not len(values) or not 1e6 < np.median(values) < 1e8:
        return ""
    whole = np.where((values == np.floor(values)) & (values > 1e6) & (values < 1e8), values, 0).astype(np.int64)
    first, second, year = whole // 1_000_000, whole // 10_000 % 100, whole % 10_000
    sound = (year >= 1970) & (year <= 2100) & (np.minimum(first, second) >= 1) & (np.maximum(first, second) <= 31)
    if sound.mean() <= 0.5:
        return ""
    return "%m%d%Y" if (second[sound] > 12).any() else "%d%m%Y"


def _moment(seconds: float) -> str:
    """Unix seconds as a date, or as their year where the calendar ends."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"about the year {1970 + seconds / 31_556_952:,.0f}"
