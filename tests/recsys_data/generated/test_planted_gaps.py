import numpy as np
import pytest

from recsys_data.generated.planted_gaps import DAY, PlantedGaps
from recsys_data.interactions import Clock


def gaps_and_moves(data, num_items=12):
    """For each event that has one before it: the gap, and how far on the ring it lies."""
    inside = data.users[1:] == data.users[:-1]
    return np.diff(data.timestamps)[inside], (np.diff(data.items.astype(int)) % num_items)[inside]


def test_the_gap_to_the_next_item_decides_it():
    data = PlantedGaps().load()
    gaps, moves = gaps_and_moves(data)
    assert set(np.unique(moves)) == {1, 5}
    assert ((gaps >= 3 * DAY) == (moves == 5)).all()
    assert 0.48 < (moves == 5).mean() < 0.52
    assert data.clock is Clock.RELATIVE
    # one of two equally likely items first: (1 + 1/2) / 2
    assert data.facts == {"best": {"MRR@20": 1.0}, "chance": {"MRR@20": 0.75}}


def test_or_the_gap_before_the_last_one():
    data = PlantedGaps(decides="previous").load()
    gaps, moves = (values.reshape(data.num_users, -1) for values in gaps_and_moves(data))
    assert ((gaps[:, :-1] >= 3 * DAY) == (moves[:, 1:] == 5)).all()
    assert 0.4 < ((gaps >= 3 * DAY) == (moves == 5)).mean() < 0.6  # its own gap says nothing


def test_names_tell_the_gaps_apart_and_seeds_the_events():
    short = PlantedGaps(short=(10.0, 60.0), long=(120.0, 600.0))
    assert short.name == "Gaps decide: next, 10–60 s or 2–10 min"
    assert PlantedGaps(short=(30 * DAY, 60 * DAY), long=(100 * DAY, 400 * DAY)).name.endswith("30–60 d or 100–400 d")
    assert np.array_equal(PlantedGaps().load().items, PlantedGaps().load().items)
    assert not np.array_equal(PlantedGaps().load().items, PlantedGaps(seed=1).load().items)


def test_bad_fields_are_named():
    with pytest.raises(ValueError, match="decides must be one of next, previous, got 'last'"):
        PlantedGaps(decides="last")
    with pytest.raises(ValueError, match="short and long must be two increasing pairs, short below long, got"):
        PlantedGaps(short=(10.0, 300.0), long=(120.0, 600.0))
