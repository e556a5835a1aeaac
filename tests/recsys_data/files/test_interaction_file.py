import lzma

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_data.columns.id_columns import MISSING_WORDS
from recsys_data.columns.times import to_seconds
from recsys_data.datasets.dataset import Dataset
from recsys_data.fetching.errors import DataMissing
from recsys_data.files.export import FILES, export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.interactions import Clock, Interactions


def put(folder, name, text):
    path = folder / name
    path.write_text(text)
    return str(path)


def rows(data):
    """Every event as (user, item, time)."""
    return list(zip(data.user_ids[data.users].tolist(), data.item_ids[data.items].tolist(), data.timestamps.tolist(),
                    strict=True))  # fmt: skip


EXPECTED = [(1, 20, 5.0), (1, 10, 7.0), (2, 20, 3.0)]
COLUMNS = ("user", "item", "rating", "timestamp")


@pytest.mark.parametrize(
    ("text", "fields", "said"),
    [
        ("1::10::4::7\n1::20::3.5::5\n2::20::1::3\n", {"columns": COLUMNS}, "separator '::', without header"),
        ("1\t10\t4\t7\n1\t20\t3\t5\n2\t20\t1\t3\n", {"columns": COLUMNS}, "separator tab, without header"),
        ("1 10 4 7\n1 20 3 5\n2 20 1 3", {"columns": COLUMNS}, "separator blank, without header"),
        ("u,i,r,t\n1,10,4,7\n1,20,3,5\n2,20,1,3\n", {"columns": COLUMNS}, "separator ,, with header"),
        ("user;item;timestamp\n1;10;7\n1;20;5\n2;20;3\n", {}, "separator ;, with header"),
        ("x|1|10|7\nx|1|20|5\nx|2|20|3\n", {"columns": ("", "user", "item", "timestamp")}, "separator |"),
        (
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t4\t7\n1\t20\t3\t5\n2\t20\t1\t3\n",
            {},
            "separator tab, with header",
        ),
        (
            "timestamp,visitor,event,what\n7,1,view,10\n5,1,view,20\n3,2,view,20\n",
            {"columns": ("user=visitor", "item=what", "timestamp=timestamp")},
            "separator ,, with header",
        ),
    ],
)
def test_text_files_by_hand(tmp_path, text, fields, said):
    dataset = InteractionFile(put(tmp_path, "mine.txt", text), **fields)
    data = dataset.load()
    assert rows(data) == EXPECTED and said in data.edition and "times in seconds" in data.edition
    assert isinstance(dataset, Dataset) and dataset.name == data.name == "mine"
    assert data.clock is Clock.ABSOLUTE and data.unit == "user"


def test_sessions_and_files_without_times(tmp_path):
    data = InteractionFile(put(tmp_path, "s.tsv", "SessionId\tItemId\tTime\n5\t7\t1.5\n5\t8\t1.25\n")).load()
    assert data.unit == "session" and rows(data) == [(5, 8, 1.25), (5, 7, 1.5)]
    data = InteractionFile(put(tmp_path, "o.txt", "a x\na y\nb x\n"), columns=("user", "item")).load()
    assert data.clock is Clock.WITHIN and rows(data) == [("a", "x", 0), ("a", "y", 1), ("b", "x", 0)]


def test_a_header_of_unknown_names_is_no_event(tmp_path):
    data = InteractionFile(put(tmp_path, "h.csv", "uid,iid\n1,20\n1,10\n"), columns=("user", "item")).load()
    assert rows(data) == [(1, 20, 0), (1, 10, 1)]
    data = InteractionFile(put(tmp_path, "n.csv", "ann,20\nbob,10\n"), columns=("user", "item")).load()
    assert rows(data) == [("ann", 20, 0), ("bob", 10, 0)]


def test_dates_are_times_and_no_row_order_is_taken_instead(tmp_path):
    text = "user,item,date\n1,10,1970-01-03\n1,20,1970-01-02\n"
    data = InteractionFile(put(tmp_path, "d.csv", text)).load()
    assert rows(data) == [(1, 20, 86_400.0), (1, 10, 172_800.0)] and data.clock is Clock.ABSOLUTE
    both = InteractionFile(put(tmp_path, "b.csv", "user,item,timestamp,date\n1,10,7,1970-01-03\n")).load()
    assert rows(both) == [(1, 10, 7.0)]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    data = InteractionFile(put(tmp_path, "excel.csv", "\ufeffuser,item,timestamp\n1,20,5\n")).load()
    assert rows(data) == [(1, 20, 5.0)]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"user": ["a", None], "item": [1, 2], "timestamp": [1.0, 2.0]}, "row 2 has no user; fill it in"),
        ({"user": [1, 1], "item": ["x", ""], "timestamp": [1.0, 2.0]}, "row 2 has no item"),
        ({"user": [1, 1], "item": [1, 2], "timestamp": [None, 2.0]}, "row 1 has no timestamp"),
        ({"user": [1, 1], "item": [1, 2], "rating": [3.0, None]}, "row 2 has no rating"),
        ({"user": [1.0, 1.5], "item": [1, 2]}, "the user column 'user' holds fractions"),
    ],
)
def test_gaps_in_a_file_are_refused(tmp_path, columns, sentence):
    pq.write_table(pa.table(columns), tmp_path / "gaps.parquet")
    with pytest.raises(ValueError, match=f"gaps.parquet: {sentence}"):
        InteractionFile(str(tmp_path / "gaps.parquet")).load()


def test_an_empty_id_in_a_text_is_refused(tmp_path):
    with pytest.raises(ValueError, match="e.csv: line 3 has no item; fill it in or remove the row"):
        InteractionFile(put(tmp_path, "e.csv", "user,item,timestamp\n1,2,3\n1,,4\n")).load()


def test_what_pandas_makes_of_ids_and_times_is_read(tmp_path):
    times = pa.array([5_000_000_001, 7_000_000_000], pa.timestamp("ns"))  # the last nanosecond is cut off
    pq.write_table(pa.table({"user": [1.0, 1.0], "item": [20.0, 10.0], "timestamp": times}), tmp_path / "f.parquet")
    assert rows(InteractionFile(str(tmp_path / "f.parquet")).load()) == [(1, 20, 5.0), (1, 10, 7.0)]


def test_quotes_and_compression(tmp_path):
    path = tmp_path / "q.csv.xz"
    path.write_bytes(lzma.compress(b'user,item\n"Smith, J.","a ""b"""\nX,y\n'))
    data = InteractionFile(str(path)).load()
    assert rows(data) == [("Smith, J.", 'a "b"', 0), ("X", "y", 0)]


def test_parquet_columns_by_name(tmp_path):
    path = tmp_path / "p.parquet"
    table = {"when": pa.array([7, 5, 3], pa.timestamp("s")), "visitorid": [1, 1, 2], "itemid": [10, 20, 20]}
    pq.write_table(pa.table(table), path)
    data = InteractionFile(str(path), columns=("user=visitorid", "item=itemid", "timestamp=when")).load()
    assert rows(data) == EXPECTED
    with pytest.raises(ValueError, match="no column 'visitor' for the user; 3 columns found: when, visitorid, itemid"):
        InteractionFile(str(path), columns=("user=visitor", "item=itemid")).load()
    with pytest.raises(ValueError, match="the columns of the user"):
        InteractionFile(str(path)).load()


@pytest.mark.parametrize(
    ("times", "kind"),
    [
        (["1241478537", "1241478538"], "seconds"),
        (["1241478537000", "1241478538000"], "milliseconds"),
        (["1241478537000000", "1241478538000000"], "microseconds"),
        (["1241478537000000000", "1241478538000000000"], "nanoseconds"),
        (["2009-05-04T23:08:57Z", "2009-05-04T23:08:58Z"], "ISO 8601"),
        (["2009-05-04 23:08:57", "2009-05-04 23:08:58"], "ISO 8601"),
        (["2009-05-05T01:08:57+02:00", "2009-05-04T23:08:58+00:00"], "ISO 8601"),
    ],
)
def test_times_are_recognised(times, kind):
    seconds, found = to_seconds(pa.chunked_array([times]), "f")
    assert (seconds.tolist(), found) == ([1241478537.0, 1241478538.0], kind)


def test_fractions_of_a_second_survive():
    seconds, _ = to_seconds(pa.chunked_array([["2014-04-07T10:51:09.277Z"]]), "f")
    assert seconds.tolist() == [1396867869.277]


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (
            ["2009-05-04T23:08:57Z", "yesterday"],
            "f: event 2 has the time 'yesterday'; expected seconds, milliseconds or",
        ),
        (
            ["2009-05-04T23:08:57Z", "2009-05-04T23:08:57"],
            "f: event 2 has the time '2009-05-04T23:08:57'; some times have a zone and some have none",
        ),
    ],
)
def test_other_times_are_refused(times, sentence):
    with pytest.raises(ValueError, match=sentence):
        to_seconds(pa.chunked_array([times]), "f")


@pytest.mark.parametrize(
    ("text", "fields", "sentence"),
    [
        (
            "a,b,c\n1,2,3\n",
            {},
            "3 columns found: a, b, c; name them with data import --columns, such as user,item,rating,timestamp",
        ),
        ("1,2,3\n", {"columns": ("user", "item")}, r"2 columns named \(user, item\) but 3 columns found: 1, 2, 3"),
        ("12\n13\n", {}, "no separator splits its lines into columns; the first line is '12'; name the separator"),
        ("", {}, "is empty; expected one event per line"),
        (
            "1\t2\t3\n1\t2\n",
            {"columns": ("user", "item", "rating"), "separator": "\t"},
            "row 2, column rating is missing",
        ),
        ("1,2\n3,4\n", {"columns": ("user", "item"), "separator": ";"}, "2 columns named .* but 1 columns found: 1,2"),
    ],
)
def test_wrong_files_get_one_sentence(tmp_path, text, fields, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        InteractionFile(put(tmp_path, "bad.txt", text), **fields).load()
    assert "\n" not in str(caught.value) and "bad.txt" in str(caught.value)


def test_wrong_fields_and_missing_files(tmp_path):
    with pytest.raises(
        ValueError, match="columns must be of user, session, item, rating, timestamp, event, part or empty, got 'who'"
    ):
        InteractionFile("x.csv", columns=("who",))
    with pytest.raises(ValueError, match="clock must be one of absolute, relative"):
        InteractionFile("x.csv", clock="fast")
    missing = InteractionFile(str(tmp_path / "none.csv"))
    assert not missing.present(None)
    with pytest.raises(DataMissing, match="no file at .*none.csv"):
        missing.load()


def test_clocks_are_given_by_hand_where_times_are_not_unix_times(tmp_path):
    data = InteractionFile(put(tmp_path, "g.tsv", "1\t2\t0\n1\t3\t5\n"), columns=("user", "item", "timestamp"),
                           clock="relative").load()  # fmt: skip
    assert data.clock is Clock.RELATIVE


MISSING = {str(word).lower() for word in MISSING_WORDS}
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=6).filter(
    lambda text: text.lower() not in MISSING  # such an id is refused, which has tests of its own
)
IDS = st.lists(TEXTS, min_size=1, max_size=4) | st.lists(st.integers(-5, 2**40), min_size=1, max_size=4)
SECONDS = st.floats(0, 4e9, allow_nan=False) | st.integers(0, 4_000_000_000).map(float)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_round_trip_keeps_the_fingerprint(tmp_path_factory, data):
    draw = data.draw
    users, items = draw(IDS), draw(IDS)
    size = draw(st.integers(1, 12))
    pick = st.lists(st.sampled_from(range(4)), min_size=size, max_size=size)
    timed = draw(st.booleans())
    owners = np.array([users[k % len(users)] for k in draw(pick)])
    parts = {owner: draw(st.integers(0, 2)) for owner in dict.fromkeys(owners.tolist())}
    made = Interactions.from_events(
        "made",
        owners,
        np.array([items[k % len(items)] for k in draw(pick)]),
        draw(st.lists(SECONDS, min_size=size, max_size=size)) if timed else None,
        clock=Clock.ABSOLUTE if timed else Clock.WITHIN,
        ratings=draw(st.none() | st.lists(st.floats(0.5, 5, width=32), min_size=size, max_size=size)),
        unit=draw(st.sampled_from(["user", "session"])),
        parts=draw(st.none() | st.just([parts[owner] for owner in owners.tolist()])),
        event_types=draw(st.none() | st.lists(st.sampled_from(["view", "buy", "7"]), min_size=size, max_size=size)),
    )
    folder = tmp_path_factory.mktemp("round")
    for kind in FILES:
        if (kind == "inter" and made.unit == "session") or (
            kind == "sessions" and (made.unit == "user" or made.ratings is not None)
        ):
            continue  # these two formats cannot say so
        try:
            path = export_interactions(made, folder / f"made.{kind}", kind)
        except ValueError as refusal:
            assert kind not in ("csv", "parquet") and "a tab-separated file cannot hold" in str(refusal)
            continue
        again = InteractionFile(
            str(path), separator=None if kind == "parquet" else "," if kind == "csv" else "\t"
        ).load()
        assert again.fingerprint == made.fingerprint, kind


def test_parts_are_a_column_that_users_may_name_too(tmp_path):
    (tmp_path / "mine.csv").write_text("u,i,set\na,x,train\na,y,train\nb,x,test\n")
    mine = InteractionFile(str(tmp_path / "mine.csv"), ("user=u", "item=i", "part=set")).load()
    assert dict(zip(mine.user_ids.tolist(), mine.parts.tolist(), strict=True)) == {"a": 0, "b": 2}
    path = export_interactions(mine, tmp_path / "mine.inter", "inter")
    assert path.read_text().splitlines()[0] == "user_id:token\titem_id:token\tpublished_part:token"
    (tmp_path / "odd.csv").write_text("user,item,published_part\na,x,valid\n")
    with pytest.raises(ValueError, match="a part must be train, validation or test, got 'valid'"):
        InteractionFile(str(tmp_path / "odd.csv")).load()


def test_export_refuses_what_a_format_cannot_hold(tmp_path):
    data = Interactions.from_events("e", ["a\tb"], ["x"], None, clock=Clock.WITHIN)
    with pytest.raises(ValueError, match="a tab-separated file cannot hold the user id 'a\\\\tb'; export as csv"):
        export_interactions(data, tmp_path / "e.tsv", "tsv")
    with pytest.raises(
        ValueError, match="format must be one of inter, sessions, csv, tsv, parquet, sequences, lst, got 'xml'"
    ):
        export_interactions(data, tmp_path / "e.xml", "xml")
    assert list(tmp_path.iterdir()) == []
