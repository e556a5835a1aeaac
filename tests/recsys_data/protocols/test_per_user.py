import numpy as np
import pytest

from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock
from recsys_data.protocols.by_time import GlobalTimeCut, LastDays
from recsys_data.protocols.by_user import DisjointUsers, HashedUsers
from recsys_data.protocols.candidates import ALL_ITEMS, UNSEEN_ITEMS_ONLY, AllItems, SampledItems
from recsys_data.protocols.filters import (
    AllOf,
    DropDuplicates,
    DropRepeats,
    KCore,
    MinItemEvents,
    MinUserEvents,
    TopItems,
    Truncate,
)
from recsys_data.protocols.growing_prefixes import GrowingPrefixes
from recsys_data.protocols.per_user import LeaveLastOut, PerUserFractions, RandomFractions
from recsys_data.protocols.published import AsPublished
from recsys_data.protocols.targets import EveryPosition, LastOnly, SecondHalf
from recsys_data.protocols.time_lstm_gaps import OfficialTopItems
from tests.recsys_data.splits import asked, events
from tests.recsys_data.splits import trained as words


def trained(split):
    return words(split.train.sequences, split.item_ids)


def test_leave_last_out_by_hand():
    split = LeaveLastOut().prepare(events(["abcab", "bcaacb", "ab"]))
    assert trained(split) == ["abc", "bcaa", "ab"]
    assert asked(split, "validation") == [(0, "abc", "a"), (1, "bcaa", "c")]
    assert asked(split, "test") == [(0, "abca", "b"), (1, "bcaac", "b")]
    assert split.test.sequences.users.tolist() == [0, 1] and split.train.num_users == 3


def test_fractions_by_hand():
    # 20 events: the cuts are 18 and 19. One item in turn of 4, so that nothing is unseen.
    word = "abcd" * 5
    split = PerUserFractions().prepare(events([word, word[::-1]]))
    assert trained(split) == [word[:18], word[::-1][:18]]
    assert asked(split, "validation") == [(0, word[:18], word[18]), (1, word[::-1][:18], word[::-1][18])]
    assert asked(split, "test") == [(0, word[:19], word[19]), (1, word[::-1][:19], word[::-1][19])]
    assert np.isnan(split.test.query_times).all()
    assert split.test.sequences.users.tolist() == [0, 1] and split.train.num_users == 2


@pytest.mark.parametrize(
    ("rounding", "train", "validation", "test"),
    [("floor", 22, 1, 2), ("nearest", 23, 1, 1), ("ceil", 23, 1, 1)],  # 0.9·25 = 22.5, 0.95·25 = 23.75
)
def test_rounding_is_a_field(rounding, train, validation, test):
    split = PerUserFractions(rounding=rounding).prepare(events(["abcde" * 5]))
    suffix = {"floor": "", "nearest": ", rounded to the nearest", "ceil": ", rounded up"}[rounding]
    assert PerUserFractions(rounding=rounding).name == f"per-user 90/5/5{suffix}", "rows are told apart by it"
    assert (len(split.train), len(split.validation), len(split.test)) == (train, validation, test)


@pytest.mark.parametrize(
    ("rounding", "sizes"), [("floor", (11, 1, 2)), ("nearest", (11, 2, 1)), ("ceil", (12, 1, 1))]
)  # 0.8·14 = 11.2, 0.9·14 = 12.6
def test_the_three_roundings_differ(rounding, sizes):
    split = PerUserFractions(0.8, 0.1, 0.1, rounding=rounding).prepare(events(["ab" * 7]))
    assert (len(split.train), len(split.validation), len(split.test)) == sizes


def test_validation_may_be_empty():
    split = PerUserFractions(0.5, 0, 0.5).prepare(events(["abab"]))
    assert (len(split.train), len(split.validation), len(split.test)) == (2, 0, 2)


def test_three_events_are_enough_to_leave_two_out():
    split = LeaveLastOut().prepare(events(["aaa", "aa"]))
    assert trained(split) == ["a", "aa"]
    assert asked(split, "validation") == [(0, "a", "a")] and asked(split, "test") == [(0, "aa", "a")]


def test_shares_are_exact_not_floating():
    # In floating point 0.7 + 0.1 = 0.7999…, whose floor at 10 events would be 7 instead of 8.
    split = PerUserFractions(0.7, 0.1, 0.2).prepare(events(["ab" * 5]))
    assert (len(split.train), len(split.validation), len(split.test)) == (7, 1, 2)


def test_unseen_items_are_dropped_or_count_as_a_miss():
    # Ten events: train the first 8, validate on the 9th, test on the 10th; z is never trained on.
    histories = ["abababab" + "az", "babababa" + "zb"]
    dropped = PerUserFractions(0.8, 0.1, 0.1).prepare(events(histories))
    assert asked(dropped, "validation") == [(0, "abababab", "a")]
    assert asked(dropped, "test") == [(1, "babababa", "b")]  # z is not read either
    missed = PerUserFractions(0.8, 0.1, 0.1, unseen="miss").prepare(events(histories))
    assert asked(missed, "validation") == [(0, "abababab", "a"), (1, "babababa", "?")]
    assert asked(missed, "test") == [(0, "ababababa", "?"), (1, "babababa", "b")]
    assert dropped.item_ids.tolist() == missed.item_ids.tolist() == ["a", "b"]
    assert dropped.steps[-1]["unseen"] == missed.steps[-1]["unseen"] == 1
    assert dropped.steps[-1]["removed"] == 1 and missed.steps[-1]["removed"] == 0
    assert dropped.fingerprint != missed.fingerprint


def test_unseen_items_may_stay_candidates():
    split = PerUserFractions(0.8, 0.1, 0.1, unseen="candidate").prepare(events(["abababab" + "az", "babababa" + "zb"]))
    assert split.item_ids.tolist() == ["a", "b", "z"] and split.train.item_counts.tolist() == [8, 8, 0]
    assert asked(split, "test") == [(0, "ababababa", "z"), (1, "babababaz", "b")]


def test_a_filter_reports_what_it_removed():
    data = events(["aaaaab", "aaaaaa", "ab"])
    split = LeaveLastOut(filters=(MinUserEvents(3), MinItemEvents(2))).prepare(data)
    assert [(s["step"], s["removed"], s["events"], s["users"], s["items"]) for s in split.steps[:2]] == [
        ("users with at least 3 events", 2, 12, 2, 2),
        ("items with at least 2 events", 1, 11, 2, 1),
    ]


def test_a_filter_that_leaves_nothing_says_so():
    with pytest.raises(ValueError, match="toy: the filter 'users with at least 9 events' leaves no event of 4"):
        LeaveLastOut(filters=(MinUserEvents(9),)).prepare(events(["abcd"]))


def test_empty_parts_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="toy: the validation part has no query"):
        LeaveLastOut().prepare(events(["ab", "ba"]))
    with pytest.raises(ValueError, match="toy: no event is left to train on"):
        PerUserFractions().prepare(events(["a", "b"]))


def test_data_without_order_are_refused():
    sentence = "leave last out needs the order of each user's events, and toy has no order"
    with pytest.raises(ValueError, match=sentence):
        LeaveLastOut().prepare(events(["abcd"], clock=Clock.NONE))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"train": 0.9, "validation": 0.2, "test": 0.05}, "shares that sum to 1"),
        ({"train": 0, "validation": 0.5, "test": 0.5}, "shares that sum to 1"),
        ({"train": 0.5, "validation": 0.5, "test": 0}, "shares that sum to 1"),
        ({"train": 1.1, "validation": -0.2, "test": 0.1}, "shares that sum to 1"),
        ({"rounding": "up"}, "rounding must be one of floor, nearest, ceil, got 'up'"),
        ({"unseen": "keep"}, "unseen must be one of drop, miss, candidate, got 'keep'"),
    ],
)
def test_bad_fields(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        PerUserFractions(**fields)


def test_caveats_and_facts_travel():
    data = events(["abab" * 5], facts={"caveats": ["SMOKE RUN: 1 of 2 users"], "best": {"MRR@20": 0.5}})
    split = PerUserFractions().prepare(data)
    assert split.caveats == ("SMOKE RUN: 1 of 2 users",) and split.facts["best"] == {"MRR@20": 0.5}
    assert split.facts["unit"] == "user" and split.facts["in_train_and_test"] == 1 and "caveats" not in split.facts


def test_sessions_have_no_users():
    split = PerUserFractions().prepare(events(["abab" * 5], unit="session"))
    assert split.train.num_users == 0
    assert split.train.sequences.users.tolist() == split.test.sequences.users.tolist() == [-1]


def test_every_held_out_event_is_asked_once_and_training_is_the_past():
    data = MarkovChainSequences(num_users=70, num_items=30, length=30).load()
    split = PerUserFractions(0.8, 0.1, 0.1).prepare(data)
    assert len(split.train) + len(split.validation) + len(split.test) == len(data)  # every item occurs in training
    for part in (split.validation, split.test):
        for q in range(len(part)):
            row = part.sequences.row(part.sequence_of[q])
            user = part.clusters[part.sequence_of[q]]
            history = data.items[data.offsets[user] : data.offsets[user + 1]]
            assert np.array_equal(history[: part.history_lengths[q]], row[: part.history_lengths[q]])
            assert history[part.history_lengths[q]] == part.targets[q]


def test_data_without_order_can_be_cut_at_random():
    data = events(["abcdefghij" * 2] * 5, clock=Clock.NONE)
    split = RandomFractions(0.8, 0.1, 0.1).prepare(data)
    assert (len(split.train), len(split.validation), len(split.test)) == (80, 10, 10)
    for user, word in enumerate(trained(split)):
        rest = [target for part in ("validation", "test") for row, _, target in asked(split, part) if row == user]
        assert sorted(word + "".join(rest)) == sorted("abcdefghij" * 2)  # each event once, in one part
    assert len(set(trained(split))) > 1 and split.caveats[0].startswith("RANDOM ORDER")
    assert split.fingerprint == RandomFractions(0.8, 0.1, 0.1).prepare(data).fingerprint
    assert split.fingerprint != RandomFractions(0.8, 0.1, 0.1, seed=1).prepare(data).fingerprint
    assert data.clock is Clock.NONE and RandomFractions().name == "per-user 90/5/5 at random"
    with pytest.raises(ValueError, match="shares that sum to 1"):
        RandomFractions(0.9, 0.9, 0.1)


def test_protocols_that_differ_in_candidates_alone_have_different_names():
    rules = [ALL_ITEMS, UNSEEN_ITEMS_ONLY, SampledItems(100), SampledItems(100, exclude_seen=True)]
    for protocol in (PerUserFractions, LeaveLastOut, RandomFractions, GlobalTimeCut, AsPublished, DisjointUsers,
                     GrowingPrefixes, HashedUsers):  # fmt: skip
        names = [protocol(candidates=rule).name for rule in rules]
        assert len(set(names)) == len(rules), names


def test_the_random_order_is_drawn_per_user_and_becomes_the_time():
    data = events(["abcde" * 4, "edcba" * 4])
    split = RandomFractions(0.5, 0.25, 0.25, seed=3).prepare(data)
    drawn = np.random.default_rng(3).random(40)
    orders = [np.argsort(drawn[:20])[:10], 20 + np.argsort(drawn[20:])[:10]]
    assert trained(split) == ["".join(data.item_ids[data.items[order]]) for order in orders]
    assert split.clock is Clock.WITHIN and split.train.sequences.timestamps.tolist() == [*range(10), *range(10)]


def test_the_steps_count_the_held_out_parts():
    split = PerUserFractions(0.8, 0.1, 0.1, unseen="miss").prepare(events(["abababab" + "az", "babababa" + "zb"]))
    sentence = "test: events whose item training has not seen: counted as misses"
    assert split.steps[-1] == {"step": sentence, "part": "test", "unseen": 1, "of": 2, "removed": 0, "events": 2,
                               "users": 2, "items": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "name"),
    [
        (PerUserFractions(0.8, 0.1, 0.1), "per-user 80/10/10"),
        (LeaveLastOut(), "leave last out"),
        (RandomFractions(candidates=UNSEEN_ITEMS_ONLY), "per-user 90/5/5 at random, seen items left out"),
        (GlobalTimeCut(test=0.25, validation=0.125), "global time 62.5/12.5/25"),
        (GlobalTimeCut(by="end", candidates=SampledItems(9)), "global time 80/10/10 by session end, among 9 sampled"),
        (LastDays(), "last 1 days, 1 before to validate"),
        (LastDays(7, 0, fraction=4, fraction_by="id"),
         "last 7 days, 0 before to validate, the last 1/4 by id to train"),
        (LastDays(unseen="miss", candidates=SampledItems(9)),
         "last 1 days, 1 before to validate, unseen items counted as misses, among 9 sampled"),
        (AsPublished(), "as published"),
        (AsPublished(unseen="drop"), "as published, unseen items dropped"),
        (AsPublished(unseen="candidate"), "as published, unseen items kept as candidates"),
        (DisjointUsers(500, 0.25, extended=True),
         "disjoint users 0.25/500, without replacement, first half against second half, extended training set"),
        (HashedUsers(held_out=0.5), "users by hash 50/25/25, windows of 20 to 100"),
        (HashedUsers(candidates=ALL_ITEMS), "users by hash 80/10/10, windows of 20 to 100, seen items kept"),
        (GrowingPrefixes(grow=False, candidates=ALL_ITEMS),
         "last event of held-out users (0.2, length order), none of their events train, among all items"),
        (GrowingPrefixes(filters=(OfficialTopItems(5),)),
         "last event of held-out users (0.2, length order), prefixes growing after epoch 10, among 100 sampled, the "
         "code's wrong gaps"),
    ],
)  # fmt: skip
def test_names_say_what_is_not_the_default(protocol, name):
    assert protocol.name == name


def test_protocols_and_their_parts_are_hashable_values():
    kinds = (PerUserFractions, LeaveLastOut, RandomFractions, GlobalTimeCut, LastDays, AsPublished, DisjointUsers,
             GrowingPrefixes, HashedUsers, EveryPosition, LastOnly, SecondHalf, AllItems, SampledItems, DropDuplicates,
             DropRepeats)  # fmt: skip
    values = [kind() for kind in kinds] + [kind(2) for kind in (MinUserEvents, MinItemEvents, TopItems, Truncate)]
    values += [KCore(2, 2), AllOf((TopItems(2),)), OfficialTopItems(2)]
    assert len(set(values)) == len(values)
    seeds = [kind().seed for kind in (RandomFractions, AsPublished, DisjointUsers, GrowingPrefixes, HashedUsers)]
    assert seeds == [0, 0, 1, 1, 72]
