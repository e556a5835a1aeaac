import numpy as np
import pytest

from recsys_data.generated.planted_habits import PlantedHabits


def test_a_habit_is_kept_but_for_strays():
    data = PlantedHabits(stray=0.0).load()
    inside = data.users[1:] == data.users[:-1]
    moves = (np.diff(data.items.astype(int)) % 24)[inside]
    assert set(np.unique(moves)) == {1, 5}
    ways = {}  # a user never goes on from the same item in two ways
    for user, item, move in zip(data.users[:-1][inside], data.items[:-1][inside], moves, strict=True):
        assert ways.setdefault((user, item), move) == move


def test_one_way_on_is_as_likely_as_the_facts_say():
    data = PlantedHabits(num_users=40, habits=1, length=400, seed=1).load()
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
    facts = PlantedHabits().load().facts
    assert facts["best"]["MRR@20"] == pytest.approx(0.7125 + 0.0125 * tail)


def test_who_goes_by_the_last_item_alone_counts_which_way_is_more_common():
    # without strays each move is by a habit, so that counting the two moves from an item reaches just what is told:
    # the more common one first, 1 each, the other second, 1/2 each
    made = PlantedHabits(habits=5, stray=0.0)
    data = made.load()
    inside = data.users[1:] == data.users[:-1]
    last, then = data.items[:-1][inside].astype(int), data.items[1:][inside].astype(int)
    moves = np.stack([np.bincount(last, weights=(then - last) % 24 == way, minlength=24) for way in (1, 5)])
    assert data.facts["chance"]["MRR@20"] == pytest.approx((moves.max(0) + moves.min(0) / 2).sum() / inside.sum())
    # 40 coins an item do not fall half and half, and some habits come back to an item more often than others: not
    # .3625 · 1.5 + .0125 (1/3 + … + 1/20) = .570
    assert PlantedHabits().load().facts["chance"]["MRR@20"] == pytest.approx(0.600, abs=5e-4)
    alone = PlantedHabits(habits=1).load().facts  # one habit: the last item tells all of it
    assert alone["chance"]["MRR@20"] == pytest.approx(alone["best"]["MRR@20"])


def test_bad_fields_are_named():
    with pytest.raises(ValueError, match="habits must be at least 1 and at most 400, got 0"):
        PlantedHabits(habits=0)
    with pytest.raises(ValueError, match="stray must be at least 0 and below 1, got 1.0"):
        PlantedHabits(stray=1.0)
