"""ChosenOnTest: the training and test part of the wrapped protocol, and the test part as validation."""

import pytest

from recsys_data.protocols.by_name import protocol_named
from recsys_data.protocols.chosen_on_test import ChosenOnTest
from recsys_data.protocols.published import AsPublished
from tests.recsys_data.splits import events

WORDS = ["abcab", "dcba", "bd", "acd", "bcda", "dab"]


def sessions(test_words=2):
    cut = len(WORDS) - test_words
    parts = [0] * sum(map(len, WORDS[:cut])) + [2] * sum(map(len, WORDS[cut:]))
    return events(WORDS, unit="session", parts=parts)


def test_only_the_validation_part_differs():
    plain = AsPublished(validation=0).prepare(sessions())
    chosen = ChosenOnTest(AsPublished(validation=0)).prepare(sessions())
    assert len(plain.validation) == 0
    assert chosen.validation is chosen.test
    assert chosen.test.targets.tolist() == plain.test.targets.tolist()
    assert chosen.train.sequences.items.tolist() == plain.train.sequences.items.tolist()
    assert chosen.fingerprint != plain.fingerprint
    (caveat,) = set(chosen.caveats) - set(plain.caveats)
    assert caveat.startswith("CHOSEN ON TEST: ")


def test_a_validation_part_is_not_thrown_away():
    with pytest.raises(ValueError, match=r"would throw away the \d+ validation queries of .*; wrap a protocol with"):
        ChosenOnTest(AsPublished(validation=0.5)).prepare(sessions(3))


def test_it_can_be_named_on_the_command_line():
    protocol = protocol_named("ChosenOnTest(LastDays(7, 0))")
    assert protocol.name == "last 7 days, 0 before to validate, chosen on the test part"
    assert protocol.allows == protocol.protocol.allows
