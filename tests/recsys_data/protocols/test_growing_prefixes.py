import pytest

from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.growing_prefixes import GrowingPrefixes, GrowingTrainingSet
from recsys_data.split import TrainingSet
from tests.recsys_data.splits import asked, events, trained

HISTORIES = ["ab", "bc", "abcabca", "cbacb"]  # the two longest test: seven and five events


def split(**fields):
    fields = {"test": 2, "fixed_epochs": 2, "epochs": 8, **fields}
    return GrowingPrefixes(**fields).prepare(events(HISTORIES))


def test_prefixes_grow_as_the_paper_s_code_has_it():
    train = split().train
    # L = 6 (the longest input), E − F = 6: after epoch e the prefix is ⌊(e − 2)·6/6⌋ = e − 2, for the epoch after.
    assert [train.prefix_length(epoch) for epoch in range(1, 9)] == [0, 0, 0, 1, 2, 3, 4, 5]
    assert train.prefix_length(9) == 5  # it grows no further
    words = {epoch: trained(train.at(epoch).sequences, split().item_ids) for epoch in range(1, 9)}
    assert words[1] == words[3] == ["ab", "bc"]
    # a prefix of n events is n pairs there, x = s[:n] and y = s[1 : n + 1], so n + 1 events are learnt from
    assert words[4] == ["ab", "bc", "ab", "cb"]
    assert words[5] == ["ab", "bc", "abc", "cba"]
    assert words[8] == ["ab", "bc", "abcabc", "cbac"]  # never the last event of a test user


def test_the_length_of_prefixes_is_rounded_down():
    train = split(fixed_epochs=0, epochs=4).train  # ⌊(e − 1)·6/4⌋
    assert [train.prefix_length(epoch) for epoch in range(1, 5)] == [0, 1, 3, 4] and train.changes == (2, 3, 4)
    assert split(fixed_epochs=0, epochs=20).train.changes == (5, 8, 11, 15, 18)  # where ⌊(e − 1)·6/20⌋ rises


def test_validation_users_never_train():
    both = split(test=1, validation=1)
    assert both.test.clusters.tolist() == [2] and both.validation.clusters.tolist() == [3]
    assert trained(both.train.at(8).sequences, both.item_ids) == ["ab", "bc", "abcabc"]


def test_a_history_of_one_known_event_has_no_prefix():
    protocol = GrowingPrefixes(test=2, fixed_epochs=0, epochs=4, unseen="miss")
    prepared = protocol.prepare(events(["ab", "ba", "za", "abab"]))
    assert prepared.test.sequences.lengths.tolist() == [1, 4]
    assert trained(prepared.train.at(4).sequences, prepared.item_ids) == ["ab", "ba", "aba"]


def test_the_added_prefixes_are_anonymous_and_replace_each_other():
    grown = split().train.at(6)
    assert grown.sequences.users.tolist() == [0, 1, -1, -1] and grown.num_users == 2
    assert type(grown) is TrainingSet and type(split().train.at(1)) is TrainingSet
    assert len(split().train) == 4  # the training users' events only


def test_the_last_event_is_asked_and_its_time_told():
    data = Interactions.from_events("t", [1] * 2 + [2] * 3, list("abaab"), [5, 9, 1, 2, 7], clock=Clock.ABSOLUTE)
    told = GrowingPrefixes(test=1).prepare(data)
    assert asked(told, "test") == [(1, "aa", "b")]
    assert told.test.query_times.tolist() == [7]
    withheld = GrowingPrefixes(test=1, expose_query_times=False).prepare(data)
    assert str(withheld.test.query_times.tolist()) == "[nan]"
    assert told.fingerprint != withheld.fingerprint


def test_the_fingerprint_is_that_of_every_epoch(monkeypatch):
    assert split().train.changes == (4, 5, 6, 7, 8)
    assert split(grow=False).train.changes == ()
    before = split().fingerprint
    assert before == split().fingerprint != split(grow=False).fingerprint
    monkeypatch.setattr(GrowingTrainingSet, "prefix_length", lambda self, epoch: max(epoch - 4, 0))
    assert split().fingerprint != before  # the same events under a code that grows them otherwise


def test_it_says_that_test_users_are_learnt_from_and_that_candidates_are_sampled():
    caveats = split().caveats
    assert len(caveats) == 2 and caveats[0].startswith("SAMPLED") and caveats[1].startswith("TEST USERS IN TRAINING")
    assert (split().test.num_sampled, split().test.repeats) == (100, 3)
    fixed = split(grow=False)
    assert type(fixed.train) is TrainingSet and len(fixed.caveats) == 1


def test_bad_fields():
    with pytest.raises(ValueError, match="fixed_epochs must be at least 0 and below 8, got 8"):
        split(fixed_epochs=8)
    with pytest.raises(ValueError, match="fixed_epochs must be at least 0 and below 8, got -1"):
        split(fixed_epochs=-1)
    with pytest.raises(ValueError, match="draw must be one of"):
        GrowingPrefixes(draw="x")
