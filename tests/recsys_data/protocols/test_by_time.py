import numpy as np
import pytest

from recsys_data.audit.leakage import audit
from recsys_data.datasets.diginetica import DigineticaViews
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.by_time import GlobalTimeCut, LastDays
from recsys_data.protocols.filters import MinItemEvents, MinUserEvents
from tests.recsys_data.splits import asked, events, trained

CHAIN = MarkovChainSequences(num_users=90, num_items=25, length=20).load()
HOUR, DAY = 3600, 86_400


def timed(rows, unit="user"):
    """Interactions from (user, letters, times)."""
    users = [user for user, word, _ in rows for _ in word]
    items = [letter for _, word, _ in rows for letter in word]
    times = [time for _, _, times in rows for time in times]
    return Interactions.from_events("toy", users, items, times, clock=Clock.ABSOLUTE, unit=unit)


def test_a_global_cut_by_hand():
    # Ten events at times 0 … 9; 60/20/20: training before time 6, validation before time 8.
    data = timed([(1, "abab", [0, 2, 6, 8]), (2, "baba", [1, 3, 5, 9]), (3, "ab", [4, 7])])
    split = GlobalTimeCut(test=0.2, validation=0.2).prepare(data)
    assert trained(split.train.sequences, split.item_ids) == ["ab", "bab", "a"]
    assert asked(split, "validation") == [(0, "ab", "a"), (2, "a", "b")]
    assert asked(split, "test") == [(0, "aba", "b"), (1, "bab", "a")]


def test_events_at_the_time_of_a_global_cut_are_later():
    # Eight events; the cuts are the times of the events 4 and 6, counted from 0: 2 and 4. Ties stay together.
    data = timed([(1, "aaaa", [0, 1, 2, 4]), (2, "aaaa", [0, 2, 2, 4])])
    split = GlobalTimeCut(test=0.25, validation=0.25).prepare(data)
    assert trained(split.train.sequences, split.item_ids) == ["aa", "a"]
    assert asked(split, "validation") == [(0, "aa", "a"), (1, "a", "a"), (1, "aa", "a")]
    assert asked(split, "test") == [(0, "aaa", "a"), (1, "aaa", "a")]
    with pytest.raises(ValueError, match="the validation part has no query"):
        GlobalTimeCut(test=0.1, validation=0.1).prepare(data)  # both cuts at 4
    alone = GlobalTimeCut(test=0.25, validation=0).prepare(data)
    assert len(alone.train) == 6 and len(alone.validation) == 0 and len(alone.test) == 2


@pytest.mark.parametrize(("by", "train", "test"), [("start", ["aa", "aaa", "aa"], [3]), ("end", ["aa"], [1, 2, 3])])
def test_a_global_cut_of_whole_sessions(by, train, test):
    # Nine events, the last third from time 7 on; sessions 1 and 2 cross the cut and end at it.
    data = timed([(0, "aa", [0, 1]), (1, "aaa", [2, 3, 7]), (2, "aa", [4, 7]), (3, "aa", [8, 9])], unit="session")
    protocol = GlobalTimeCut(test=1 / 3, validation=0, by=by)
    split = protocol.prepare(data)
    assert trained(split.train.sequences, split.item_ids) == train and split.test.clusters.tolist() == test
    assert protocol.allows == {"temporal leakage"} != GlobalTimeCut().allows


def test_a_global_cut_lets_no_future_through():
    protocol = GlobalTimeCut()
    split = protocol.prepare(CHAIN)
    findings = {finding.name: finding for finding in audit(split, protocol)}
    assert findings["temporal leakage"].value == 0
    assert not any(finding.level == "fail" for finding in findings.values())
    assert split.train.sequences.timestamps.max() < np.sort(CHAIN.timestamps)[int(len(CHAIN) * 0.8)]


@pytest.mark.parametrize(
    ("by", "train", "test"),
    [("start", ["ab", "abb"], [(2, "a", "b")]), ("end", ["ab"], [(1, "a", "b"), (1, "ab", "b"), (2, "a", "b")])],
)
def test_sessions_stay_in_one_piece(by, train, test):
    # The last day is that after 11 days − 1 = day 10; the second session starts before and ends in it.
    data = timed(
        [(1, "ab", [0, HOUR]), (2, "abb", [9.9 * DAY, 9.95 * DAY, 10.1 * DAY]), (3, "ab", [10.9 * DAY, 11 * DAY])],
        unit="session",
    )
    split = LastDays(test=1, validation=0, by=by).prepare(data)
    assert trained(split.train.sequences, split.item_ids) == train
    assert asked(split, "test") == test
    assert split.train.num_users == 0 and split.facts["in_train_and_test"] == 0


def test_validation_days_come_before():
    data = timed([(s, "ab", [s * DAY, s * DAY + 1]) for s in range(11)], unit="session")
    split = LastDays(test=2, validation=3).prepare(data)
    # The end is 10 days + 1 s, the cuts lie at 8 and 5 days + 1 s; who ends at the former moment is in no part.
    assert split.test.clusters.tolist() == [9, 10]
    assert split.validation.clusters.tolist() == [5, 6, 7]
    assert split.steps[0]["removed"] == 2


def test_the_last_days_of_a_clock_of_days():
    # Times are days, 0 … 10: the last 7 are 4 … 10, day 3 lies on the cut, and so in neither part.
    data = timed([(s, "ab", [s * DAY, s * DAY]) for s in range(11)], unit="session")
    split = LastDays(test=7, validation=0).prepare(data)
    assert split.test.clusters.tolist() == [4, 5, 6, 7, 8, 9, 10]
    assert len(split.train.sequences) == 3


def test_real_diginetica_sample_is_split_as_sr_gnn_splits_it():
    dataset = DigineticaViews(order="file", sample=True)
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not there: set ENCORE_DATA to the folder that has it")
    filters = (MinUserEvents(2), MinItemEvents(5), MinUserEvents(2))
    split = LastDays(test=7, validation=0, filters=filters).prepare(dataset.load())
    # its script trains on the days before the cut and tests on those after it: 469 and 47 sessions, with 9 between;
    # its n_node for the sample is 310, the items of training and a 0 for padding
    assert (len(split.train.sequences), split.train.num_items + 1) == (469, 310)
    assert split.steps[3]["users"] == 469 + 47
    days = split.test.sequences.timestamps // DAY
    assert (days.min(), days.max()) == (16_947, 16_953)  # 2016-05-26 to 2016-06-01


def test_a_cut_by_end_has_no_training_event_in_the_test_days():
    data = timed(
        [(s, "abab", [s * HOUR, s * HOUR + 2, s * HOUR + 3, s * HOUR + 5 * HOUR]) for s in range(60)], "session"
    )
    split = LastDays(test=0.5, validation=0.5).prepare(data)
    assert split.train.sequences.timestamps.max() < data.timestamps.max() - 1.0 * DAY
    assert LastDays().allows == {"temporal leakage"}


def test_the_last_fraction_of_training():
    # Days 0 … 9, a session of three clicks a day; the last day tests. 1/3 of nine sessions' 18 pairs: 6 pairs, so 3.
    data = events(["aba"] * 10, unit="session", clock=Clock.ABSOLUTE)
    times = data.timestamps + data.users * 86_400.0
    data = type(data)(**{**{k: v for k, v in vars(data).items() if k != "offsets"}, "timestamps": times})
    by_date = LastDays(test=0.9, validation=0, fraction=3).prepare(data)
    assert len(by_date.train.sequences) == 3 and by_date.train.sequences.timestamps.min() == 6 * 86_400
    assert by_date.steps[0]["removed"] == 18 and len(by_date.test) == 2
    for fraction, sessions in ((2, 4), (3, 3)):  # ⌊27/2⌋ = 13 and 27/3 = 9 events in whole sessions of three
        by_id = LastDays(test=0.9, validation=0, fraction=fraction, fraction_by="id").prepare(data)
        assert len(by_id.train.sequences) == sessions
    assert by_id.steps[0] == {
        "step": "training: its last 1/3 by id",
        "removed": 18,
        "events": 9,
        "users": 3,
        "items": 2,
    }


def test_the_last_fraction_by_date_goes_by_the_ends_of_sessions_and_by_pairs():
    # Sessions 3, 1, 4, 2 by their end, of 1, 1, 1 and 7 pairs: the last fifth of ten pairs are sessions 3 and 1.
    rows = [(1, "ab", [9, 10]), (2, "abababab", list(range(8))), (3, "ab", [4, 11]), (4, "ab", [8, 8.5])]
    rows = [(session, word, [time * DAY for time in times]) for session, word, times in rows]
    data = timed([*rows, (5, "ab", [20 * DAY, 20.5 * DAY])], unit="session")
    split = LastDays(test=1, validation=0, fraction=5).prepare(data)
    assert split.train.sequences.timestamps.tolist() == [9 * DAY, 10 * DAY, 4 * DAY, 11 * DAY]
    by_id = LastDays(test=1, validation=0, fraction=5, fraction_by="id").prepare(data)  # 2 of 14 events
    assert by_id.train.sequences.timestamps.tolist() == [8 * DAY, 8.5 * DAY]


def test_items_unseen_in_all_of_training_are_dropped_and_those_unseen_in_the_fraction_stay():
    words = ["cc", "ab", "ab", "aczb"]
    data = events(words, unit="session", clock=Clock.ABSOLUTE)
    data = type(data)(**{**{k: v for k, v in vars(data).items() if k != "offsets"},
                         "timestamps": data.timestamps + data.users * 86_400.0})  # fmt: skip
    split = LastDays(test=0.9, validation=0, fraction=2, unseen="miss").prepare(data)
    assert asked(split, "test") == [(3, "a", "?"), (3, "a", "b")]  # c is a miss, z is dropped


@pytest.mark.parametrize("clock", [Clock.RELATIVE, Clock.WITHIN, Clock.NONE])
def test_weak_clocks_are_refused(clock):
    data = events(["abcd", "abc"], clock=clock)
    with pytest.raises(ValueError, match=f"needs times that can be compared between users, and toy has {clock.value}"):
        GlobalTimeCut().prepare(data)
    with pytest.raises(ValueError, match=f"needs absolute times, and toy has {clock.value}"):
        LastDays().prepare(data)


def test_order_between_sessions_is_enough_for_a_global_cut():
    data = timed([(s, "ab", [2 * s, 2 * s + 1]) for s in range(20)], unit="session")
    between = Interactions(**{**{k: v for k, v in vars(data).items() if k != "offsets"}, "clock": Clock.BETWEEN})
    split = GlobalTimeCut(by="end").prepare(between)
    assert split.test.clusters.tolist() == [18, 19]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: GlobalTimeCut(test=0.5, validation=0.5), "shares that leave something to train on"),
        (lambda: GlobalTimeCut(by="middle"), "by must be one of event, start, end, got 'middle'"),
        (lambda: LastDays(test=0), "test must be above 0 days, got 0"),
        (lambda: LastDays(validation=-1), "validation must be at least 0 days, got -1"),
        (lambda: GlobalTimeCut(test=0), "shares that leave something to train on"),
        (lambda: GlobalTimeCut(validation=-0.1), "shares that leave something to train on"),
        (lambda: LastDays(fraction=0), "fraction must be at least 1, got 0"),
        (lambda: LastDays(fraction=4, fraction_by="time"), "fraction_by must be one of date, id, got 'time'"),
    ],
)
def test_bad_fields(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
