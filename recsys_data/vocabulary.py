"""Encode raw ids as 0 … n − 1 in the order of the sorted ids, independent of the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys_data.arrow import numbers, texts

_WIDE = 4  # the largest length of a lookup table, as a multiple of the column's


@dataclass(frozen=True, eq=False)
class EncodedColumn:
    """A column of ids: ``ids`` (n,) sorted and unique, ``codes`` (E,) indices into them."""

    ids: np.ndarray
    codes: np.ndarray

    @property
    def size(self) -> int:
        """The number of rows E."""
        return self.codes.size


def encode_ids(column: Any) -> EncodedColumn:
    """Encode a column: an array of numbers or texts, a pyarrow array (dictionary or plain), or an EncodedColumn.

    Ids that are all whole numbers become numbers even if given as texts (unless one is written differently, such as
    007), so the order, and with it the fingerprint, does not depend on how a file was read.
    """
    if isinstance(column, EncodedColumn):
        return column
    if isinstance(column, pa.ChunkedArray | pa.Array):
        return _encode_arrow(column)
    raw = np.asarray(column)
    if raw.dtype.kind in "iu" and raw.size:
        return _encode_numbers(raw)
    ids, codes = np.unique(raw.astype(str) if raw.dtype.kind == "O" else raw, return_inverse=True)
    return _as_numbers(ids, codes)


def _encode_numbers(raw: np.ndarray) -> EncodedColumn:
    """Encode whole numbers, by a lookup table where their range is small, else by sorting."""
    low, high = int(raw.min()), int(raw.max())
    if high - low > _WIDE * raw.size + (1 << 16):
        ids, codes = np.unique(raw, return_inverse=True)
        return EncodedColumn(ids.astype(np.int64), codes)
    shifted = raw - low
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
    """The same column with integer ids, where every text is a whole number in its usual notation."""
    if ids.dtype.kind not in "UO" or not ids.size:
        return EncodedColumn(ids, codes)
    texts = ids.tolist()
    if not all(text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 19 for text in texts):
        return EncodedColumn(ids, codes)
    numbers = ids.astype(np.int64)
    if [str(number) for number in numbers.tolist()] != texts:
        return EncodedColumn(ids, codes)
    order = np.argsort(numbers, kind="stable")
    places = np.empty(len(order), dtype=np.int32)
    places[order] = np.arange(len(order))
    return EncodedColumn(numbers[order], places[codes])
