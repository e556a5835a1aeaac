"""Formats of dates in the codes of strptime, for a proposal that the user confirms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

_DATES = {  # by their shapes
    r"9{1,2}/9{1,2}/9999": ("%d/%m/%Y", "%m/%d/%Y"),
    r"9999/9{1,2}/9{1,2}": ("%Y/%m/%d",),
    r"9{1,2}/9{1,2}/99": ("%d/%m/%y", "%m/%d/%y", "%y/%m/%d"),
    r"9{1,2}/[A-Za-z]+/99": ("%d/%b/%y",),
    r"9{1,2}/[A-Za-z]+/9999": ("%d/%b/%Y",),
}


def time_format_error(pattern: str) -> str:
    """The fault of a format as strptime finds it; "" for one that it can read."""
    try:
        datetime.strptime("", pattern)
    except re.error:
        return "it has a code twice"
    except ValueError as error:
        return "" if "does not match format" in str(error) else str(error)
    return ""


def likely_time_format(values: Sequence[str]) -> str:
    """The format of strptime that reads most of the values, the day before the month where both do; else nothing."""
    texts = [value.strip() for value in values if value.strip()]
    shapes = Counter(re.sub(r"\d", "9", text) for text in texts)
    if not shapes:
        return ""
    usual = shapes.most_common(1)[0][0]
    found = re.match(r"9+([-/. ])(?:9+|[A-Za-z]+)\1(?:9{1,4})", usual)
    if found is None:
        return ""
    date, clock = found[0].replace(found[1], "/"), _clock(usual[found.end() :])
    dates = next((dates for shape, dates in _DATES.items() if re.fullmatch(shape, date)), ())
    formats = [each for date in dates if not time_format_error(each := date.replace("/", found[1]) + clock)]
    hits = {each: sum(_fits(text, each) for text in texts) for each in formats}
    best = max(hits, key=lambda each: hits[each], default="")
    return best if best and 2 * hits[best] > len(texts) else ""


def _clock(shape: str) -> str:
    """The codes of a time of day of this shape, such as " 99:99 PM", with what stands before it."""
    halves = bool(re.search(r"[AaPp][Mm]$", shape))
    codes = ["%I" if halves else "%H", "%M", "%S"]
    shape = re.sub(r"9{1,2}", lambda _: codes.pop(0) if codes else "%f", re.sub(r"\.9+", ".9", shape))
    return re.sub(r"[AaPp][Mm]$", "%p", shape)


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True
