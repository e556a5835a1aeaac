"""The steps, messages and candidates that all protocols share, by hand."""

import numpy as np
import pytest

from recsys_data.interactions import Clock
from recsys_data.protocols.build import assemble
from recsys_data.protocols.by_time import GlobalTimeCut, LastDays
from recsys_data.protocols.candidates import AllItems, SampledItems
from recsys_data.protocols.filters import (
    AllOf,
    EventTypes,
    KCore,
    MinItemEvents,
    MinUserEvents,
    RatingAtLeast,
    TopItems,
    Truncate,
    apply_filters,
)
from recsys_data.protocols.targets import LastOnly
from recsys_data.split import TEST, TRAIN, UNUSED, VALIDATION
from tests.recsys_data.splits import asked, events, trained

T, V, X, U = TRAIN, VALIDATION, TEST, UNUSED


def built(words, parts, unseen="drop", **more):
    return assemble(events(words, clock=Clock.ABSOLUTE), np.array(parts, dtype=np.int8), unseen=unseen, **more)


@pytest.mark.parametrize(("unseen", "verb", "removed", "validation", "test"), [
    ("drop", "dropped", 1, [(0, "ab", "a")], [(0, "aba", "b")]),
    ("miss", "counted as misses", 0, [(0, "ab", "a"), (1, "b", "?")], [(0, "aba", "b"), (1, "b", "?"), (1, "b", "?")]),
    ("candidate", "kept as candidates", 0, [(0, "ab", "a"), (1, "b", "y")],
     [(0, "aba", "b"), (1, "by", "z"), (1, "byz", "z")]),
])  # fmt: skip
def test_the_steps_of_unseen_items(unseen, verb, removed, validation, test):
    split = built(["abab", "byzz"], [T, T, V, X, T, V, X, X], unseen)
    assert (asked(split, "validation"), asked(split, "test")) == (validation, test)
    users = [len({user for user, *_ in rows}) for rows in (validation, test)]
    items = [len({target for *_, target in rows} - {"?"}) for rows in (validation, test)]
    assert list(split.steps) == [
        {"step": f"{name}: events whose item training has not seen: {verb}", "part": name, "unseen": lost, "of": of,
         "removed": lost if removed else 0, "events": len(rows), "users": users[n], "items": items[n]}
        for n, (name, lost, of, rows) in enumerate([("validation", 1, 2, validation), ("test", 2, 3, test)])
    ]  # fmt: skip
    assert split.facts["in_train_and_test"] == 2


def test_events_in_no_part_are_not_read_and_windows_start_anew():
    split = built(["abab", "ba"], [T, U, T, X, T, X], validate=False)
    assert trained(split.train.sequences, split.item_ids) == ["aa", "b"]
    assert asked(split, "test") == [(0, "aa", "b"), (1, "b", "a")]
    windows = np.array([0, 0, 1, 1, 2, 2])
    split = built(["abab", "ab"], [X, X, X, X, T, T], windows=windows, validate=False)
    assert asked(split, "test") == [(0, "a", "b"), (0, "a", "b")]


def test_query_times_are_there_where_they_are_exposed():
    split = built(["aaa"], [T, V, X], expose_query_times=True)
    assert (split.validation.query_times.tolist(), split.test.query_times.tolist()) == ([1.0], [2.0])
    assert np.isnan(built(["aaa"], [T, V, X]).test.query_times).all()


@pytest.mark.parametrize(("parts", "sentence"), [
    ([U, V, X], "toy: no event is left to train on; use more data or a smaller held-out part"),
    ([T, U, X], "toy: the validation part has no query: none of its 0 events can be a target; use more data or a "
     "larger held-out part"),
    ([T, V, U], "toy: the test part has no query: none of its 0 events can be a target; use more data or a larger "
     "held-out part"),
])  # fmt: skip
def test_empty_parts(parts, sentence):
    with pytest.raises(ValueError) as error:
        built(["aaa"], parts)
    assert str(error.value) == sentence
    with pytest.raises(ValueError) as error:
        built(["aaa"], [T, V, X], "keep")
    assert str(error.value) == "unseen must be one of drop, miss, candidate, got 'keep'"


def test_candidates_and_their_caveat():
    drawn = SampledItems(7, 3, seed=5, exclude_seen=True)
    split = built(["aaa"], [T, V, X], candidates=drawn)
    for part in (split.validation, split.test):
        assert (part.num_sampled, part.repeats, part.sample_seed, part.exclude_seen) == (7, 3, 5, True)
    sentence = "SAMPLED: ranked among 7 random other items ({}); not comparable with a ranking of all items"
    assert split.caveats == (drawn.caveat,) == (sentence.format("3 times, averaged"),)
    assert SampledItems(7).caveat == sentence.format("once")
    plain = built(["aaa"], [T, V, X], candidates=AllItems(exclude_seen=True))
    assert (plain.caveats, plain.test.exclude_seen, plain.test.num_sampled) == ((), True, 0)
    assert [SampledItems(7).suffix, drawn.suffix] == [", among 7 sampled", ", among 7 sampled unseen"]
    for field in ("count", "repeats"):
        with pytest.raises(ValueError, match=f"{field} must be at least 1, got 0"):
            SampledItems(**{field: 0})


def test_sessions_at_the_cut_are_a_step():
    data = events(["ab", "ab", "ab", "abb"], unit="session", clock=Clock.ABSOLUTE)
    fields = {name: value for name, value in vars(data).items() if name != "offsets"}
    days = np.array([0, 1, 1, 2, 2, 4, 4, 4.5, 5])  # sessions end on days 1, 2, 4 and 5; the last day begins on day 4
    split = LastDays(1, 0).prepare(type(data)(**{**fields, "timestamps": days * 86_400}))
    assert split.steps[0] == {"step": "events exactly at the cut: in no part", "removed": 2, "events": 7, "users": 3,
                              "items": 2}  # fmt: skip
    assert trained(split.train.sequences, split.item_ids) == ["ab", "ab"]


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: MinUserEvents(0), "events must be at least 1, got 0"),
    (lambda: MinItemEvents(0), "events must be at least 1, got 0"),
    (lambda: KCore(0, 1), "users must be at least 1, got 0"),
    (lambda: KCore(1, 0), "items must be at least 1, got 0"),
    (lambda: TopItems(0), "count must be at least 1, got 0"),
    (lambda: Truncate(0), "max_len must be at least 1, got 0"),
    (lambda: Truncate(1, "middle"), "keep must be one of first, last, got 'middle'"),
    (lambda: RatingAtLeast(float("inf")), "rating must be finite, got inf"),
    (lambda: AllOf(()), "filters must hold at least one filter, got none"),
    (lambda: EventTypes("buy"), "types must be a tuple of at least one event type, such as ('buy',), got 'buy'"),
    (lambda: EventTypes(()), "types must be a tuple of at least one event type, such as ('buy',), got ()"),
    (lambda: apply_filters(events(["ab"]), [RatingAtLeast(3.5)]), "toy: RatingAtLeast(3.5) needs ratings and the data "
     "have none; import them with a rating column, or leave the filter out"),
    (lambda: apply_filters(events(["ab"]), [EventTypes(("buy",))]), "toy: EventTypes needs event types and the data "
     "have none; import them with a column of event types (--columns event=NAME), or leave the filter out"),
    (lambda: apply_filters(events(["ab"]), [MinUserEvents(3)]), "toy: the filter 'users with at least 3 events' leaves "
     "no event of 2; choose a lower threshold"),
])  # fmt: skip
def test_refusals_in_full(make, sentence):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == sentence


def test_the_most_frequent_of_many_equal_items_have_the_smallest_ids():
    letters = "abcdefghijklmnopqrstuvwxyz"
    kept, _ = apply_filters(events([letters, letters[::-1]]), [TopItems(3)])
    assert kept.item_ids.tolist() == ["a", "b", "c"]


def test_items_and_users_are_stored_in_32_bits():
    split = built(["aaa", "aaa"], [T, V, X, T, V, X])
    stored = (split.train.sequences, split.validation.sequences, split.test.sequences)
    assert {array.dtype for part in stored for array in (part.items, part.users)} == {np.dtype(np.int32)}
    assert {split.test.targets.dtype, split.test.clusters.dtype} == {np.dtype(np.int32)}


def test_the_target_rule_is_applied():
    data = events(["aaaa", "aaaa", "aaa"], unit="session", clock=Clock.ABSOLUTE)
    fields = {name: value for name, value in vars(data).items() if name != "offsets"}
    data = type(data)(**{**fields, "timestamps": data.timestamps + 86_400.0 * data.users})
    for protocol in (LastDays(0.5, 0, target_rule=LastOnly()), GlobalTimeCut(0.25, 0, target_rule=LastOnly())):
        assert asked(protocol.prepare(data), "test") == [(2, "aa", "a")]
