"""Sampled prefixes: how batches fill up, what is read and asked, and how often each length is drawn."""

import numpy as np

from recsys_data.sequences import PAD, Sequences
from training.batches.sampled_prefixes import SampledPrefixes


def sequences(*lengths):
    """Sequences of these lengths whose items count up: item = 100 · sequence + place."""
    items = np.concatenate([100 * s + np.arange(n) for s, n in enumerate(lengths)]).astype(np.int32)
    offsets = np.r_[0, np.cumsum(lengths)]
    return Sequences(items, np.arange(len(items), dtype=float), offsets, np.arange(len(lengths), dtype=np.int32) + 7)


def cut(given, seed=0, **fields):
    return list(
        SampledPrefixes(**{"max_len": 30, "batch_size": 4, **fields}).batches(given, np.random.default_rng(seed))
    )


def read(batch, row):
    """What a row reads, and its target."""
    items = batch.inputs[row]
    return items[items != PAD].tolist(), int(batch.targets[row][batch.target_mask[row]].item())


def test_a_long_sequence_fills_a_batch_and_short_ones_share_one():
    batches = cut(sequences(10, 6, 3, 2, 5))
    # 10: 4 of its 8 prefixes fill a batch. 6: 4 of 4 fill the next. 3: one; 2: none; 5: 3 of 3 fill the third
    assert [batch.rows.tolist() for batch in batches] == [[0] * 4, [1] * 4, [2, 4, 4, 4]]
    assert batches[2].users.tolist() == [9, 11, 11, 11]


def test_the_last_batch_may_be_short():
    assert [len(batch.rows) for batch in cut(sequences(6, 4))] == [4, 2]


def test_each_prefix_is_asked_for_its_next_item_in_ascending_order():
    for batch in cut(sequences(10, 6, 3, 2, 5)):
        for row, owner in enumerate(batch.rows):
            items, target = read(batch, row)
            assert items[0] == 100 * owner and items == list(range(items[0], items[0] + len(items)))
            assert target == items[-1] + 1 and len(items) >= 2
            assert batch.target_mask[row].sum() == 1 and not batch.starts[row]
    assert [len(read(batch, 0)[0]) for batch in cut(sequences(6))] == [2]  # all of 2, 3, 4, 5: sorted
    (batch,) = cut(sequences(6))
    assert [len(read(batch, row)[0]) for row in range(4)] == [2, 3, 4, 5]


def test_only_the_last_max_len_items_are_read():
    (batch,) = cut(sequences(6), max_len=3)
    assert [read(batch, row) for row in range(4)] == [([0, 1], 2), ([0, 1, 2], 3), ([1, 2, 3], 4), ([2, 3, 4], 5)]
    assert batch.target_events.tolist() == [[1, 2, PAD], [1, 2, 3], [2, 3, 4], [3, 4, 5]]


def test_lengths_are_drawn_without_replacement_and_evenly():
    given, drawn = sequences(12), []
    rng = np.random.default_rng(5)
    for _ in range(2000):
        (batch,) = SampledPrefixes(30, 4).batches(given, rng)
        lengths = [len(read(batch, row)[0]) for row in range(4)]
        assert len(set(lengths)) == 4
        drawn += lengths
    counts = np.bincount(drawn, minlength=12)
    assert counts[:2].tolist() == [0, 0]
    # each of 2 … 11 in 4 of 10 batches: 800 of 2000, standard deviation √(2000 · 0.4 · 0.6) ≈ 22
    assert np.abs(counts[2:] - 800).max() < 5 * 22


def test_the_order_of_sequences_is_kept_unless_shuffled():
    given = sequences(*[6] * 30)
    assert [batch.rows[0] for batch in cut(given)] == list(range(30))
    shuffled = [batch.rows[0] for batch in cut(given, shuffled=True)]
    assert shuffled != list(range(30)) and sorted(shuffled) == list(range(30))


def test_the_same_generator_gives_the_same_batches():
    first, second = cut(sequences(40, 9), seed=2), cut(sequences(40, 9), seed=2)
    assert all(np.array_equal(a.target_events, b.target_events) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0].target_events, cut(sequences(40, 9), seed=3)[0].target_events)
