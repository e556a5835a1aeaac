import numpy as np
import pytest

from recsys_data.sequences import Sequences
from training.batches.session_parallel import SessionParallel


def sessions(lengths, firsts=None):
    """Sessions whose items are their events' numbers, with the given times of their first events."""
    offsets = np.r_[0, np.cumsum(lengths)]
    items = np.arange(offsets[-1], dtype=np.int32)
    times = (
        items
        - np.repeat(offsets[:-1], lengths)
        + np.repeat(np.zeros(len(lengths)) if firsts is None else firsts, lengths)
    )
    return Sequences(items, times * 1.0, offsets, np.full(len(lengths), -1, dtype=np.int32))


def walked(sequences, cursors, seed=0):
    """(inputs, targets, slots, fresh) of every batch, as lists."""
    batches = cursors.batches(sequences, np.random.default_rng(seed))
    return [(b.inputs[:, 0].tolist(), b.targets[:, 0].tolist(), b.slots.tolist(), b.fresh.tolist()) for b in batches]


def test_the_papers_figure_by_hand():
    # sessions 0 1 2 3 | 4 5 | 6 7 8 | 9 10 with two cursors: as 4 5 ends, 6 7 8 begins in its place, and so on
    assert walked(sessions([4, 2, 3, 2]), SessionParallel(2)) == [
        ([0, 4], [1, 5], [0, 1], [True, True]),
        ([1, 6], [2, 7], [0, 1], [False, True]),
        ([2, 7], [3, 8], [0, 1], [False, False]),
        ([9], [10], [0], [True]),
    ]


def test_the_epoch_ends_with_too_few_cursors():
    assert [len(step[0]) for step in walked(sessions([4, 2, 3, 2]), SessionParallel(2, min_sessions=2))] == [2, 2, 2]


def test_orders():
    three = sessions([2, 2, 2], firsts=[50.0, 7.0, 9.0])
    first = {order: [step[0][0] for step in walked(three, SessionParallel(1, order))] for order in ("time", "listed")}
    assert first == {"time": [2, 4, 0], "listed": [0, 2, 4]}
    assert [step[0][0] for step in walked(sessions([2, 2, 2]), SessionParallel(1, "time"))] == [0, 2, 4]  # all ties
    shuffled = {tuple(step[0][0] for step in walked(three, SessionParallel(1, "shuffled"), seed)) for seed in range(40)}
    assert len(shuffled) == 6


@pytest.mark.parametrize("seed", range(5))
def test_every_target_once_after_the_event_before_it_and_fresh_only_where_a_session_begins(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 9, 31)
    sequences = sessions(lengths)
    targets, last = [], {}
    for batch in SessionParallel(4, "shuffled").batches(sequences, np.random.default_rng(seed)):
        assert batch.target_events.shape == (len(batch.slots), 1) and batch.num_slots == 4
        for item, target, slot, fresh in zip(
            batch.inputs[:, 0], batch.targets[:, 0], batch.slots, batch.fresh, strict=True
        ):
            assert target == item + 1 and fresh == (item in sequences.offsets)
            if not fresh:
                assert last[slot] == item  # the cursor's state has just read the event before
            last[slot] = target
            targets.append(target)
    expected = np.setdiff1d(np.arange(lengths.sum()), sequences.offsets)
    assert sorted(targets) == expected.tolist()


def test_nothing_to_read():
    assert walked(sessions([1, 1, 0]), SessionParallel(2)) == []
