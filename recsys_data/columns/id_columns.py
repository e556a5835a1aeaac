"""Ids of a user's file in one form, so that the same ids from any container are equal.

The rule: blanks around an id do not count; words such as NA and the empty text stand for a missing id; a column in
which every id is a whole number, also one written with a fraction of zeros (7.0), holds numbers; any other column holds
texts, in which 007 and 7 differ. vocabulary.encode_ids orders numbers by size and texts by code point.
"""

from __future__ import annotations

from recsys_data.arrow import count_true, null_where, pa, pc, text_array

MISSING_WORDS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "NaT", "NULL", "Null", "null", "None",
                 "none", r"\N")  # fmt: skip
_EXACT = 2**53  # the largest float64 below which every whole number is one
_WHOLE = r"^(0|-?[1-9][0-9]*)$"
_WHOLE_AND_ZEROS = r"^(0|-?[1-9][0-9]*)\.0+$"
_EXPONENT = r"^-?[0-9](\.[0-9]+)?[eE]\+[0-9]+$"  # as spreadsheets shorten long numbers


def clean_ids(column: pa.ChunkedArray, role: str, owner: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Ids as whole numbers or as texts in a dictionary, null for a missing one, and what was changed, as sentences.

    ``owner``: the column, for messages. Raises ValueError for a type that no id has, for fractions, and for whole
    numbers that their type has rounded.
    """
    kind = column.type
    if pa.types.is_integer(kind):
        return column, []
    if pa.types.is_floating(kind):
        return _from_floats(column, owner), []
    if pa.types.is_decimal(kind):
        try:
            whole = pa.decimal256(76, 0) if pa.types.is_decimal256(kind) else pa.decimal128(38, 0)
            column = column.cast(whole).cast(pa.string())
        except pa.ArrowException as error:
            raise ValueError(f"{owner} holds fractions ({kind}); ids must be whole numbers or texts") from error
    elif pa.types.is_null(kind):
        column = column.cast(pa.string())
    elif not (pa.types.is_string(kind) or pa.types.is_dictionary(kind)):
        rows = ", one in each row" if pa.types.is_nested(kind) else ""
        raise ValueError(f"{owner} holds {kind}; ids must be whole numbers or texts{rows}")
    return _from_texts(column, role, owner)


def _from_floats(column: pa.ChunkedArray, owner: str) -> pa.ChunkedArray:
    """Whole numbers that pandas stored as floats, because some were missing; NaN is a missing id."""
    column = null_where(pc.is_nan(column), column)
    exact = _EXACT if pa.types.is_float64(column.type) else 2**24
    largest = pc.max(pc.abs(column)).as_py()
    if largest is not None and largest >= exact:
        value = column.filter(pc.greater_equal(pc.abs(column), exact))[0].as_py()
        raise ValueError(
            f"{owner} holds {value:.0f} as {column.type}, which is exact only below {exact:,}, so ids may have been "
            "rounded; save them as whole numbers or texts"
        )
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise ValueError(f"{owner} holds fractions; ids must be whole numbers or texts") from error


def _from_texts(column: pa.ChunkedArray, role: str, owner: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Texts without blanks around them; 7.0 as 7 where all are whole numbers."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return column, []
    chunks = column.unify_dictionaries().chunks
    entries, notes = chunks[0].dictionary, []
    texts = pc.utf8_trim_whitespace(entries)
    if blank := count_true(pc.not_equal(texts, entries)):
        notes.append(f"blanks around {blank:,} {role} ids left out")
    texts = null_where(pc.is_in(texts, value_set=text_array(MISSING_WORDS)), texts)
    given = len(texts) - texts.null_count
    zeros = count_true(pc.match_substring_regex(texts, _WHOLE_AND_ZEROS))
    whole = count_true(pc.match_substring_regex(texts, _WHOLE)) + zeros
    rounded = pc.match_substring_regex(texts, _EXPONENT)
    if (short := count_true(rounded)) and whole + short == given:
        value = texts.filter(rounded)[0].as_py()
        raise ValueError(
            f"{owner} holds {value!r}, a whole number that was shortened and has lost digits; export the ids as text"
        )
    if zeros and whole == given:
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
        notes.append(f"{role} ids such as 7.0 are read as whole numbers")
    merged = texts.dictionary_encode()  # entries may have become equal
    indices = [merged.indices.take(chunk.indices) for chunk in chunks]
    arrays = [pa.DictionaryArray.from_arrays(index, merged.dictionary) for index in indices]
    return pa.chunked_array(arrays), notes
