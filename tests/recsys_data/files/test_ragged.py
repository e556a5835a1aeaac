import numpy as np
import pytest

from recsys_data.files.ragged import read_ragged


@pytest.mark.parametrize(
    ("data", "values", "lengths"),
    [
        (b"1 2 3\n4\n", [1, 2, 3, 4], [3, 1]),
        (b"1 2 3\n4", [1, 2, 3, 4], [3, 1]),  # no end of line at the end
        (b"1 2\r\n3\r\n", [1, 2, 3], [2, 1]),
        (b"1  2\n\n 3 \n", [1, 2, 3], [2, 0, 1]),  # doubled blanks, an empty line, blanks at the edges
    ],
)
def test_lines_by_hand(data, values, lengths):
    got = read_ragged(data, "f")
    assert got[0].tolist() == values and got[1].tolist() == lengths


def test_other_separators():
    values, lengths = read_ragged(b"1 2\t3\n4,5\n", "f", b" \t,")
    assert values.tolist() == [1, 2, 3, 4, 5] and lengths.tolist() == [3, 2]
    values, _ = read_ragged(b"1,2\n", "f", b",")
    assert values.tolist() == [1, 2]


@pytest.mark.parametrize(("data", "line", "token"), [(b"1 2\n3 b 4\n", 2, "b"), (b"1.5 2\n", 1, "1.5")])
def test_other_text_names_its_line(data, line, token):
    with pytest.raises(ValueError, match=f"f: line {line} holds '{token}'; expected whole numbers only"):
        read_ragged(data, "f")


@pytest.mark.parametrize("token", [2**63, -(2**63) - 1, 2**64 + 5, 10**40])
def test_numbers_beyond_64_bits_name_their_line(token):
    with pytest.raises(ValueError, match=f"f: line 2 holds '{token}', beyond 64 bits"):
        read_ragged(b"1 2\n3 %d 4\n" % token, "f")


def test_large_numbers_are_exact():
    ends = read_ragged(b"%d %d\n" % (2**63 - 1, -(2**63)), "f")[0]
    assert ends.tolist() == [2**63 - 1, -(2**63)]
    assert read_ragged(b"9007199254740993\n", "f")[0].tolist() == [2**53 + 1]
    assert read_ragged(b"1\n", "f")[0].dtype == np.int64
