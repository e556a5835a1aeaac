import numpy as np
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
    prepared = split(target_rule)
    assert [(read, targets) for _, read, targets in asked(prepared, "test")] == queries
    assert prepared.test.target_offsets.tolist() == np.cumsum([0] + [len(targets) for _, targets in queries]).tolist()


def test_a_second_half_without_a_held_out_event_has_no_query():
    found = SecondHalf().select(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([True, False, False, True]))
    assert (found.cuts.tolist(), found.targets.tolist(), found.target_offsets.tolist()) == ([3], [3], [0, 1])


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
    with pytest.raises(ValueError, match="toy: the test part has no query: none of its 1 events can be a target"):
        split(SecondHalf(), ["ab", "ba", "a"])


def test_sampled_candidates_are_a_caveat():
    sampled = split(LastOnly(), candidates=SampledItems(100, 3, seed=7))
    assert (sampled.test.num_sampled, sampled.test.repeats, sampled.test.sample_seed) == (100, 3, 7)
    assert sampled.caveats == (
        "SAMPLED: ranked among 100 random other items (3 times, averaged); not comparable with a ranking of all items",
    )
    assert SampledItems() == SampledItems(100, 1, seed=0)
    assert SampledItems(5).caveat.startswith("SAMPLED: ranked among 5 random other items (once); not")
    full = split(LastOnly(), candidates=AllItems())
    assert full.test.num_sampled == 0 and full.caveats == () and full.fingerprint != sampled.fingerprint
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        SampledItems(0)
