"""Batches of prefixes: each target once, after exactly the events before it, in the order that is promised."""

import itertools

import numpy as np
import pytest

from recsys_data.sequences import PAD, Sequences
from training.batches.prefixes import EqualLengthSessions, Prefixes

LENGTHS = [6, 1, 2, 9, 4, 4, 2, 4]


def sequences(lengths=LENGTHS):
    """Sequences whose items are numbered through, so that an item tells where it stands."""
    offsets = np.r_[0, np.cumsum(lengths)]
    items = np.arange(offsets[-1], dtype=np.int32)
    return Sequences(items, np.zeros(len(items)), offsets, np.full(len(lengths), -1, dtype=np.int32))


def instances(batch, max_len):
    """(history, target) of every real step, the history cut to its last ``max_len`` events."""
    found = []
    for items, targets, real in zip(batch.inputs, batch.targets, batch.target_mask, strict=True):
        for step in np.flatnonzero(real):
            read = items[: step + 1]
            assert (read != PAD).all()
            found.append((tuple(read[-max_len:].tolist()), int(targets[step])))
    return found


def expected(data, max_len):
    return sorted(
        (tuple(data.row(s)[max(0, n - max_len) : n].tolist()), int(data.row(s)[n]))
        for s in range(len(data))
        for n in range(1, data.lengths[s])
    )


@pytest.mark.parametrize("max_len", [1, 3, 4, 20])
@pytest.mark.parametrize("make", [lambda n: Prefixes(n, 5, n), lambda n: Prefixes(n, 5, 1), lambda n: Prefixes(n, 5, 2),
                                  lambda n: EqualLengthSessions(n, 2)])  # fmt: skip
def test_every_target_once_after_what_was_before_it(make, max_len):
    data = sequences()
    batches = list(make(max_len).batches(data, np.random.default_rng(0)))
    found = [instance for batch in batches for instance in instances(batch, max_len)]
    assert sorted(found) == expected(data, max_len)


@pytest.mark.parametrize("together", [1, 3])
def test_batches_have_about_the_asked_number_of_targets(together):
    batches = list(Prefixes(3, 8, together).batches(sequences([4] * 50), np.random.default_rng(0)))
    counts = [int(batch.target_mask.sum()) for batch in batches]
    assert sum(counts) == 150
    assert all(8 - together < count < 8 + together for count in counts[:-1])


def test_a_long_sequence_is_read_in_stretches():
    """Eight targets, three a stretch, four events of history: 0 0|1 0…2, then 0…3|4|5, then 3…6|7."""
    batch = next(iter(Prefixes(4, 100, targets_per_row=3).batches(sequences([9]), np.random.default_rng(0))))
    rows = {
        tuple(row[row != PAD].tolist()): int(real.sum())
        for row, real in zip(batch.input_events, batch.target_mask, strict=True)
    }
    assert rows == {(0, 1, 2): 3, (0, 1, 2, 3, 4, 5): 3, (3, 4, 5, 6, 7): 2}


def test_equal_lengths_take_one_step_of_training_a_position():
    """Lengths 4, 4, 4 in twos: batches of 2 and 1 sessions, each with the positions 1, 2, 3 one after the other."""
    batches = list(EqualLengthSessions(10, 2).batches(sequences([4, 4, 4]), np.random.default_rng(0)))
    assert [batch.inputs.shape for batch in batches] == [(2, 1), (2, 2), (2, 3), (1, 1), (1, 2), (1, 3)]
    assert all(batch.target_mask[:, -1].all() and not batch.target_mask[:, :-1].any() for batch in batches)
    for first, second in itertools.pairwise(batches[:3]):
        assert np.array_equal(first.inputs, second.inputs[:, :-1])


def test_the_order_is_drawn_and_repeats():
    data = sequences([4] * 30)
    for kind in (Prefixes(3, 8, 3), EqualLengthSessions(3, 8)):
        first, again, other = (
            [batch.input_events.tolist() for batch in kind.batches(data, np.random.default_rng(seed))]
            for seed in (0, 0, 1)
        )
        assert first == again != other


def test_nothing_to_learn_from_gives_no_batch():
    for kind in (Prefixes(3, 8, 3), EqualLengthSessions(3, 8)):
        assert list(kind.batches(sequences([1, 1]), np.random.default_rng(0))) == []
