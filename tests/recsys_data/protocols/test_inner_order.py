from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_data.datasets.diginetica import Diginetica
from recsys_data.protocols.inner_order import InnerOrder
from recsys_data.protocols.published import AsPublished
from recsys_data.sequences import Sequences
from tests.recsys_data.splits import events

WORDS = ["abcab", "dcba", "bd", "acd", "bcda", "dab"]
WHOLE = AsPublished(validation=0, unseen="candidate")


def sessions(words=WORDS):
    parts = [0] * sum(map(len, words[:-2])) + [2] * sum(map(len, words[-2:]))
    return events(words, unit="session", parts=parts)


def sorted_in_one_order(words):
    """Whether one order of the letters sorts every word, by trying the pairs of each word."""
    before = {pair for word in words for pair in combinations(word, 2) if pair[0] != pair[1]}
    return not any((b, a) in before for a, b in before)


def written(split):
    """The words of both parts, training first."""
    letters = np.array([str(item) for item in split.item_ids])
    return [
        "".join(letters[row])
        for sequences in (split.train.sequences, split.test.sequences)
        for row in np.split(sequences.items, sequences.offsets[1:-1])
    ]


def test_time_is_the_protocol_itself():
    assert InnerOrder("time", protocol=WHOLE).prepare(sessions()).fingerprint == WHOLE.prepare(sessions()).fingerprint


@pytest.mark.parametrize("order", ["shuffled", "global"])
@given(draw=st.integers(0, 40))
def test_a_session_keeps_its_items_its_part_and_its_times(order, draw):
    plain, drawn = WHOLE.prepare(sessions()), InnerOrder(order, draw, WHOLE).prepare(sessions())
    assert [Counter(word) for word in written(drawn)] == [Counter(word) for word in WORDS]
    for part in ("train", "test"):
        ours, theirs = (getattr(split, part).sequences for split in (drawn, plain))
        assert ours.offsets.tolist() == theirs.offsets.tolist()
        assert ours.timestamps.tolist() == theirs.timestamps.tolist()
    assert drawn.test.clusters.tolist() == plain.test.clusters.tolist()
    if order == "global":
        assert sorted_in_one_order(written(drawn))


def test_the_drawn_orders_differ_by_draw_and_one_draw_is_one_order():
    words = ["".join(np.random.default_rng(seed).permutation(list("abcdefgh"))) for seed in range(12)]
    for order in ("shuffled", "global"):
        first, again, other = (written(InnerOrder(order, draw, WHOLE).prepare(sessions(words))) for draw in (0, 0, 1))
        assert first == again != other
        assert (len(set(first)) == 1) is (order == "global")
    assert not sorted_in_one_order(words)


def test_the_global_order_does_not_depend_on_the_other_items():
    assert (
        written(InnerOrder("global", 0, WHOLE).prepare(sessions(["badc"] * 4)))
        == written(InnerOrder("global", 0, WHOLE).prepare(sessions(["badc"] * 3 + ["badcxyz"])))[:3]
        + written(InnerOrder("global", 0, WHOLE).prepare(sessions(["badc"] * 4)))[3:]
    )


def test_shuffling_draws_every_order_equally_often():
    words = ["abc"] * 3000
    found = Counter(written(InnerOrder("shuffled", 3, WHOLE).prepare(sessions(words))))
    assert len(found) == 6 and all(abs(count - 500) < 5 * np.sqrt(500 * 5 / 6) for count in found.values())


def test_ratings_and_event_types_move_with_their_events():
    data = events(["abcab", "bca"], unit="session", parts=[0] * 5 + [2] * 3)
    data = replace(data, ratings=data.items.astype(np.float32), event_types=data.items,
                   event_type_names=np.array(list("abc")))  # fmt: skip
    seen = []
    with pytest.raises(StopIteration):
        InnerOrder("global", 0, Recording(seen)).prepare(data)
    (reordered,) = seen
    assert reordered.items.tolist() != data.items.tolist()
    assert reordered.ratings.tolist() == reordered.items.tolist() == reordered.event_types.tolist()


class Recording:
    """A protocol that keeps what it is given."""

    name, allows = "recording", frozenset()

    def __init__(self, seen):
        self.seen = seen

    def prepare(self, interactions):
        self.seen.append(interactions)
        raise StopIteration


def test_names_caveats_and_accepted_findings():
    names = [InnerOrder("time"), InnerOrder("shuffled"), InnerOrder("shuffled", 1), InnerOrder("global", 2)]
    assert [each.name for each in names] == [
        "as published, sessions in the order of time",
        "as published, sessions shuffled, draw 0",
        "as published, sessions shuffled, draw 1",
        "as published, sessions in one drawn order of all items, draw 2",
    ]
    assert InnerOrder("global").allows == AsPublished().allows
    caveats = [
        InnerOrder(order, protocol=WHOLE).prepare(sessions()).caveats for order in ("time", "shuffled", "global")
    ]
    assert [len(found) for found in caveats] == [0, 1, 1]
    assert caveats[1][0].startswith("SHUFFLED SESSIONS") and caveats[2][0].startswith("SESSIONS SORTED")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"order": "random"}, "order must be one of time, shuffled, global, got 'random'"),
        ({"order": "global", "draw": -1}, "draw must be at least 0, got -1"),
        ({"order": "time", "draw": 1}, 'draw is 1, but the order "time" draws nothing; leave it at 0'),
    ],
)
def test_bad_fields_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        InnerOrder(**fields)


def test_histories_of_users_are_refused():
    with pytest.raises(ValueError, match="toy has histories of users; choose a data set of sessions"):
        InnerOrder("global").prepare(events(["abc"], parts=[0, 0, 0]))


def test_diginetica_keeps_its_sessions_and_its_pairs():
    if not Diginetica().present(None):
        pytest.skip("Diginetica is not in the data folder")
    data = Diginetica().load()
    plain = AsPublished(validation=0).prepare(data)
    for order in ("shuffled", "global"):
        split = InnerOrder(order, protocol=AsPublished(validation=0)).prepare(data)
        assert (len(split.test), split.train.num_items) == (60_858, 43_097)
        assert multisets(split.train.sequences) == multisets(plain.train.sequences)


def multisets(sequences: Sequences) -> list[tuple[int, int, int]]:
    """Sums of the items of each session and of two powers: equal where the items are."""
    items = sequences.items.astype(np.int64) + 1
    return [tuple(row) for row in np.stack(
        [np.add.reduceat(items**power, sequences.offsets[:-1]) for power in (1, 2, 3)], axis=1
    ).tolist()]  # fmt: skip
