import numpy as np

from recsys_data.interactions import Clock
from recsys_data.sequences import PAD, SequenceBatch, Sequences
from recsys_data.split import HeldOut, Split, TrainingSet


def toy():
    return Sequences(
        items=np.array([5, 6, 7, 1, 2, 3, 4], dtype=np.int32),
        timestamps=np.arange(7.0),
        offsets=np.array([0, 3, 3, 7]),
        users=np.array([0, 1, 2], dtype=np.int32),
    )


def held_out():
    return HeldOut(
        sequences=toy(),
        sequence_of=np.array([0, 2, 2]),
        history_lengths=np.array([2, 1, 3]),
        query_times=np.full(3, np.nan),
        targets=np.array([7, 2, 4], dtype=np.int32),
        target_offsets=np.arange(4),
        clusters=np.array([0, 1, 2], dtype=np.int32),
    )


def test_pad_cuts_and_fills_right():
    items, times = toy().pad(np.array([2, 0, 1]), np.array([2, 9, 9]))
    assert items.tolist() == [[1, 2, PAD], [5, 6, 7], [PAD, PAD, PAD]]
    assert times.tolist() == [[3, 4, 0], [0, 1, 2], [0, 0, 0]]


def test_owners_and_lengths():
    assert toy().lengths.tolist() == [3, 0, 4]
    assert toy().owners().tolist() == [0, 0, 0, 2, 2, 2, 2]


def test_batch_from_lists_and_its_last_items():
    batch = SequenceBatch.of([[4, 0], []], query_positions=[(0, 0), (0, 1), (0, 2), (1, 0)])
    assert batch.last_items().tolist() == [PAD, 4, 0, PAD]
    assert batch.lengths.tolist() == [2, 0]


def test_batches_ask_every_query_once_and_show_no_unread_event():
    part = held_out()
    seen = []
    for batch, queries in part.batches(max_padded_events=4, max_rows=8):
        for (row, read), query in zip(batch.query_positions, queries, strict=True):
            s = part.sequence_of[query]
            assert batch.items[row, :read].tolist() == part.sequences.row(s)[: part.history_lengths[query]].tolist()
            # what stands in the row beyond this query is at most what another query of the row may read
            assert (batch.items[row] != PAD).sum() == part.history_lengths[part.sequence_of == s].max()
        seen += queries.tolist()
    assert sorted(seen) == [0, 1, 2]


def test_cells_bound_the_batches():
    assert len(list(held_out().batches(max_padded_events=2))) == 2
    assert len(list(held_out().batches(max_padded_events=100))) == 1
    assert len(list(held_out().batches(max_padded_events=100, max_rows=1))) == 2


def test_split_fingerprint_sees_every_part():
    part = held_out()
    train = TrainingSet(toy(), num_users=3, num_items=8, clock=Clock.WITHIN)

    def fingerprint(test, train=train):
        return Split(train=train, validation=part, test=test, item_ids=np.arange(8)).fingerprint

    base = fingerprint(part)
    for change in ({"exclude_seen": True}, {"targets": part.targets[::-1]}, {"clusters": part.clusters + 1},
                   {"history_lengths": part.history_lengths - 1}, {"query_times": np.zeros(3)}):  # fmt: skip
        assert fingerprint(HeldOut(**{**vars(part), **change})) != base, change
    assert fingerprint(part, TrainingSet(toy(), num_users=0, num_items=8, clock=Clock.WITHIN)) != base
    assert fingerprint(held_out()) == base


def test_training_set_counts_items():
    train = TrainingSet(toy(), num_users=3, num_items=9, clock=Clock.WITHIN)
    assert train.item_counts.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]
    assert len(train) == 7
    assert train.at(3) is train
