import numpy as np
import pytest

from recsys_data.planted_habits import HabitsDecide


def test_a_habit_is_kept_but_for_strays():
    data = HabitsDecide(stray=0.0).load()
    inside = data.users[1:] == data.users[:-1]
    moves = (np.diff(data.items.astype(int)) % 24)[inside]
    assert set(np.unique(moves)) == {1, 5}
    ways = {}  # a user never goes on from the same item in two ways
    for user, item, move in zip(data.users[:-1][inside], data.items[:-1][inside], moves, strict=True):
        assert ways.setdefault((user, item), move) == move


def test_one_way_on_is_as_likely_as_the_facts_say():
    data = HabitsDecide(num_users=40, habits=1, length=400, seed=1).load()
    inside = data.users[1:] == data.users[:-1]
    last, then = data.items[:-1][inside].astype(int), data.items[1:][inside]
    on = {way: (last + way) % 24 == then for way in (1, 5)}
    counts = np.stack([np.bincount(last, weights=went, minlength=24) for went in on.values()])
    chosen = np.choose(counts.argmax(axis=0)[last], list(on.values()))
    # .7 by habit and .3 / 24 by straying there
    assert chosen.mean() == pytest.approx(0.7125, abs=0.01)


def test_facts_by_hand():
    # strays .3 over 24 items: .0125 each. Who knows: .7125 first, then .0125 (1/2 + … + 1/20)
    tail = sum(1 / rank for rank in range(2, 21))
    facts = HabitsDecide().load().facts
    assert facts["best"]["MRR@20"] == pytest.approx(0.7125 + 0.0125 * tail)
    # who does not: two of .3625, then .0125 (1/3 + … + 1/20)
    assert facts["chance"]["MRR@20"] == pytest.approx(0.3625 * 1.5 + 0.0125 * (tail - 0.5))


def test_bad_fields_are_named():
    with pytest.raises(ValueError, match=r"habits must be between 1 and num_users \(400\), got 0"):
        HabitsDecide(habits=0)
    with pytest.raises(ValueError, match="stray must be at least 0 and below 1, got 1.0"):
        HabitsDecide(stray=1.0)
