"""Dates written as text: ISO 8601, numbers in the order of day, month or year, names of months, zones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from recsys_data.arrow import numbers, pa, pc
from recsys_data.columns.date_formats import likely_time_format

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2})?))?"
_WEEKDAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_MONTH = r"(?P<name>[A-Za-z]{3,9})\.?"
_REST = rf"(?:[T,\s]+{_TIME})?{_ZONE}$"
PATTERNS = {
    "year, month, day": rf"^(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_REST}",
    "year, month, day without separators": (
        r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T\s]?"
        rf"(?P<hour>\d{{2}}):?(?P<minute>\d{{2}}):?(?P<second>\d{{2}}(?:\.\d+)?){_ZONE}$"
    ),
    "numbers": rf"^(?P<first>\d{{1,2}})[-/.](?P<next>\d{{1,2}})[-/.](?P<year>\d{{4}}){_REST}",
    "month, day, year": r"^(?P<month>\d{1,2}) (?P<day>\d{1,2}), (?P<year>\d{4})$",
    "day, name of the month, year": (
        rf"^{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/\s]{_MONTH},?[-/\s](?P<year>\d{{4}}){_REST}"
    ),
    "name of the month, day, year": (
        rf"^{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_REST}"
    ),
    "name of the month, day, time, year": (
        rf"^{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_TIME}{_ZONE}\s+(?P<year>\d{{4}})$"
    ),
}
_SHORT_YEAR = rf"^\d{{1,2}}([-/.])\d{{1,2}}\1\d{{2}}(?:\s+{_TIME})?$"
_MONTHS = "january february march april may june july august september october november december"
_MONTH_NUMBERS = {"sept": 9} | {
    name[:length]: month for month, name in enumerate(_MONTHS.split(), start=1) for length in (3, len(name))
}
_SAMPLE = 200  # values that decide which pattern a column has


class Refuse(Protocol):
    """Makes the error for a row (from 0), whose value cannot be read.

    form: where the column is at fault, not the row: the format of strptime that is likely, "" if none is.
    """

    def __call__(self, row: int, reason: str, form: str | None = None, /) -> ValueError:
        """Return the error."""


EXPECTED = "seconds, milliseconds or ISO 8601 such as 2009-05-04T23:08:57Z"


def parse_dates(column: pa.ChunkedArray, refuse: Refuse) -> tuple[np.ndarray, str]:
    """Unix seconds (E,) float64 of a column of texts, and its format in words; texts without a zone are read as UTC."""
    column = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"\s*(?:UTC|GMT)$", "Z")
    column = pc.replace_substring_regex(column, r"(\.\d{6})\d+", r"\1")  # microseconds are enough, and Arrow's limit
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            return numbers(pc.cast(column.cast(kind), pa.int64())) / 1e6, "ISO 8601"
        except pa.ArrowInvalid:
            continue
    sample = column.slice(0, _SAMPLE).to_pylist()
    hits = {name: sum(re.match(pattern, text) is not None for text in sample) for name, pattern in PATTERNS.items()}
    best = max(hits, key=lambda name: hits[name])
    if re.match(r"\d{1,2}:\d{2}", sample[0]):
        raise refuse(0, "a time of day without a date; write both in one column, or choose another with --columns", "")
    if not hits[best]:
        raise refuse(0, f"expected {EXPECTED}; give other formats with --time-format", likely_time_format(sample))
    parts = pc.extract_regex(column, pattern=PATTERNS[best])
    if parts.null_count:
        row = int(numbers(pc.cast(pc.is_null(parts), pa.uint8())).argmax())
        like = next(text for text in sample if re.match(PATTERNS[best], text))
        raise refuse(row, f"expected {EXPECTED}, the same in every row; other rows are dates such as {like!r}")
    return _seconds({name: pc.struct_field(parts, name) for name in parts.type.names}, best, sample, refuse)


def is_date(text: str) -> bool:
    """Whether a text is a date: one that parse_dates reads, or one with two digits for the year."""
    text = re.sub(r"\s*(?:UTC|GMT)$", "Z", text.strip())
    if re.match(_SHORT_YEAR, text) or any(re.match(pattern, text) for pattern in PATTERNS.values()):
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) >= 8 and not text.isdecimal()  # whole numbers are Unix times, or days such as 20001231


def parse_format(column: pa.ChunkedArray, pattern: str, refuse: Refuse) -> np.ndarray:
    """Unix seconds (E,) of texts in the format ``pattern`` of strptime; UTC where it has no zone."""
    coded = column.combine_chunks().dictionary_encode()
    codes = numbers(coded.indices)
    moments = np.empty(len(coded.dictionary))
    for place, text in enumerate(coded.dictionary.to_pylist()):
        try:
            moment = datetime.strptime(text.strip(), pattern)
        except ValueError as error:
            raise refuse(int((codes == place).argmax()), f"not in the format {pattern!r} of --time-format") from error
        moments[place] = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return moments[codes]


def _seconds(
    parts: dict[str, pa.ChunkedArray], kind: str, sample: Sequence[str], refuse: Refuse
) -> tuple[np.ndarray, str]:
    """Unix seconds from the parts of dates, some of which are the ``sample``, and the format in words."""
    if "first" in parts:
        parts["day"], parts["month"], kind = _day_and_month(parts.pop("first"), parts.pop("next"), sample, refuse)
    year, day = _whole(parts["year"]), _whole(parts["day"])
    month = _whole(parts["month"]) if "month" in parts else _month_numbers(parts["name"], refuse)
    if (wrong := (month < 1) | (month > 12)).any():
        raise refuse(int(wrong.argmax()), f"{month[wrong.argmax()]} is not a month; read as {kind}")
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    length = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int)
    if (wrong := (day < 1) | (day > length)).any():
        raise refuse(int(wrong.argmax()), f"the month has no day {day[wrong.argmax()]}; read as {kind}")
    hour, minute, second = (
        _number(parts[name]) if name in parts else np.zeros(len(year)) for name in ("hour", "minute", "second")
    )
    if "half" in parts:
        half = pc.utf8_lower(parts["half"])
        is_half = numbers(pc.cast(pc.not_equal(half, ""), pa.uint8())) > 0
        if (wrong := is_half & ((hour < 1) | (hour > 12))).any():
            raise refuse(int(wrong.argmax()), "an hour with AM or PM must be 1 to 12")
        hour = np.where(is_half, hour % 12 + 12 * numbers(pc.cast(pc.equal(half, "p"), pa.uint8())), hour)
    if (wrong := (hour > 23) | (minute > 59) | (second >= 61)).any():
        raise refuse(int(wrong.argmax()), "not a time of day; expected 00:00 to 23:59")
    seconds = (first.astype("datetime64[D]") + (day - 1)).astype("datetime64[s]").astype(np.float64)
    return seconds + 3_600 * hour + 60 * minute + second - _zones(parts, len(year), refuse), kind


def _day_and_month(
    first: pa.ChunkedArray, following: pa.ChunkedArray, sample: Sequence[str], refuse: Refuse
) -> tuple[pa.ChunkedArray, pa.ChunkedArray, str]:
    """The columns of days and months, decided by numbers above 12; refused where no number or both decide."""
    one, two = _whole(first), _whole(following)
    day_first, month_first = one > 12, two > 12
    if day_first.any() and month_first.any():
        rare = day_first if day_first.sum() < month_first.sum() else month_first
        order = "month first" if rare is month_first else "day first"
        raise refuse(int(rare.argmax()), f"{order}, unlike other rows; give one format with --time-format",
                     likely_time_format(sample))  # fmt: skip
    if not (day_first | month_first).any() and (one != two).any():
        row = int((one != two).argmax())
        raise refuse(row, "day or month first? say --time-format with %d/%m/%Y or %m/%d/%Y (and the time's codes)",
                     likely_time_format(sample))  # fmt: skip
    if month_first.any():
        return following, first, "month, day, year"
    return first, following, "day, month, year"


def _month_numbers(names: pa.ChunkedArray, refuse: Refuse) -> np.ndarray:
    """The number of each month by its English name."""
    keys = pa.array(list(_MONTH_NUMBERS))
    found = pc.index_in(pc.utf8_lower(names), value_set=keys)
    if found.null_count:
        row = int(numbers(pc.cast(pc.is_null(found), pa.uint8())).argmax())
        raise refuse(row, f"{names[row].as_py()!r} is not an English month; give other formats with --time-format")
    return np.array(list(_MONTH_NUMBERS.values()))[numbers(found)]


def _zones(parts: dict[str, pa.ChunkedArray], size: int, refuse: Refuse) -> np.ndarray:
    """The seconds of each row's zone east of UTC."""
    if "zone" not in parts:
        return np.zeros(size)
    coded = parts["zone"].combine_chunks().dictionary_encode()
    texts, codes = coded.dictionary.to_pylist(), numbers(coded.indices)
    if "" in texts and len(texts) > 1:
        without = codes == texts.index("")
        rare = without if without.sum() <= size / 2 else ~without
        raise refuse(int(rare.argmax()), "some times have a zone and some have none; expected the same in every row")
    return np.array([_zone_seconds(text) for text in texts])[codes]


def _zone_seconds(text: str) -> float:
    """The seconds of a zone such as +02:00 east of UTC; 0 for Z and for none."""
    if text in ("", "Z"):
        return 0.0
    digits = text[1:].replace(":", "")
    return (-1 if text[0] == "-" else 1) * (3_600.0 * int(digits[:2]) + 60 * int(digits[2:] or 0))


def _whole(column: pa.ChunkedArray) -> np.ndarray:
    """A column of digits as whole numbers."""
    return numbers(column.cast(pa.int64()))


def _number(column: pa.ChunkedArray) -> np.ndarray:
    """A column of numbers as float64; 0 for an empty text."""
    filled = pc.if_else(pc.equal(column, ""), "0", pc.replace_substring(column, ",", "."))
    return numbers(filled.cast(pa.float64()))
