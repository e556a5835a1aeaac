import numpy as np
import pytest

from recsys_data.sequences import Sequences
from training.batches.stateful_windows import StatefulWindows


@pytest.mark.parametrize("seed", range(5))
def test_each_slot_reads_whole_sequences_one_after_the_other(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 17, 19)
    offsets = np.r_[0, np.cumsum(lengths)]
    items = np.arange(offsets[-1], dtype=np.int32)
    sequences = Sequences(items, items * 1.0, offsets, np.arange(19, dtype=np.int32))
    read = {}
    for batch in StatefulWindows(5, 4).batches(sequences, np.random.default_rng(seed)):
        assert len(batch.rows) <= 4 == batch.num_slots and len(set(batch.slots)) == len(batch.slots)
        for b, slot in enumerate(batch.slots):
            events = batch.target_events[b][batch.target_mask[b]].tolist()
            assert batch.fresh[b] == (events[0] == offsets[batch.rows[b]])
            read.setdefault(slot, []).extend(events)
    for events in read.values():  # within a slot: an event follows the one before it, or begins a sequence
        previous = np.r_[-9, events[:-1]]
        begins = np.isin(events, offsets[:-1])
        ends = np.isin(np.asarray(events) + 1, offsets[1:])
        assert (begins | (np.asarray(events) == previous + 1)).all() and ends[-1]
        assert (ends[:-1] == begins[1:]).all()
    assert sorted(event for events in read.values() for event in events) == items.tolist()


def test_by_hand_and_from_the_generator():
    sequences = Sequences(
        np.arange(5, dtype=np.int32), np.zeros(5), np.array([0, 3, 5]), np.array([0, 1], dtype=np.int32)
    )
    batches = list(StatefulWindows(2, 2).batches(sequences, np.random.default_rng(0)))
    first = {int(row): events.tolist() for row, events in zip(batches[0].rows, batches[0].target_events, strict=True)}
    assert first == {0: [0, 1], 1: [3, 4]} and batches[0].fresh.all()
    assert batches[1].rows.tolist() == [0] and batches[1].target_events.tolist() == [[2]] and not batches[1].fresh.any()
    assert len(batches) == 2
    orders = {
        tuple(next(iter(StatefulWindows(2, 1).batches(sequences, np.random.default_rng(s)))).rows) for s in range(9)
    }
    assert orders == {(0,), (1,)}


def test_without_shuffling_sequences_are_begun_in_their_order():
    offsets = np.array([0, 4, 4, 6, 9, 10])
    sequences = Sequences(np.arange(10, dtype=np.int32), np.arange(10.0), offsets, np.arange(5, dtype=np.int32))
    for seed in range(2):
        batches = list(StatefulWindows(2, 2, shuffled=False).batches(sequences, np.random.default_rng(seed)))
        assert [batch.rows.tolist() for batch in batches] == [[0, 2], [0, 3], [4, 3]]
