"""Interactions from and to pandas frames; the witness is from_events and pandas itself."""

import numpy as np
import pandas as pd
import pytest

from recsys_data.interactions import Clock, Interactions

USERS, ITEMS, TIMES = ["b", "a", "b", "a"], [30, 7, 7, 100], [5.0, 9.0, 1.0, 9.0]


def frame(**columns):
    return pd.DataFrame({"user": USERS, "item": ITEMS, "timestamp": TIMES} | columns)


def test_a_frame_gives_the_events_of_its_columns():
    made = Interactions.from_frame("toy", frame())
    assert made.fingerprint == Interactions.from_events("toy", USERS, ITEMS, TIMES, clock=Clock.ABSOLUTE).fingerprint


@pytest.mark.parametrize("kind", ["int32", "Int64", "uint8", "category", "string", "object"])
def test_ids_of_any_type_are_the_same_events(kind):
    made = Interactions.from_frame("toy", frame(item=pd.Series(ITEMS).astype(kind)))
    assert made.fingerprint == Interactions.from_frame("toy", frame()).fingerprint


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_dates_become_unix_seconds(unit, zone):
    dates = pd.Series(pd.to_datetime(["2020-01-01 00:00:05", "2020-01-01 00:00:09"] * 2)).dt.as_unit(unit)
    dates = dates if zone is None else dates.dt.tz_localize("UTC").dt.tz_convert(zone)
    made = Interactions.from_frame("toy", frame(timestamp=dates))
    assert sorted(set(made.timestamps.tolist())) == [1_577_836_805.0, 1_577_836_809.0]


def test_a_frame_is_read_back_bit_for_bit():
    first = Interactions.from_frame(
        "toy", frame(stars=[1, 2, 3, 4.5], what=["buy", "view", "view", "buy"]), rating="stars", event_type="what"
    )
    written = first.to_frame()
    assert written.to_dict("list") == {
        "user": ["a", "a", "b", "b"], "item": [7, 100, 7, 30], "timestamp": [9.0, 9.0, 1.0, 5.0],
        "rating": [2.0, 4.5, 3.0, 1.0], "event_type": ["view", "buy", "view", "buy"],
    }  # fmt: skip
    again = Interactions.from_frame("toy", written, rating="rating", event_type="event_type")
    assert again.fingerprint == first.fingerprint
    parts = Interactions.from_events("toy", USERS, ITEMS, TIMES, clock=Clock.ABSOLUTE, parts=[2, 0, 2, 0])
    assert parts.to_frame()["part"].tolist() == [0, 0, 2, 2]


def test_positions_are_the_times_of_rows_in_order():
    made = Interactions.from_frame("toy", frame(), timestamp=None, clock=Clock.WITHIN)
    assert made.to_frame()["timestamp"].tolist() == [0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(("changes", "options", "message"), [
    ({}, {"item": "product"}, "one item column 'product', and it has 'user', 'item', 'timestamp'; name .* item=…"),
    ({}, {"timestamp": None}, "say clock=Clock.WITHIN"),
    ({"user": ["b", None, "b", "a"]}, {}, r"row 1 of the frame has no user \('user'\)"),
    ({"timestamp": [1.0, 2.0, np.nan, 4.0]}, {}, "row 2 of the frame has no timestamp"),
    ({"item": [1.5, 2.0, 3.0, 4.0]}, {}, r"row 0 of the column 'item' holds 1.5; .* astype\(int\)"),
    ({"user": [True, False] * 2}, {}, "row 0 of the column 'user' holds True"),
    ({"item": [7, (1, 2), 7, 7]}, {}, r"row 1 of the column 'item' holds \(1, 2\)"),
    ({"timestamp": [1.6e12] * 4}, {}, r"row 0 .* outside 1970 to 2100; convert it with pandas.to_datetime"),
    ({"timestamp": ["2020-01-01"] * 4}, {}, "holds str; expected numbers or dates"),
    ({"stars": [1.0, np.inf, 1, 1]}, {"rating": "stars"}, "the rating of event 1 is inf"),
])  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_sentence(changes, options, message):
    with pytest.raises(ValueError, match=f"^toy: .*{message}"):
        Interactions.from_frame("toy", frame(**changes), **options)


def test_a_frame_of_two_equal_columns_and_an_empty_one_are_refused():
    double = pd.concat([frame(), frame()[["user"]]], axis=1)
    with pytest.raises(ValueError, match="one user column"):
        Interactions.from_frame("toy", double)
    with pytest.raises(ValueError, match="no events"):
        Interactions.from_frame("toy", frame().iloc[:0])
