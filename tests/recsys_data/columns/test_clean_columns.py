"""Ratings and times of every type that Parquet has: read, or refused in one sentence."""

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys_data.files.interaction_file import InteractionFile

NOON = datetime.datetime(2020, 9, 13, 12, tzinfo=datetime.UTC)
SECONDS = NOON.timestamp()


def load(tmp_path, **columns):
    size = len(next(iter(columns.values())))
    pq.write_table(pa.table({"user": [1] * size, "item": list(range(size)), **columns}), tmp_path / "t.parquet")
    return InteractionFile(str(tmp_path / "t.parquet")).load()


@pytest.mark.parametrize(
    ("column", "ratings"),
    [
        (["5", " 3.5 "], [5.0, 3.5]),
        (pa.array(["5", "4"]).dictionary_encode(), [5.0, 4.0]),
        (pa.array([5, 4], pa.int8()), [5.0, 4.0]),
        (pa.array([5, 4]).dictionary_encode(), [5.0, 4.0]),
        ([decimal.Decimal("3.50"), decimal.Decimal(4)], [3.5, 4.0]),
        ([b"5", b"4"], [5.0, 4.0]),
        ([True, False], [1.0, 0.0]),
    ],
)
def test_ratings_of_any_type(tmp_path, column, ratings):
    data = load(tmp_path, rating=column)
    assert data.ratings.tolist() == ratings
    assert ("ratings true and false are read as 1 and 0" in data.edition) == (column == [True, False])


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (["5", "x"], "holds 'x' in row 2; expected a number"),
        (["5", "1,5"], "holds '1,5' in row 2; expected a number"),
        ([[5], [4]], "holds list<.*>; expected numbers"),
        (pa.array([5, 4], pa.duration("s")), r"holds duration\[s\]; expected numbers"),
        ([5.0, float("inf")], "holds inf in row 2; expected a finite number"),
    ],
)
def test_other_ratings_are_refused(tmp_path, column, sentence):
    with pytest.raises(ValueError, match=f"t.parquet: the rating column 'rating' {sentence}"):
        load(tmp_path, rating=column)


def test_a_rating_that_is_no_number_in_a_text_file(tmp_path):
    (tmp_path / "r.csv").write_text("user,item,rating\n1,2,5\n1,3,good\n")
    with pytest.raises(ValueError, match="r.csv: the rating column 'rating' holds 'good' in line 3; expected a number"):
        InteractionFile(str(tmp_path / "r.csv")).load()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON], pa.timestamp("s", "UTC")),
        pa.array([NOON], pa.timestamp("us", "Europe/Berlin")),
        pa.array([NOON.replace(tzinfo=None)], pa.timestamp("ms")),
        pa.array([int(SECONDS * 1e9) + 1], pa.timestamp("ns")),  # the nanosecond is cut off
        pa.array([NOON.replace(tzinfo=None)], pa.timestamp("ms")).dictionary_encode(),
        pa.array([decimal.Decimal(int(SECONDS))]),
        pa.array([int(SECONDS)], pa.uint32()),
        pa.array([b"2020-09-13T12:00:00Z"]),
        pa.array(["2020-09-13 12:00:00"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_times_of_any_type(tmp_path, column):
    assert load(tmp_path, timestamp=column).timestamps.tolist() == [SECONDS]


def test_dates_are_midnights(tmp_path):
    for kind in (pa.date32(), pa.date64()):
        data = load(tmp_path, timestamp=pa.array([datetime.date(2020, 9, 13)], kind))
        assert data.timestamps.tolist() == [SECONDS - 43_200]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (pa.array([5], pa.time32("ms")), r"holds time32\[ms\] without a date; expected timestamps, numbers"),
        (pa.array([5], pa.time64("ns")), r"holds time64\[ns\] without a date"),
        (pa.array([5], pa.duration("ms")), r"holds duration\[ms\] without a date"),
        (pa.array([True]), "holds bool; expected timestamps"),
        (pa.array([[5]]), "holds list<.*>; expected timestamps"),
        (pa.array([2**62], pa.timestamp("ms")), r"holds timestamp\[ms\] with a time that cannot be read"),
    ],
)
def test_other_times_are_refused(tmp_path, column, sentence):
    with pytest.raises(ValueError, match=f"t.parquet: the timestamp column 'timestamp' {sentence}"):
        load(tmp_path, timestamp=column)
