import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_data.vocabulary import EncodedColumn, encode_ids


def check(coded, expected_ids, expected_codes):
    assert coded.ids.tolist() == expected_ids and coded.codes.tolist() == expected_codes


@pytest.mark.parametrize("make", [np.array, list, pa.array, lambda v: pa.chunked_array([v[:2], v[2:]])])
def test_by_hand(make):
    check(encode_ids(make([30, 10, 30, 20])), [10, 20, 30], [2, 0, 2, 1])
    check(encode_ids(make(["b", "a", "b", "é"])), ["a", "b", "é"], [1, 0, 1, 2])
    check(encode_ids(make(["10", "9", "10", "-1"])), [-1, 9, 10], [2, 1, 2, 0])  # numbers, in the order of numbers
    check(encode_ids(make(["10", "09", "10", "7"])), ["09", "10", "7"], [1, 0, 1, 2])  # 09 is no number as written


def test_far_numbers_and_coded_columns():
    check(encode_ids(np.array([2**40, -5, 2**40])), [-5, 2**40], [1, 0, 1])
    coded = EncodedColumn(np.array([1, 2]), np.array([1, 0]))
    assert encode_ids(coded) is coded


BEYOND = [2**63 + 5, 3, 2**64 - 1, 2**63 - 1, 3]  # a uint64 holds all of them, an int64 only the small ones
IN_ORDER = (["3", str(2**63 - 1), str(2**63 + 5), str(2**64 - 1)], [2, 0, 3, 1, 0])


@pytest.mark.parametrize(
    "column",
    [
        BEYOND,
        np.array(BEYOND, np.uint64),
        pa.array(BEYOND, pa.uint64()),
        list(map(str, BEYOND)),
        pa.array(list(map(str, BEYOND))),
        pa.array(list(map(str, BEYOND)), pa.large_string()),
        pa.array(list(map(str, BEYOND))).dictionary_encode(),
    ],
    ids=["list", "numpy", "uint64", "texts", "string", "large_string", "dictionary"],
)
def test_numbers_beyond_int64_are_one_order(column):
    check(encode_ids(column), *IN_ORDER)


def test_numbers_of_any_size_and_sign():
    check(encode_ids([-1, 2**63]), ["-1", str(2**63)], [0, 1])
    check(encode_ids([-(2**63), 2**63 - 1]), [-(2**63), 2**63 - 1], [0, 1])
    check(encode_ids(["-" + "9" * 20, "-1" + "0" * 20, "5"]), ["-1" + "0" * 20, "-" + "9" * 20, "5"], [1, 0, 2])
    check(encode_ids(["9" * 5_000, "1"]), ["1", "9" * 5_000], [1, 0])  # beyond what Python converts
    # 18 and 19 digits: as texts the longer one would come first
    check(encode_ids(["9" * 18, "1" + "0" * 18]), [10**18 - 1, 10**18], [0, 1])
    check(encode_ids(pa.array([10**18 - 1, 10**18])), [10**18 - 1, 10**18], [0, 1])


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64])
def test_the_whole_range_of_each_type(kind):
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    wanted = [low, high] if high < 2**63 else [str(low), str(high)]
    check(encode_ids(np.array([high, low, high], kind)), wanted, [1, 0, 1])
    check(encode_ids(pa.array(np.array([high, low, high], kind))), wanted, [1, 0, 1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-(2**70), 2**70) | st.integers(2**63, 2**64 - 1), min_size=1, max_size=20))
def test_numbers_written_as_texts_are_in_numeric_order(numbers):
    coded = encode_ids(list(map(str, numbers)))
    assert list(map(str, coded.ids.tolist())) == list(map(str, sorted(set(numbers))))
    assert [str(coded.ids[code]) for code in coded.codes] == list(map(str, numbers))


def test_dictionary_entries_that_no_row_uses_are_no_ids():
    column = pa.DictionaryArray.from_arrays(pa.array([2, 0]), pa.array(["z", "unused", "a"]))
    check(encode_ids(column), ["a", "z"], [0, 1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=1, max_size=30))
def test_numpy_and_arrow_agree(words):
    words = [word.rstrip("\0") for word in words]  # numpy's texts cannot end in NUL
    plain, arrow = encode_ids(np.array(words)), encode_ids(pa.array(words, type=pa.string()))
    assert plain.ids.tolist() == arrow.ids.tolist() and plain.codes.tolist() == arrow.codes.tolist()
    assert [str(plain.ids[code]) for code in plain.codes] == words


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-50, 50), min_size=1, max_size=40))
def test_numbers_code_as_numpy_unique(numbers):
    ids, codes = np.unique(np.array(numbers), return_inverse=True)
    check(encode_ids(np.array(numbers)), ids.tolist(), codes.tolist())
