import numpy as np
import pytest

from recsys_data.interactions import Clock, Interactions

ROWS = [("b", "x", 5.0), ("a", "y", 9.0), ("b", "z", 1.0), ("a", "x", 9.0), ("a", "z", 2.0)]


def made(rows=ROWS, **kwargs):
    users, items, times = zip(*rows, strict=True)
    return Interactions.from_events("toy", users, items, times, clock=Clock.ABSOLUTE, **kwargs)


def test_order_is_user_time_source_row():
    data = made()
    # user a: z at 2, then the tie at 9 in source order y, x; user b: z at 1, x at 5
    assert data.user_ids[data.users].tolist() == ["a", "a", "a", "b", "b"]
    assert data.item_ids[data.items].tolist() == ["z", "y", "x", "z", "x"]
    assert data.offsets.tolist() == [0, 3, 5]


def test_ids_are_sorted_whatever_the_order_of_appearance():
    assert made().item_ids.tolist() == made(ROWS[::-1]).item_ids.tolist() == ["x", "y", "z"]


def test_fingerprint_sees_content_and_nothing_else():
    base = made().fingerprint
    assert made(edition="another word").fingerprint == base
    assert made([("b", "x", 5.5), *ROWS[1:]]).fingerprint != base
    assert made([("b", "w", 5.0), *ROWS[1:]]).fingerprint != base
    assert made(ratings=[1, 2, 3, 4, 5]).fingerprint != base
    # a tie dealt out in another source order is another data set
    assert made([ROWS[0], ROWS[3], ROWS[2], ROWS[1], ROWS[4]]).fingerprint != base


def test_ratings_travel_with_their_events():
    assert made(ratings=[1, 2, 3, 4, 5]).ratings.tolist() == [5, 2, 4, 3, 1]


def test_without_times_position_is_the_clock():
    data = Interactions.from_events("toy", [7, 3, 7, 7], [1, 1, 2, 3], None, clock=Clock.WITHIN)
    assert data.timestamps.tolist() == [0, 0, 1, 2]


def test_keep_recodes_users_and_items():
    data = made()
    kept = data.keep(data.item_ids[data.items] == "x")
    assert (kept.num_users, kept.num_items, len(kept)) == (2, 1, 2)
    assert kept.items.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("users", "items", "times", "words"),
    [
        ([], [], [], "no events"),
        ([1, 2], [1], [0, 0], "2 users but 1 items"),
        ([1, 2], [1, 2], [0], "2 events but 1 timestamps"),
        ([1, 2], [1, 2], [0, float("nan")], "timestamp of event 1 is nan"),
    ],
)
def test_refuses_in_one_sentence(users, items, times, words):
    with pytest.raises(ValueError, match=words):
        Interactions.from_events("toy", users, items, times, clock=Clock.ABSOLUTE)


def test_clocks_say_what_they_can():
    assert [c.has_gaps for c in Clock] == [True, True, False, False, False]
    assert [c.has_global_order for c in Clock] == [True, False, True, False, False]
    assert [c.has_order for c in Clock] == [True, True, True, True, False]
    assert np.unique([c.value for c in Clock]).size == 5
