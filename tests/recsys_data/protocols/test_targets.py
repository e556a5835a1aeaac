import pytest

from recsys_data.protocols.by_user import DisjointUsers
from recsys_data.protocols.candidates import AllItems, SampledItems
from recsys_data.protocols.targets import EveryPosition, LastOnly, SecondHalf
from tests.recsys_data.splits import asked, events

# The last user by id is held out; the others know every letter.
HISTORIES = ["abcde", "edcba", "abcde"]


def split(target_rule, histories=HISTORIES, **fields):
    protocol = DisjointUsers(test=1, validation=0, draw="id order", target_rule=target_rule, **fields)
    return protocol.prepare(events(histories))


@pytest.mark.parametrize(
    ("target_rule", "queries"),
    [
        (EveryPosition(), [("a", "b"), ("ab", "c"), ("abc", "d"), ("abcd", "e")]),
        (LastOnly(), [("abcd", "e")]),
        (SecondHalf(), [("ab", "cde")]),  # ⌊5/2⌋ = 2 are read
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_by_hand(target_rule, queries):
    assert [(read, targets) for _, read, targets in asked(split(target_rule), "test")] == queries


@pytest.mark.parametrize(
    ("unseen", "read", "targets"),
    [("candidate", "az", "bzc"), ("miss", "a", "b?c"), ("drop", "a", "bc")],
)
def test_a_dropped_target_still_counts_as_a_miss(unseen, read, targets):
    # a z b z c with z unseen: halves of five events are a z | b z c; dropped first, of three: a | b c.
    got = asked(split(SecondHalf(), ["abc", "cba", "azbzc"], unseen=unseen), "test")
    assert got == [(2, read, targets)]


def test_sequences_of_one_event_are_not_asked():
    for target_rule in (EveryPosition(), LastOnly(), SecondHalf()):
        held_out = DisjointUsers(test=2, validation=0, draw="id order", target_rule=target_rule).prepare(
            events(["ab", "b", "ba"])
        )
        assert {cluster for cluster, _, _ in asked(held_out, "test")} == {2}


def test_no_query_at_all_is_refused():
    with pytest.raises(ValueError, match="toy: the test part has no query"):
        split(SecondHalf(), ["ab", "ba", "a"])


def test_sampled_candidates_are_a_caveat():
    sampled = split(LastOnly(), candidates=SampledItems(100, 3, seed=7))
    assert (sampled.test.num_sampled, sampled.test.repeats, sampled.test.sample_seed) == (100, 3, 7)
    assert sampled.caveats == (
        "SAMPLED: ranked among 100 random other items (3 times, averaged); not comparable with a ranking of all items",
    )
    full = split(LastOnly(), candidates=AllItems())
    assert full.test.num_sampled == 0 and full.caveats == () and full.fingerprint != sampled.fingerprint
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        SampledItems(0)
