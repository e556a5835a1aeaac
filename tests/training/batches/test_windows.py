import numpy as np
import pytest

from recsys_data.sequences import PAD, Sequences
from training.batches.windows import START, Windows

ITEMS = np.array([10, 11, 12, 13, 14, 15, 16, 20, 21, 30], dtype=np.int32)  # sequences of 7, 2, 0 and 1 events
SEQUENCES = Sequences(ITEMS, np.arange(10.0) * 3, np.array([0, 7, 9, 9, 10]), np.array([5, 6, 7, -1], dtype=np.int32))


def windows(batches):
    """(inputs, targets, row) of every window, without padding."""
    for batch in batches:
        for b in range(len(batch.rows)):
            mask = batch.target_mask[b]
            assert (batch.inputs[b][~mask] == PAD).all() and (batch.targets[b][~mask] == PAD).all()
            yield batch.inputs[b][mask].tolist(), batch.targets[b][mask].tolist(), int(batch.rows[b])


def test_windows_by_hand():
    cut = list(windows(Windows(3, 2, random_offset=False).batches(SEQUENCES, np.random.default_rng(0))))
    assert sorted(cut, key=lambda window: window[1]) == [
        ([START, 10, 11], [10, 11, 12], 0),
        ([12, 13, 14], [13, 14, 15], 0),
        ([15], [16], 0),
        ([START, 20], [20, 21], 1),
        ([START], [30], 3),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_every_event_is_a_target_once_and_follows_its_input(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 40, 23)
    offsets = np.r_[0, np.cumsum(lengths)]
    items = np.arange(offsets[-1], dtype=np.int32)
    sequences = Sequences(items, items * 2.0, offsets, np.arange(23, dtype=np.int32))
    seen = []
    for batch in Windows(8, 4).batches(sequences, rng):
        assert batch.target_events.size <= 8 * 4
        real = batch.target_mask
        seen += batch.targets[real].tolist()
        inner = real & (batch.inputs != START)
        assert (batch.inputs[inner] == batch.targets[inner] - 1).all()
        assert (batch.input_times[inner] == batch.target_times[inner] - 2).all()
        assert np.isin(batch.targets[real & (batch.inputs == START)], offsets[:-1]).all()
        assert (batch.users == batch.rows).all()
    assert sorted(seen) == items.tolist()


def test_random_cuts_move_between_epochs_but_short_sequences_stay_whole():
    generator = np.random.default_rng(0)
    cuts = [Windows(3, 2).cut(SEQUENCES, generator) for _ in range(20)]
    assert {tuple(lengths[rows == 0]) for rows, _, lengths in cuts} == {(1, 3, 3), (2, 3, 2), (3, 3, 1)}
    assert all(lengths[rows == 1].tolist() == [2] for rows, _, lengths in cuts)


def test_batches_hold_little_padding_and_come_from_the_generator():
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 51, 3000)
    sequences = Sequences(np.zeros(lengths.sum(), dtype=np.int32), np.zeros(lengths.sum()),
                          np.r_[0, np.cumsum(lengths)], np.zeros(3000, dtype=np.int32))  # fmt: skip
    batches = list(Windows(50, 32).batches(sequences, np.random.default_rng(2)))
    again = list(Windows(50, 32).batches(sequences, np.random.default_rng(2)))
    assert all(np.array_equal(a.target_events, b.target_events) for a, b in zip(batches, again, strict=True))
    real, slots = sum(batch.target_mask.sum() for batch in batches), sum(batch.target_events.size for batch in batches)
    assert real == lengths.sum() and real / slots > 0.9


def test_without_shuffling_windows_come_in_the_order_of_the_sequences():
    cut = Windows(3, 2, random_offset=False, shuffled=False)
    for seed in range(2):
        batches = list(cut.batches(SEQUENCES, np.random.default_rng(seed)))
        assert [batch.rows.tolist() for batch in batches] == [[0, 0], [0, 1], [3]]
        assert [target for _, targets, _ in windows(batches) for target in targets] == ITEMS.tolist()


def test_times_and_gaps_by_hand():
    """Sequences at times 0, 1, 4, 9 and 20, 26: gaps 1, 3, 5 and 6, all different."""
    times = np.array([0.0, 1.0, 4.0, 9.0, 20.0, 26.0])
    sequences = Sequences(np.arange(6, dtype=np.int32), times, np.array([0, 4, 6]), np.array([0, 1], dtype=np.int32))
    batches = list(Windows(3, 3, random_offset=False, shuffled=False).batches(sequences, np.random.default_rng(0)))
    (batch,) = batches
    assert batch.targets.tolist() == [[0, 1, 2], [3, PAD, PAD], [4, 5, PAD]]
    assert batch.input_times.tolist() == [[0, 0, 1], [4, 0, 0], [20, 20, 0]]
    assert batch.next_gaps.tolist() == [[0, 1, 3], [5, 0, 0], [0, 6, 0]]
    assert batch.previous_gaps.tolist() == [[0, 0, 1], [3, 0, 0], [0, 0, 0]]
