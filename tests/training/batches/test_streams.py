import numpy as np
import pytest

from recsys_data.sequences import PAD, Sequences
from training.batches.streams import Streams
from training.batches.windows import START


def sequences_of(lengths):
    offsets = np.r_[0, np.cumsum(lengths)]
    items = np.arange(offsets[-1], dtype=np.int32)
    return Sequences(items, items * 2.0, offsets, np.arange(len(lengths), dtype=np.int32))


def test_the_drawing_by_hand():
    # a b c | d e | f g h i are events 0 … 8; two streams of ⌊9/2⌋ = 4 and 5; windows of 3
    batches = list(Streams(3, 2, shuffled=False).batches(sequences_of([3, 2, 4]), np.random.default_rng(0)))
    assert [batch.target_events.tolist() for batch in batches] == [[[0, 1, 2], [4, 5, 6]], [[3, PAD], [7, 8]]]
    assert [batch.inputs.tolist() for batch in batches] == [
        [[START, 0, 1], [3, START, 5]],  # the second stream begins inside d e, and reads f after START
        [[START, PAD], [6, 7]],
    ]
    assert [batch.users.tolist() for batch in batches] == [[[0, 0, 0], [1, 2, 2]], [[1, 1], [2, 2]]]
    assert [batch.fresh.tolist() for batch in batches] == [[True, True], [False, False]]
    assert batches[0].next_gaps.tolist() == [[0, 2, 2], [2, 0, 2]]
    assert batches[0].previous_gaps.tolist() == [[0, 0, 2], [0, 0, 0]]


@pytest.mark.parametrize("seed", range(4))
def test_every_target_once_and_each_slot_reads_on(seed):
    rng = np.random.default_rng(seed)
    sequences = sequences_of(rng.integers(0, 9, 23))
    targets, last = [], {}
    for batch in Streams(4, 5).batches(sequences, np.random.default_rng(seed)):
        for b, slot in enumerate(batch.slots):
            events = batch.target_events[b][batch.target_mask[b]].tolist()
            for event in events:
                before = last.get(slot)
                begins = event in sequences.offsets
                assert before is None or begins or event == before + 1
                assert before is None or not begins or before + 1 in sequences.offsets
                last[slot] = event
            targets += events
    assert sorted(targets) == list(range(len(sequences.items)))


def test_fewer_events_than_streams_and_no_event():
    batches = list(Streams(3, 9).batches(sequences_of([1, 1]), np.random.default_rng(0)))
    assert len(batches) == 1 and sorted(batches[0].target_events.ravel()) == [0, 1] and batches[0].num_slots == 2
    assert list(Streams(3, 9).batches(sequences_of([0]), np.random.default_rng(0))) == []
