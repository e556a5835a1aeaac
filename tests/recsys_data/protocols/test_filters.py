import numpy as np
import pytest

from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.filters import (
    AllOf,
    DropDuplicates,
    DropRepeats,
    EventTypes,
    KCore,
    MinItemEvents,
    MinUserEvents,
    RatingAtLeast,
    TopItems,
    Truncate,
    apply_filters,
)
from recsys_data.protocols.time_lstm_gaps import OfficialTopItems


def events(histories):
    """One word a user, one letter an event, a second between events."""
    users = [u for u, word in enumerate(histories) for _ in word]
    times = [float(t) for word in histories for t in range(len(word))]
    return Interactions.from_events("toy", users, list("".join(histories)), times, clock=Clock.ABSOLUTE)


def left(histories, *filters):
    data, steps = apply_filters(events(histories), filters)
    words = ["".join(data.item_ids[data.items[data.offsets[u] : data.offsets[u + 1]]]) for u in range(data.num_users)]
    return words, [step["removed"] for step in steps]


@pytest.mark.parametrize(
    ("kept", "histories", "expected"),
    [
        (MinUserEvents(2), ["ab", "c", "aa"], ["ab", "aa"]),
        (MinItemEvents(2), ["ab", "cb", "a"], ["ab", "b", "a"]),
        # a 3, b 2, c 1; once "cb" is cut to "b" it is too short, but it was counted before
        (AllOf((MinUserEvents(2), MinItemEvents(2))), ["aab", "cb", "a"], ["aab", "b"]),
        (TopItems(2), ["abcab", "cba", "d"], ["abab", "ba"]),  # a 3, b 3, c 2, d 1
        (TopItems(1), ["ba"], ["a"]),  # a tie: the smaller id
        (Truncate(2, "first"), ["abc", "d"], ["ab", "d"]),
        (Truncate(2, "last"), ["abc", "d"], ["bc", "d"]),
        (DropRepeats(), ["aabba", "a"], ["aba", "a"]),
        (DropRepeats(ever=True), ["abacb", "a"], ["abc", "a"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_by_hand(kept, histories, expected):
    assert left(histories, kept)[0] == expected


def test_one_is_the_smallest_bound():
    for kept in (MinUserEvents(1), MinItemEvents(1), KCore(1, 1), Truncate(3), TopItems(2), AllOf((MinUserEvents(1),))):
        assert left(["aba", "b"], kept) == (["aba", "b"], [0])
    assert left(["aba", "b"], Truncate(1))[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("kept", "name"),
    [
        (MinUserEvents(3), "users with at least 3 events"),
        (AllOf((MinUserEvents(2), MinItemEvents(5))),
         "users with at least 2 events and items with at least 5 events, counted once on the whole"),
        (KCore(2, 5), "users with 2 and items with 5 events at least, to the fixed point"),
        (TopItems(5_000), "the 5,000 most frequent items"),
        (Truncate(9), "the last 9 events of each history"),
        (DropDuplicates(), "without events of the same user, item and time as an earlier row"),
        (DropRepeats(), "without immediate repeats"),
        (DropRepeats(ever=True), "without repeats of any earlier item"),
        (RatingAtLeast(3.5), "ratings of at least 3.5"),
        (EventTypes(("cart", "buy")), "events of the type cart or buy"),
        (OfficialTopItems(5), "the 5 most frequent items, with the official code's wrong gaps"),
    ],
)  # fmt: skip
def test_names(kept, name):
    assert kept.name == name


def test_one_pass_and_fixed_point_differ():
    # Items seen twice, then users with two events. One pass drops c, d and then user 2 ("b"); b is then seen once
    # (by user 0), which the fixed point drops too, and with it user 0 keeps one event, and so on to nothing.
    histories = ["ab", "aa", "bc", "de"]
    words, removed = left(histories, MinItemEvents(2), MinUserEvents(2))
    assert words == ["ab", "aa"] and removed == [3, 1]
    assert left(histories, KCore(users=2, items=2))[0] == ["aa"]


def test_the_core_does_not_depend_on_order_and_is_one():
    rng = np.random.default_rng(0)
    data = Interactions.from_events("r", rng.integers(0, 60, 400), rng.integers(0, 50, 400), None, clock=Clock.WITHIN)
    core, _ = apply_filters(data, [KCore(users=5, items=6)])
    assert np.diff(core.offsets).min() >= 5 and np.bincount(core.items).min() >= 6
    current = data  # the core again, by taking turns until nothing changes
    while True:
        after, _ = apply_filters(current, [MinItemEvents(6), MinUserEvents(5)])
        if len(after) == len(current):
            break
        current = after
    assert core.fingerprint == current.fingerprint


def test_duplicates_keep_the_first_row():
    data = Interactions.from_events(
        "d", [1, 1, 1, 2], list("aaba"), [5, 5, 5, 5], ratings=[1, 2, 3, 4], clock=Clock.ABSOLUTE
    )
    kept, steps = apply_filters(data, [DropDuplicates()])
    assert kept.ratings.tolist() == [1, 3, 4] and steps[0]["removed"] == 1


def worked_example():
    """Times 0, 10, 30, 60, 100, 150; the second and fourth event have rare items. A second user follows."""
    return Interactions.from_events(
        "w",
        [1] * 6 + [2] * 3,
        list("axbyab") + list("abz"),
        [0, 10, 30, 60, 100, 150, 1000, 1007, 1020],
        clock=Clock.ABSOLUTE,
    )


def gaps(data, user):
    return np.diff(data.timestamps[data.offsets[user] : data.offsets[user + 1]]).tolist()


def test_a_vocabulary_keeps_gaps_right():
    kept, _ = apply_filters(worked_example(), [TopItems(2)])
    assert gaps(kept, 0) == [30, 70, 50] and gaps(kept, 1) == [7]


def test_the_official_gaps_are_wrong_as_documented():
    kept, _ = apply_filters(worked_example(), [OfficialTopItems(2, rule="gaps")])
    # Forward gaps 10 20 30 40 50 0: that of x (20) goes to b, that of y (40) to the second a.
    assert gaps(kept, 0) == [10, 50, 90]
    assert kept.clock is Clock.RELATIVE and kept.timestamps[kept.offsets[:-1]].tolist() == [0, 0]
    # user 2: a keeps 7; b keeps 13 and is last. Nothing was dropped before a, so nothing leaks in.
    assert gaps(kept, 1) == [7]


def test_the_official_carry_leaks_into_the_next_user():
    # User 1 drops its second event (x), whose forward gap is 4, and ends with x (gap 0): 4 is carried to user 2.
    data = Interactions.from_events("w", [1, 1, 1, 2, 2], list("axxaa"), [0, 6, 10, 0, 5], clock=Clock.ABSOLUTE)
    kept, _ = apply_filters(data, [OfficialTopItems(1, rule="gaps")])
    assert gaps(kept, 1) == [5 + 4]
    accumulated, _ = apply_filters(data, [OfficialTopItems(1, rule="accumulated")])
    assert accumulated.timestamps.tolist() == [0, 0 + 6 + 10, 5]
    right, _ = apply_filters(data, [TopItems(1)])
    assert gaps(right, 1) == [5]


def test_the_official_accumulated_times_run_backwards_as_documented():
    kept, _ = apply_filters(worked_example(), [OfficialTopItems(2, rule="accumulated")])
    assert kept.timestamps[:4].tolist() == [0, 40, 160, 150]


def test_official_gaps_need_gaps():
    data = Interactions.from_events("o", [1, 1], list("ab"), None, clock=Clock.WITHIN)
    with pytest.raises(ValueError, match="need true gaps, and o has order inside a sequence only"):
        apply_filters(data, [OfficialTopItems(1)])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MinUserEvents(0), "events must be at least 1, got 0"),
        (lambda: KCore(0, 5), "users must be at least 1, got 0"),
        (lambda: AllOf(()), "filters must hold at least one filter, got none"),
        (lambda: Truncate(5, "middle"), "keep must be one of first, last, got 'middle'"),
        (lambda: OfficialTopItems(5, rule="x"), "rule must be one of gaps, accumulated, got 'x'"),
    ],
)
def test_bad_fields(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


# Ann views a and b, puts a into the cart and buys it; Bo views b, buys c. Rows in another order than the times.
SHOP = [
    ("ann", "a", 3, "cart", 4.0), ("ann", "a", 1, "view", 1.0), ("ann", "b", 2, "view", 3.5),
    ("ann", "a", 4, "buy", 4.1), ("bo", "c", 9, "buy", 5.0), ("bo", "b", 8, "view", 4.0),
]  # fmt: skip


def shop(**left_out):
    users, items, times, kinds, ratings = zip(*SHOP, strict=True)
    columns = {"event_types": list(kinds), "ratings": ratings, **left_out}
    return Interactions.from_events("shop", list(users), list(items), times, clock=Clock.ABSOLUTE, **columns)


def named(data):
    return [(data.user_ids[u], data.item_ids[i]) for u, i in zip(data.users, data.items, strict=True)]


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (EventTypes(("buy",)), [("ann", "a"), ("bo", "c")]),
        (EventTypes(("buy", "cart")), [("ann", "a"), ("ann", "a"), ("bo", "c")]),
        (EventTypes(("view",)), [("ann", "a"), ("ann", "b"), ("bo", "b")]),
        (RatingAtLeast(4), [("ann", "a"), ("ann", "a"), ("bo", "b"), ("bo", "c")]),  # 4.0, 4.1, 4.0, 5.0
        (RatingAtLeast(4.1), [("ann", "a"), ("bo", "c")]),  # 4.1 itself is kept, though a float32 is not 4.1
        (RatingAtLeast(-1), [("ann", "a"), ("ann", "b"), ("ann", "a"), ("ann", "a"), ("bo", "b"), ("bo", "c")]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_ratings_and_event_types_by_hand(kept, expected):
    data, steps = apply_filters(shop(), [kept])
    assert named(data) == expected and steps[0]["removed"] == len(SHOP) - len(expected)


def test_event_types_follow_their_events():
    data = shop()
    assert data.event_type_names.tolist() == ["buy", "cart", "view"]
    assert data.event_types.tolist() == [2, 2, 1, 0, 2, 0]  # view, view, cart, buy; view, buy
    views = data.keep(EventTypes(("cart", "view")).mask(data))
    assert views.event_type_names.tolist() == ["cart", "view"] and views.event_types.tolist() == [1, 1, 0, 1]
    carts, _ = apply_filters(data, [EventTypes(("cart", "view")), EventTypes(("cart",))])
    assert named(carts) == [("ann", "a")]
    numbered = shop(event_types=[3, 1, 1, 4, 4, 1])  # types written as numbers
    assert named(apply_filters(numbered, [EventTypes(("4",))])[0]) == [("ann", "a"), ("bo", "c")]


def test_event_types_are_part_of_the_fingerprint():
    prints = {shop().fingerprint, shop(event_types=None).fingerprint, shop(event_types=["view"] * 6).fingerprint,
              shop(event_types=["buy"] * 6).fingerprint}  # fmt: skip
    assert len(prints) == 4


@pytest.mark.parametrize(
    ("kept", "data", "sentence"),
    [
        (RatingAtLeast(4), {"ratings": None}, r"shop: RatingAtLeast\(4\) needs ratings and the data have none; import"),
        (EventTypes(("buy",)), {"event_types": None}, "shop: EventTypes needs event types and the data have none; "),
        (EventTypes(("bought",)), {}, "shop: no event has the type 'bought'; the event types are buy, cart, view"),
    ],
    ids=["ratings", "types", "unknown"],
)
def test_filters_refuse_data_without_their_column(kept, data, sentence):
    with pytest.raises(ValueError, match=sentence):
        apply_filters(shop(**data), [kept])


def test_fields_of_the_new_filters_are_checked():
    for wrong in ("buy", ()):
        with pytest.raises(ValueError, match="types must be a tuple of at least one event type"):
            EventTypes(wrong)
    with pytest.raises(ValueError, match="rating must be finite, got nan"):
        RatingAtLeast(float("nan"))


def test_repeats_are_dropped_within_one_history_only():
    # The last item of user 0 and the first of user 1 are equal; a repeat after another item stays.
    assert left(["abb", "bba"], DropRepeats())[0] == ["ab", "ba"]
    assert left(["aaa", "aba"], DropRepeats()) == (["a", "aba"], [2])
