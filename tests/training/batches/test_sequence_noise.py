"""Sequence noise on hand cases: a generator that gives written-down numbers stands for chance."""

import numpy as np
import pytest

from recsys_data.sequences import Sequences
from training.batches.sampled_prefixes import SampledPrefixes
from training.batches.sequence_noise import NoisyBatcher, SequenceNoise


class Given:
    """A generator whose draws are written down."""

    def __init__(self, uniform=(), normal=()):
        self.uniform, self.normal = [*uniform], [*normal]

    def random(self, size):
        return np.array(self.uniform.pop(0) if self.uniform else np.ones(size))

    def standard_normal(self, size):
        drawn = np.array(self.normal.pop(0))
        assert len(drawn) == size
        return drawn


def sequences(*rows):
    items = np.concatenate([np.array(row) for row in rows]).astype(np.int32)
    offsets = np.r_[0, np.cumsum([len(row) for row in rows])]
    return Sequences(items, np.arange(len(items)) * 10.0, offsets, np.arange(len(rows), dtype=np.int32) + 100)


def lists(found):
    return [found.row(s).tolist() for s in range(len(found))]


def test_dropout_leaves_out_events_and_sequences_that_become_too_short():
    given = sequences([1, 2, 3], [4, 5], [6, 7, 8, 9])
    # below 0.4: out. 1 _ 3 | _ 5 (one left: the sequence is skipped) | _ 7 8 9
    chance = [0.4, 0.39, 0.9, 0.1, 0.5, 0.0, 0.7, 0.8, 0.6]
    found = SequenceNoise(dropout=0.4).apply(given, Given([chance]))
    assert lists(found) == [[1, 3], [7, 8, 9]]
    assert found.users.tolist() == [100, 102]
    assert found.timestamps.tolist() == [0.0, 20.0, 60.0, 70.0, 80.0]  # times go with their events


def test_swap_takes_neighbours_from_the_left_and_swaps_nothing_twice():
    given = sequences([1, 2, 3, 4, 5], [6, 7])
    # hits at 0, 1, 2 and 4: 1↔2 (so the hit at 1 is passed over), 3↔4; the last of a sequence has no neighbour; 6↔7
    chance = [0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1]
    found = SequenceNoise(swap=0.5).apply(given, Given([chance]))
    assert lists(found) == [[2, 1, 4, 3, 5], [7, 6]]
    assert lists(given) == [[1, 2, 3, 4, 5], [6, 7]]  # the training set itself stays
    assert found.timestamps.tolist() == given.timestamps.tolist()


def one_by_one(rows, chances, probability):
    """The official loop, in plain Python: an index that jumps over what was swapped."""
    out = []
    for row, chance in zip(rows, chances, strict=True):
        row, i = list(row), 0
        while i < len(row) - 1:
            if chance[i] < probability:
                row[i], row[i + 1] = row[i + 1], row[i]
                i += 1
            i += 1
        out.append(row)
    return out


def test_swap_equals_the_loop_on_random_sequences():
    rng = np.random.default_rng(4)
    rows = [rng.integers(0, 50, n).tolist() for n in (1, 2, 7, 30, 3, 0, 12)]
    chances = [rng.random(len(row)) for row in rows]
    found = SequenceNoise(swap=0.6).apply(sequences(*rows), Given([np.concatenate(chances)]))
    assert lists(found) == one_by_one(rows, chances, 0.6)


def test_shuf_moves_one_after_the_other_by_truncated_normal_steps_inside_the_sequence():
    given = sequences([1, 2, 3, 4], [5, 6, 7])
    # hits at places 0, 2, 4, 6 with steps 5·0.5 → 2, 5·(−0.3) → −1, 5·(−1) → held at the first, 5·2 → at the last
    chance = [0.0, 0.9, 0.0, 0.9, 0.0, 0.9, 0.0]
    found = SequenceNoise(shuf=0.5).apply(given, Given([chance], [[0.5, -0.3, -1.0, 2.0]]))
    # 1 2 3 4 → (0↔2) 3 2 1 4 → (2↔1) 3 1 2 4;  5 stays at the first place; 7 stays at the last
    assert lists(found) == [[3, 1, 2, 4], [5, 6, 7]]


def test_the_three_come_in_the_official_order():
    given = sequences([1, 2, 3, 4])
    # dropout takes 2 → 1 3 4; swap at 0 → 3 1 4; shuf at place 1 by 5·0.2 = 1 → 3 4 1
    chance = [[0.9, 0.1, 0.9, 0.9], [0.1, 0.9, 0.9], [0.9, 0.1, 0.9]]
    noise = SequenceNoise(dropout=0.5, swap=0.5, shuf=0.5)
    assert lists(noise.apply(given, Given(chance, [[0.2]]))) == [[3, 4, 1]]


def test_no_noise_draws_nothing_and_copies_nothing():
    given = sequences([1, 2, 3])
    assert SequenceNoise().apply(given, Given()) is given


def test_shares_are_those_asked_for():
    given = sequences(*[range(20)] * 500)
    rng = np.random.default_rng(0)
    kept = SequenceNoise(dropout=0.3).apply(given, rng)
    assert len(kept.items) / len(given.items) == pytest.approx(0.7, abs=0.02)
    moved = SequenceNoise(shuf=0.1, shuf_std=0.0).apply(given, rng)
    assert lists(moved) == lists(given)  # every item changes places with itself


def test_noisy_batches_differ_in_each_epoch():
    given = sequences(range(40))
    cut = NoisyBatcher(SampledPrefixes(5, 4), SequenceNoise(swap=0.5))
    rng = np.random.default_rng(1)
    seen = [next(iter(cut.batches(given, rng))).sequences.items.tolist() for _ in range(2)]
    assert seen[0] != seen[1] and sorted(seen[0]) == list(range(40))


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"swap": -0.1}, "swap must be at least 0 and below 1, got -0.1"),
        ({"shuf": 2.0}, "shuf must be at least 0 and below 1, got 2.0"),
        ({"shuf_std": -1.0}, "shuf_std must be at least 0, got -1.0"),
    ],
)
def test_bad_fields_are_refused(fields, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        SequenceNoise(**fields)
