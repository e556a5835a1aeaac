"""Files that fuzzing found: each is read, or refused in one sentence with its path and what was expected."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys_data.datasets.amazon.reviews import AmazonReviews
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.ragged import read_ragged
from recsys_data.files.sequence_files import SequenceFiles
from recsys_data.files.time_lstm_files import GAPS, ITEMS, SINCE, LstFiles
from recsys_data.interactions import Clock, Interactions
from recsys_data.vocabulary import encode_ids


def _file(tmp_path, data, **options):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    return InteractionFile(str(path), **options)


def test_a_carriage_return_alone_ends_a_line_among_other_ends(tmp_path):
    plain = _file(tmp_path, b"user,item\n1,10\n2,11\n3,12\n").load()
    for ends in (b"user,item\r1,10\n2,11\r\n3,12\r", b"user,item\r\n1,10\r\r\n2,11\n\r3,12"):
        assert _file(tmp_path, ends).load().fingerprint == plain.fingerprint


@pytest.mark.parametrize("encoding", ["rot13", "hex", "undefined", "\0", "nonsense"])
def test_an_encoding_that_is_not_of_texts_is_refused(tmp_path, encoding):
    said = f"{tmp_path / 'a.csv'}: unknown encoding {encoding!r}; say such as utf-8"
    with pytest.raises(ValueError, match=re.escape(said)):
        _file(tmp_path, b"user,item\n1,10\n", encoding=encoding).load()


def test_half_of_a_surrogate_pair_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.csv: read as unicode_escape it holds '\\ud800', which is no character"):
        _file(tmp_path, b"user,item\n1,\\ud800\n", encoding="unicode_escape").load()


@pytest.mark.parametrize("data", [b'user,item\n1,"' + b"x" * 200_000, b'"a" "b"\n"1" "' + b"x\n" * 100_000])
def test_a_quote_that_nothing_closes_is_refused(tmp_path, data):
    with pytest.raises(ValueError, match=r"a\.csv: .*(expected|name)"):
        _file(tmp_path, data).load()


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize(("wrong", "shown"), [
    (b'5,"x9,11\n5,"x8,12\n', r"'x9,11\\n5,x8' in line 52"),  # two quotes that nothing closes take a line between them
    (b"5,x\x009,11\n", r"'x\\x009' in line 52"),
])  # fmt: skip
def test_an_id_with_a_line_break_or_nul_inside_is_refused(tmp_path, wrong, shown, drop):
    rows = b"".join(b"%d,x%d,%d\n" % (n % 9, n, n) for n in range(50))
    file = _file(tmp_path, b"user,item,timestamp\n" + rows + wrong + rows, drop_unreadable=drop, clock="relative")
    with pytest.raises(ValueError, match=rf"a\.csv: the item column 'item' holds {shown}; expected an id without"):
        file.load()


def test_the_lines_that_an_open_quote_takes_are_all_counted(tmp_path):
    rows = b"".join(b"%d,x%d,%d\n" % (n % 9, n, n) for n in range(100))
    for before, taken in ((40, 61), (95, 6)):
        lines = rows.splitlines(keepends=True)
        data = b"user,item,timestamp\n" + b"".join(lines[:before]) + b'5,"x9,11\n' + b"".join(lines[before:])
        file = _file(tmp_path, data, drop_unreadable=True, clock="relative")
        if taken > 10:
            said = f"{taken} of 101 lines do not have 3 fields, most of them in a row with a quote that nothing closes"
            with pytest.raises(ValueError, match=said):
                file.load()
        else:
            interactions, reading = file.read()
            assert len(interactions) == 101 - taken
            assert reading.notes[0] == f"lines left out because they have too few or too many fields: {taken}"


def test_a_wrong_line_below_a_long_quote_is_named(tmp_path):
    rows = b"".join(b"%d,%d\n" % (n, n) for n in range(400))
    with pytest.raises(ValueError, match=r"a\.csv: (row|line) \d+.*expected"):
        _file(tmp_path, b"user,item\n" + rows + b'5,"' + b"y" * 200_000 + b'",7\n').load()


def test_names_of_columns_are_shown_on_one_line_and_shortened(tmp_path):
    with pytest.raises(ValueError) as caught:
        _file(tmp_path, b'"a\nb",' + b"c" * 5000 + b"\n1,2\n").load()
    assert r"2 columns found: a\nb, " + "c" * 59 + "…;" in str(caught.value)


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.float64()])
def test_a_table_without_rows_is_refused(tmp_path, kind):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: pa.array([], kind) for name in ("user", "item", "timestamp")}), path)
    with pytest.raises(ValueError, match="a: no events; expected at least one"):
        InteractionFile(str(path)).load()
    assert encode_ids(pa.array([], kind)).size == 0


def test_numbers_beyond_53_bits_are_times_and_ratings_to_the_nearest(tmp_path):
    path = tmp_path / "a.parquet"
    times = np.array([1_600_000_000_123_456_789, 1_600_000_001_000_000_001])
    columns = {"user": [1, 2], "item": [1, 2], "timestamp": times, "rating": np.array([2**63 + 1, 3], np.uint64)}
    pq.write_table(pa.table(columns), path)
    loaded = InteractionFile(str(path)).load()
    assert loaded.timestamps.tolist() == pytest.approx([1_600_000_000.123456789, 1_600_000_001.000000001], abs=1e-6)
    assert loaded.ratings.tolist() == [2.0**63, 3.0]


@pytest.mark.parametrize("rating", [1e200, float("inf"), float("nan")])
def test_a_rating_that_single_precision_cannot_hold_is_refused(rating):
    with pytest.raises(ValueError, match=f"x: the rating of event 1 is {re.escape(str(rating))}; expected"):
        Interactions.from_events("x", [1, 2], [1, 2], None, clock=Clock.WITHIN, ratings=[1.0, rating])


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path):
    (tmp_path / "train_set_sequences").write_bytes(b"0 1 5\n1 \xff 3\n")
    said = rf"{tmp_path}/train_set_sequences: line 2 holds the byte 0xff, which is not UTF-8; save the file as UTF-8"
    with pytest.raises(ValueError, match=said):
        SequenceFiles(str(tmp_path)).load()
    for name, data in ((ITEMS, b"u,1 2\n"), (GAPS, b"u,5 0\n"), (SINCE, b"u,0 5\n\xc3")):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{SINCE}: line 2 holds the byte 0xc3, which is not UTF-8"):
        LstFiles(str(tmp_path)).load()
    (tmp_path / SINCE).write_bytes(b"u,0 x\n")
    with pytest.raises(ValueError, match=r"line 1 of the \*\.lst files, user u: not a number \(holds 'x'\); expected"):
        LstFiles(str(tmp_path)).load()


def test_a_review_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "amazon" / "reviews_Beauty_5.json"
    path.parent.mkdir()
    path.write_bytes(b'{"reviewerID": "A", "asin": "\xff", "overall": 1.0, "unixReviewTime": 978300000}\n')
    with pytest.raises(ValueError, match=rf"{path}: cannot be read as one JSON review per line \(.*Invalid UTF8"):
        AmazonReviews("Beauty").load(tmp_path)


@pytest.mark.parametrize("data", [b"1\t2 3\n4\n", b"1 2\v3\n4\n", b"1 2 3\r4", b"1 2 3\r\n4\r\n", b"1\f2 3 \n4"])
def test_what_numpy_skips_separates_numbers_and_a_carriage_return_lines(data):
    values, lengths = read_ragged(data, "x")
    assert (values.tolist(), lengths.tolist()) == ([1, 2, 3, 4], [3, 1])


@pytest.mark.parametrize("offset", ["99999999999999999", "-9223372036854775808", "1e30"])
def test_an_offset_that_leads_out_of_the_calendar_is_refused(tmp_path, offset):
    rows = f"1;NA;10;5000;2020-01-01\n1;NA;11;{offset};2020-01-01\n"
    with pytest.raises(ValueError, match=r"a\.csv: line 3, column 'timeframe' has .*; expected milliseconds since"):
        _file(tmp_path, f"session_id;user_id;item_id;timeframe;eventdate\n{rows}".encode()).load()


def test_a_time_beyond_the_years_of_python_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        times = pa.array([0, 10**18], kind)
        pq.write_table(pa.table({"user": [1, 1], "item": [1, 2], "timestamp": times}), path)
        with pytest.raises(ValueError, match="row 2, column 'timestamp' has the time '.*outside 1970 to 2100"):
            InteractionFile(str(path)).load()


def test_a_column_that_may_hold_times_is_named_on_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"say --columns timestamp=a\\nb to use it") as caught:
        _file(tmp_path, b'user,item,"a\nb"\n1,10,978300000\n2,11,978300007\n').load()
    assert "\n" not in str(caught.value)
