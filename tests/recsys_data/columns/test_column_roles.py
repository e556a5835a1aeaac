import pytest

from recsys_data.datasets.diginetica import DigineticaViews
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.interactions import Clock

LATE, EARLY = 1_500_000_060, 1_500_000_000


def load(tmp_path, text, *columns, **fields):
    path = tmp_path / "log.csv"
    path.write_text(text)
    return InteractionFile(str(path), columns, **fields).read()


@pytest.mark.parametrize("name", [
    "created_at", "time_stamp", "event_time", "ts", "unix_timestamp", "t_dat", "eventdate", "review_date", "Unix_Time",
    "Timestamp(s)", "order_date", "createdAt", "InvoiceDate", "utcTimestamp", "time_ms", "played_at",
    "reviewTime:token", "transaction date", "Date", "click_ts",
])  # fmt: skip
def test_a_column_that_is_named_like_a_time_and_holds_times_is_used(tmp_path, name):
    data, reading = load(tmp_path, f"user,item,{name}\n1,b,{LATE}\n1,a,{EARLY}\n")
    assert data.clock is Clock.ABSOLUTE and data.timestamps.tolist() == [EARLY, LATE]
    assert data.item_ids[data.items].tolist() == ["a", "b"]  # not the order of the rows
    assert f"timestamp = {name}" in reading.roles
    assert name == "time_stamp" or f"{name} is taken for the times; say --columns timestamp=" in " ".join(reading.notes)


def test_dates_under_an_unknown_name_are_used_and_said(tmp_path):
    data, reading = load(tmp_path, "user,item,quand\n1,b,2019-10-02\n1,a,2019-10-01\n")
    assert data.item_ids[data.items].tolist() == ["a", "b"] and "timestamp = quand" in reading.roles


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"user,item,code\n1,b,{LATE}\n", "column 'code' .value '1500000060'. may or may not hold the times"),
        ("user,item,watch_time\n1,b,35\n", "column 'watch_time' .value '35'. may or may not"),
        ("user,item,release_date\n1,b,1995-01-01\n", "column 'release_date' .* timestamp= to take the order of"),
        (f"user,item,created_at,paid_at\n1,b,{LATE},{LATE}\n", "created_at, paid_at look like times; choose with "
         "--columns timestamp=created_at or timestamp=paid_at"),
        ("user,item,date,time_ms\n1,b,20220408,1649347200000\n", "date, time_ms look like times; choose"),
    ],
)  # fmt: skip
def test_an_open_choice_of_the_times_is_refused(tmp_path, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        load(tmp_path, text)
    name = text.split("\n")[0].split(",")[-1]
    assert load(tmp_path, text, f"timestamp={name}")[0].clock is Clock.ABSOLUTE
    data, reading = load(tmp_path, text, "timestamp=")
    assert data.clock is Clock.WITHIN and f"{name} looks like times and is not used" in " ".join(reading.notes)


def test_columns_left_out_and_missing_times_are_said(tmp_path):
    data, reading = load(tmp_path, "user,item,price,colour\n1,b,3,red\n1,a,4,blue\n")
    assert "not used: price, colour" in data.edition
    assert "WITHOUT TIMES: the order of the rows is taken for the order of each user's events" in data.edition
    assert any(line.startswith("NOTE: WITHOUT TIMES") for line in reading.lines(data))
    data, reading = load(tmp_path, f"1,b,{LATE}\n1,a,{EARLY}\n", "user", "item", "")
    assert data.clock is Clock.WITHIN and "column 3 looks like times and is not used" in data.edition
    data, _ = load(tmp_path, f"user,item,timestamp,date\n1,b,{LATE},2019-01-01\n")
    assert "date looks like times and is not used; --columns timestamp=date would use it" in data.edition


def test_users_beside_sessions_are_said_and_can_be_taken(tmp_path):
    text = f"session_id,user_id,item_id,timestamp\n8,1,b,{LATE}\n9,1,a,{EARLY}\n"
    data, reading = load(tmp_path, text)
    assert data.unit == "session" and data.user_ids.tolist() == [8, 9]
    assert "sessions are the unit and user_id is left out" in data.edition and "not used: user_id" in reading.roles
    data, _ = load(tmp_path, text, "user=user_id", "item=item_id")
    assert data.unit == "user" and data.user_ids.tolist() == [1] and data.timestamps.tolist() == [EARLY, LATE]


def test_columns_are_named_by_their_header_and_the_times_still_recognised(tmp_path):
    text = "InvoiceNo,StockCode,InvoiceDate,Customer_ID\n1,85123A,13/1/2010 8:26,17850\n2,71053,12/1/2010 8:26,17850\n"
    data, reading = load(tmp_path, text, "user=Customer_ID", "item=StockCode")
    assert data.item_ids[data.items].tolist() == ["71053", "85123A"]
    assert reading.roles == "user = Customer_ID, item = StockCode, timestamp = InvoiceDate; not used: InvoiceNo"
    assert reading.first[0] == "line 2: user 17850, item 85123A, timestamp 2010-01-13T08:26:00+00:00"


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (("user=Customer", "item=StockCode"), "no column 'Customer' for the user; .*; did you mean 'CustomerID'"),
        (("user=CustomerID", "user=StockCode"), "--columns names the user twice"),
        (
            ("user=CustomerID", "item=CustomerID"),
            "gives the column 'CustomerID' to the user and to the item; give",
        ),
        (("user=CustomerID", "item"), "--columns mixes 'item' with ROLE=NAME"),
        (("user=CustomerID", "item=x"), "2 columns are called 'x'"),
        (("user=CustomerID",), "several columns are called 'item'; rename all but the item's"),
    ],
)
def test_wrong_names_of_columns_are_refused(tmp_path, columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        load(tmp_path, "CustomerID,StockCode,x,x,item,item\n1,a,5,6,7,8\n", *columns)


@pytest.mark.parametrize("header", [
    "user_id:token\titem_id_list:token_seq\titem_id:token", "session_id:token\titem_id_list:token_seq\titem_id:token",
    "user_id:token\titem_id:token\titem_id_list:token_seq\trating_list:float_seq\titem_length:float",
])  # fmt: skip
@pytest.mark.parametrize("columns", [(), ("user=user_id", "item=item_id")])
def test_a_benchmark_file_of_recbole_is_refused(tmp_path, header, columns):
    path = tmp_path / "toy.train.inter"
    path.write_text(header + "\n" + "\t".join("1" for _ in header.split("\t")) + "\n")
    with pytest.raises(ValueError, match="line 1, column 'item_id_list:token_seq': this is a benchmark file of"):
        InteractionFile(str(path), columns).load()


def test_times_of_diginetica_are_those_of_its_data_set(tmp_path):
    (tmp_path / "diginetica").mkdir()
    path = tmp_path / "diginetica" / "train-item-views.csv"
    path.write_text(
        "sessionId;userId;itemId;timeframe;eventdate\n"
        "1;NA;3;22771;2016-05-01\n1;NA;9;1391;2016-05-01\n1;NA;4;90000000;2016-05-02\n2;7;9;99;2016-05-02\n"
    )
    mine, data = InteractionFile(str(path)).load(), DigineticaViews().load(tmp_path)
    assert mine.fingerprint == data.fingerprint  # the second witness: the loader of the published file
    day = 1_462_060_800  # 2016-05-01; the third event is 25 hours after the first day's beginning, whatever its date
    assert mine.timestamps.tolist() == [day + 1.391, day + 22.771, day + 90_000, day + 86_400 + 0.099]
    assert "Diginetica's times: eventdate of a session's first row plus timeframe" in mine.edition


def test_times_that_all_lie_in_1970_are_said(tmp_path):
    assert "all times lie in 1970" in load(tmp_path, "user,item,timestamp\n1,a,2001\n")[0].edition
    assert "all times lie in 1970" not in load(tmp_path, "user,item,timestamp\n1,a,5\n", time_unit="s")[0].edition
    data, _ = load(tmp_path, f"user,item,timestamp\n1,a,{EARLY}\n1,b,0\n")
    assert "1 events have the time 0, which is 1970-01-01" in data.edition


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"time_unit": "h"}, "time_unit must be one of s, ms, us, ns, day"),
        ({"time_unit": "s", "time_format": "%Y"}, "give one of them"),
        ({"time_format": "%d/%d/%Y"}, "'%d/%d/%Y' cannot be read: it has a code twice"),
        ({"time_format": "%d/%Q/%Y"}, "cannot be read: 'Q' is a bad directive"),
        ({"time_format": "%d/%m/%"}, "cannot be read: stray %"),
    ],
)
def test_wrong_options_of_times_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        InteractionFile("x.csv", **fields)


def test_options_for_times_need_a_column_of_times(tmp_path):
    with pytest.raises(ValueError, match="no column of times for --time-unit or --time-format"):
        load(tmp_path, "user,item\n1,a\n", time_unit="s")
