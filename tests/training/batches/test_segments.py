"""Batches of segments: each target once, after the events of its segment alone."""

import numpy as np
import pytest

from tests.training.batches.test_prefixes import LENGTHS, instances, sequences
from training.batches.segments import Segments


def expected(data, max_len, last_only):
    found = []
    for s in range(len(data)):
        row, stop = data.row(s).tolist(), len(data.row(s)) - 1
        while stop > 0:
            start = max(0, stop - max_len)
            found += [(tuple(row[start:n]), row[n]) for n in range(start + 1, stop + 1)]
            stop = 0 if last_only else start
    return sorted(found)


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("counted", ["segments", "targets"])
@pytest.mark.parametrize("max_len", [1, 3, 4, 20])
def test_every_target_once_after_the_events_of_its_segment(max_len, counted, last_only):
    data = sequences()
    batches = list(Segments(max_len, 4, last_only, counted).batches(data, np.random.default_rng(0)))
    assert sorted(found for batch in batches for found in instances(batch, max_len)) == expected(
        data, max_len, last_only
    )
    for batch in batches:
        assert np.array_equal(batch.rows, data.owners()[batch.input_events[:, 0]])


def test_batches_have_the_asked_number_of_segments_or_about_as_many_targets():
    data = sequences([4] * 50)
    by_segment = [len(b.rows) for b in Segments(3, 8).batches(data, np.random.default_rng(0))]
    assert by_segment == [8] * 6 + [2]
    by_target = [b.target_mask.sum() for b in Segments(3, 8, counted="targets").batches(data, np.random.default_rng(0))]
    assert sum(by_target) == 150 and all(5 < count < 11 for count in by_target[:-1])


def test_each_epoch_has_its_own_order():
    rng = np.random.default_rng(0)
    one, other = (np.concatenate([b.rows for b in Segments(3, 4).batches(sequences(LENGTHS), rng)]) for _ in range(2))
    assert sorted(one) == sorted(other) and not np.array_equal(one, other)


def test_no_sequence_with_a_target_gives_no_batch():
    assert not list(Segments(3, 4).batches(sequences([1, 1]), np.random.default_rng(0)))
