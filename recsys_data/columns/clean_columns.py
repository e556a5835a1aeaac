"""Clean the columns of a user's file: one form for ids, ratings and times, whatever type the container gave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recsys_data.arrow import count_true, null_where, numbers, pa, pc, text_array
from recsys_data.columns.id_columns import MISSING_WORDS, clean_ids
from recsys_data.columns.open_choice import OpenChoice, UnreadableValue

_IDS = ("user", "session", "item", "event", "part")
_MOST = 0.1  # of the events: the share that may be left out for an optional column
_SHOWN = 60  # characters of an id, which may have swallowed lines
_OPTIONAL = ("rating", "timestamp", "event")


def clean_columns(
    table: pa.Table, name_of: Callable[[str], str], place: Callable[[int], str], *, drop_missing: bool, where: str
) -> tuple[pa.Table, np.ndarray, tuple[str, ...]]:
    """Clean a table whose columns are named by role; return it, the rows that are left (from 0), and what was done.

    Ids become whole numbers or texts (see clean_ids), ratings float32; times stay numbers, texts or timestamps. Rows
    with a missing value are left out with ``drop_missing``, else refused. name_of: the column of a role; place: the
    name of a row. Raises ValueError that names the column and the type, or the row and the value, that cannot be read.
    """
    notes: list[str] = []
    cleaned = {}
    for role in table.column_names:
        owner = f"{where}: the {role} column {name_of(role)!r}"
        owner += " (left out by --columns event=)" if role == "event" else ""
        column = _plain(table[role], owner)
        if role in _IDS:
            column, said = clean_ids(column, role, owner)
            _refuse_line_breaks(column, role, owner, place)
            notes += said
        elif role == "rating":
            column, said = _ratings(column, owner, place)
            notes += said
        elif role == "timestamp":
            column = _times(column, owner)
        elif pa.types.is_floating(column.type):
            column = _nan_as_null(column)
        cleaned[role] = column
    absent = {role: numbers(pc.cast(pc.is_null(column), pa.uint8())) > 0
              for role, column in cleaned.items() if column.null_count}  # fmt: skip
    if not absent:
        return pa.table(cleaned), np.arange(len(table)), tuple(notes)
    some = np.logical_or.reduce(list(absent.values()))
    if not drop_missing or some.all():
        raise _missing(table, absent, some, place, where)
    counts = ", ".join(f"{int(mask.sum()):,} without {role}" for role, mask in absent.items())
    notes.append(f"{int(some.sum()):,} of {len(some):,} events left out because a value is missing ({counts})")
    return pa.table(cleaned).filter(pa.array(~some)), np.flatnonzero(~some), tuple(notes)


def _missing(
    table: pa.Table, absent: dict[str, np.ndarray], some: np.ndarray, place: Callable[[int], str], where: str
) -> ValueError:
    """The error for the first row with a missing value."""
    row = int(some.argmax())
    role = next(role for role, mask in absent.items() if mask[row])
    written = table[role][row].as_py()
    if isinstance(written, str) and written.strip():
        found = f"no {role}, since {written!r} stands for a missing value"
        found += "; rename an id that is really called so" if role in _IDS else "; fill it in"
    else:
        found = f"no {role}; fill it in or remove the row"
    without = f", or read the file without it (--columns {role}=)" if role in _OPTIONAL else ""
    counts = ", ".join(f"{other} in {int(mask.sum()):,}" for other, mask in absent.items())
    rest = ", and --drop-missing leaves them out" if not some.all() else ", so no event would be left"
    optional = [role for role in absent if role in _OPTIONAL and role != "timestamp"]
    if optional and some.mean() > _MOST:  # better without the column than without so many events
        answer: dict[str, Any] = {"columns": tuple(f"{role}=" for role in optional)}
    else:
        answer = {} if some.all() else {"drop_missing": True}
    lacking = f"{int(some.sum()):,} of {len(some):,} events {'lacks' if some.sum() == 1 else 'lack'} a value ({counts})"
    return OpenChoice(f"{where}: {place(row)} has {found}{without}; {lacking}{rest}", **answer)


def _plain(column: pa.ChunkedArray, owner: str) -> pa.ChunkedArray:
    """The column with a simple type: no wide, packed or wrapped form of it; texts and binary texts are strings."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = column.cast(kind.storage_type)
    elif pa.types.is_dictionary(kind):
        if pa.types.is_string(kind.value_type):
            return column
        column = column.cast(kind.value_type)
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        try:
            return column.cast(pa.binary()).cast(pa.string())
        except pa.ArrowException as error:
            raise ValueError(f"{owner} holds {kind} that is not text in UTF-8; write it as text or numbers") from error
    if pa.types.is_large_string(kind) or str(kind) in ("string_view", "binary_view"):
        return column.cast(pa.string())
    return column.cast(pa.float32()) if pa.types.is_float16(kind) else column


def _refuse_line_breaks(column: pa.ChunkedArray, role: str, owner: str, place: Callable[[int], str]) -> None:
    """Refuse ids with a line break inside, as a quote that nothing closes makes them of whole lines, or a NUL."""
    if not pa.types.is_dictionary(column.type) or not column.num_chunks:
        return
    entries = column.chunk(0).dictionary  # clean_ids gives all chunks the same
    broken = entries.filter(pc.match_substring_regex(entries, r"[\x00\r\n]"))  # drops missing ids
    if len(broken):
        row = pc.index(pc.is_in(column, value_set=broken), True).as_py()
        raise ValueError(
            f"{owner} holds {column[row].as_py()[:_SHOWN]!r} in {place(row)}; expected an id without a line break or "
            "NUL inside: close the quote that it begins with, or mend the id"
        )


def _times(column: pa.ChunkedArray, owner: str) -> pa.ChunkedArray:
    """Times as numbers, texts or timestamps of microseconds; ValueError for any other type."""
    kind = column.type
    if pa.types.is_null(kind):
        return column.cast(pa.float64())
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind):
        return _words_as_null(column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        finer = pa.types.is_timestamp(kind) and kind.unit == "ns"  # nanoseconds are cut off
        try:
            return column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=not finer)
        except pa.ArrowException as error:
            raise ValueError(f"{owner} holds {kind} with a time that cannot be read ({error})") from error
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _nan_as_null(column)
    reason = " without a date" if pa.types.is_time(kind) or pa.types.is_duration(kind) else ""
    raise ValueError(f"{owner} holds {kind}{reason}; expected timestamps, numbers since 1970 or dates as text")


def _ratings(
    column: pa.ChunkedArray, owner: str, place: Callable[[int], str]
) -> tuple[pa.ChunkedArray, tuple[str, ...]]:
    """Ratings as float32, and what was decided; ValueError for a text that is no number, or another type."""
    kind, notes = column.type, ()
    if pa.types.is_null(kind):
        return column.cast(pa.float32()), notes
    if pa.types.is_boolean(kind):
        return column.cast(pa.uint8()).cast(pa.float32()), ("ratings true and false are read as 1 and 0",)
    if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        column = _rating_texts(column, owner, place)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise ValueError(f"{owner} holds {kind}; expected numbers")
    column = _nan_as_null(column.cast(pa.float64(), safe=False).cast(pa.float32(), safe=False))
    if count_true(pc.is_inf(column)):
        row = pc.index(pc.is_inf(column), True).as_py()
        raise UnreadableValue(
            f"{owner} holds {column[row].as_py()} in {place(row)}; expected a finite number", "rating", row
        )
    return column, notes


def _rating_texts(column: pa.ChunkedArray, owner: str, place: Callable[[int], str]) -> pa.ChunkedArray:
    """Ratings given as texts, as numbers."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    coded = column.unify_dictionaries().combine_chunks()
    chunk = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    texts = _words_as_null(pa.chunked_array([chunk.dictionary]))
    try:
        entries = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        known = numbers(pc.cast(pc.fill_null(pc.match_substring_regex(texts, _NUMBER), True), pa.uint8())) > 0
        wrong = pc.is_in(chunk, value_set=chunk.dictionary.filter(pa.array(~known)))
        row = pc.index(wrong, True).as_py()
        value = chunk[max(row, 0)].as_py()
        raise UnreadableValue(
            f"{owner} holds {value!r} in {place(max(row, 0))}; expected a number", "rating", max(row, 0)
        ) from None
    return pa.chunked_array([entries.combine_chunks().take(chunk.indices)])


_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def _words_as_null(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts without blanks around them, null for those that stand for a missing value."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return null_where(pc.is_in(trimmed, value_set=text_array(MISSING_WORDS)), trimmed)


def _nan_as_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Null for numbers that are not a number, as pandas writes missing ones."""
    if not pa.types.is_floating(column.type):
        return column
    return null_where(pc.is_nan(column), column)
