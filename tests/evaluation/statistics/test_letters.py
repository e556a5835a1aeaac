"""Letters: two names share one exactly if they are not told apart, and no group is part of another."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.statistics.letters import letter_groups, letters

NAMES = "ABCDEFG"
PAIRS = list(itertools.combinations(NAMES, 2))


def test_by_hand():
    # A > C alone: B is near to both
    assert letter_groups("ABC", [("A", "C")]) == [("A", "B"), ("B", "C")]
    assert letters("ABC", [("A", "C")]) == {"A": "a", "B": "ab", "C": "b"}
    assert letters("AB", []) == {"A": "a", "B": "a"}
    assert letters("AB", [("B", "A")]) == {"A": "a", "B": "b"}


@settings(max_examples=150, deadline=None)
@given(st.sets(st.sampled_from(PAIRS)))
def test_two_share_a_letter_exactly_if_not_different(different):
    found = letter_groups(NAMES, different)
    for pair in PAIRS:
        assert any(set(pair) <= set(group) for group in found) == (pair not in different)
    assert not any(set(a) < set(b) for a, b in itertools.permutations(found, 2))
