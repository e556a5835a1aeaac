"""Encode raw ids as 0 … n − 1 in the order of the sorted ids, independent of the order of the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys_data.arrow import numbers, pa, pc, texts

_WIDE = 4  # the largest length of a lookup table, as a multiple of the column's
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1  # of an int64
_WHOLE = re.compile("0|-?[1-9][0-9]*")  # a whole number in its usual notation
_DESCENDING = str.maketrans("0123456789", "9876543210")


@dataclass(frozen=True, eq=False)
class EncodedColumn:
    """A column of ids: ``ids`` (n,) unique and in order, ``codes`` (E,) indices into them.

    ids: int64 for whole numbers that fit, else texts (numbers beyond int64 are texts in the order of the numbers).
    """

    ids: np.ndarray
    codes: np.ndarray

    @property
    def size(self) -> int:
        """The number of rows E."""
        return self.codes.size


def encode_ids(column: Any) -> EncodedColumn:
    """Encode a column: an array of numbers or texts, a pyarrow array (dictionary or plain), or an EncodedColumn.

    The rule of the order, whatever the type of the column: where every id is a whole number in its usual notation, of
    any size, numbers or texts, ids are ordered as numbers. Else all ids are texts, ordered by code point; so one id
    such as 007 or x9 makes a column of texts, in which 007 and 7 differ. The order, and with it the fingerprint, does
    not depend on how a file was read.
    """
    if isinstance(column, EncodedColumn):
        return column
    if isinstance(column, pa.ChunkedArray | pa.Array):
        return _encode_arrow(column)
    raw = np.asarray(column)
    if raw.dtype.kind in "iu" and raw.size:
        return _encode_numbers(raw)
    if raw.dtype.kind == "f" and isinstance(column, list | tuple) and all(isinstance(value, int) for value in column):
        raw = np.array(list(map(str, column)))  # negative numbers beside some that only a uint64 holds
    ids, codes = np.unique(raw.astype(str) if raw.dtype.kind == "O" else raw, return_inverse=True)
    return _as_numbers(ids, codes)


def _encode_numbers(raw: np.ndarray) -> EncodedColumn:
    """Encode whole numbers, by a lookup table where their range is small, else by sorting."""
    if not raw.size:
        return EncodedColumn(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    low, high = int(raw.min()), int(raw.max())
    if high > _LARGEST:  # of uint64
        ids, codes = np.unique(raw, return_inverse=True)
        return EncodedColumn(_objects(map(str, ids.tolist())), codes)
    if high - low > _WIDE * raw.size + (1 << 16):
        ids, codes = np.unique(raw, return_inverse=True)
        return EncodedColumn(ids.astype(np.int64), codes)
    shifted = raw.astype(np.int64 if raw.dtype.itemsize < 4 else raw.dtype, copy=False) - low  # an int8 may overflow
    present = np.zeros(high - low + 1, dtype=bool)
    present[shifted] = True
    places = np.cumsum(present, dtype=np.int32) - np.int32(1)
    return EncodedColumn(np.flatnonzero(present).astype(np.int64) + low, places[shifted])


def _encode_arrow(column: pa.ChunkedArray | pa.Array) -> EncodedColumn:
    """Encode a pyarrow column; the order of its dictionary is ignored."""
    whole = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    if pa.types.is_integer(whole.type):
        return _encode_numbers(numbers(whole))
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    whole = whole.unify_dictionaries()
    if whole.num_chunks == 0:
        return EncodedColumn(np.empty(0, dtype=str), np.empty(0, dtype=np.int64))
    entries = whole.chunk(0).dictionary
    indices = np.concatenate([numbers(chunk.indices) for chunk in whole.chunks])
    order = numbers(pc.sort_indices(entries)).astype(np.int64)  # by bytes of UTF-8, which is by code point
    used = np.zeros(len(entries), dtype=bool)
    used[indices] = True
    order = order[used[order]]
    places = np.zeros(len(entries), dtype=np.int32)
    places[order] = np.arange(len(order))
    return _as_numbers(texts(entries)[order], places[indices])


def _as_numbers(ids: np.ndarray, codes: np.ndarray) -> EncodedColumn:
    """The same column in the order of the numbers, where every text is a whole number in its usual notation."""
    if ids.dtype.kind not in "UO" or not ids.size:
        return EncodedColumn(ids, codes)
    texts = ids.tolist()
    if not all(map(_WHOLE.fullmatch, texts)):
        return EncodedColumn(ids, codes)
    if max(map(len, texts)) <= 20 and all(_SMALLEST <= int(text) <= _LARGEST for text in texts):
        ordered = ids.astype(np.int64)
        order = np.argsort(ordered, kind="stable")
        ordered = ordered[order]
    else:
        order = np.array(sorted(range(len(texts)), key=lambda place: _numeric_order(texts[place])))
        ordered = _objects(texts[place] for place in order.tolist())
    places = np.empty(len(order), dtype=np.int32)
    places[order] = np.arange(len(order))
    return EncodedColumn(ordered, places[codes])


def _numeric_order(text: str) -> tuple[bool, int, str]:
    """A key that orders whole numbers in their usual notation, without converting them: they may have any length."""
    if text.startswith("-"):
        return False, -len(text), text.translate(_DESCENDING)
    return True, len(text), text


def _objects(values: Iterable[str]) -> np.ndarray:
    """An object array of texts, so that a long text does not widen the others."""
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
