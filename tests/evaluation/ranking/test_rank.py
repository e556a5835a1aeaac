"""Ranks against brute force on non-square data, with ties, misses, seen items, tensors and bad scores."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from evaluation.metrics.accuracy import MAP, NDCG, Precision, Recall
from evaluation.ranking.rank import MAX_ROWS, NonFiniteScores, _blocks, _histories, _padded_targets, rank_held_out
from recsys_data.scores import Dense, Factored, Sparse
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import HeldOut
from tests.evaluation.rank_tables import COLUMNS, same_columns

NUM_ITEMS = 11


@dataclass
class Replay:
    """Answers each query with its row of a fixed table, found by sequence (its user number) and events read."""

    table: dict
    wrap: object = Dense

    def score(self, batch):
        rows = [self.table[int(batch.users[row]), int(read)] for row, read in batch.query_positions]
        return self.wrap(np.array(rows))


def held_out(exclude_seen=False, seed=0, sequences=7):
    """Sequences of 3 to 6 events, asked after 0 … all but one, with one to three targets; some targets dropped."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 7, sequences)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(np.arange(sequences), lengths)
    reads = np.concatenate([np.arange(n) for n in lengths])
    widths = rng.integers(1, 4, len(rows))
    targets = rng.integers(-1, NUM_ITEMS, widths.sum())
    return HeldOut(
        sequences=Sequences(
            rng.integers(0, NUM_ITEMS, offsets[-1]).astype(np.int32),
            np.arange(offsets[-1], dtype=float),
            offsets,
            np.arange(sequences, dtype=np.int32),
        ),
        sequence_of=rows,
        history_lengths=reads,
        query_times=np.full(len(rows), np.nan),
        targets=targets.astype(np.int32),
        target_offsets=np.concatenate([[0], np.cumsum(widths)]),
        clusters=(np.arange(sequences) // 2).astype(np.int32),
        exclude_seen=exclude_seen,
    )


def table_for(part, seed=1, dtype=np.float32):
    """Scores rounded to few values, so that ties abound."""
    rng = np.random.default_rng(seed)
    return {
        (int(r), int(n)): rng.integers(0, 5, NUM_ITEMS).astype(dtype)
        for r, n in zip(part.sequence_of, part.history_lengths, strict=True)
    }


def brute_force(part, table):
    """Greater, tied, candidates by plain Python over every candidate."""
    answer = []
    for q in range(len(part)):
        row, read = int(part.sequence_of[q]), int(part.history_lengths[q])
        seen = set(part.sequences.row(row)[:read].tolist()) if part.exclude_seen else set()
        open_items = [i for i in range(NUM_ITEMS) if i not in seen]
        scores = table[row, read]
        for target in part.targets[part.target_offsets[q] : part.target_offsets[q + 1]]:
            if target == -1 or target in seen:
                answer.append((len(open_items), 0, len(open_items)))
                continue
            greater = sum(scores[i] > scores[target] for i in open_items)
            tied = sum(scores[i] == scores[target] for i in open_items if i != target)
            answer.append((greater, tied, len(open_items)))
    return np.array(answer)


@pytest.mark.parametrize("exclude_seen", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        Dense,
        lambda s: Dense(torch.tensor(s)),
        lambda s: Dense(torch.tensor(s).bfloat16()),
        lambda s: Dense(s.astype(np.float64)),
        lambda s: Dense(s.astype(np.int64)),
        lambda s: Sparse(csr_matrix(s), 0.0),
    ],
)
def test_ranks_equal_brute_force(exclude_seen, wrap):
    part = held_out(exclude_seen)
    table = table_for(part)
    ranks = rank_held_out(Replay(table, wrap), part, np.arange(NUM_ITEMS), max_padded_events=12)
    expected = brute_force(part, table)
    np.testing.assert_array_equal(np.stack([ranks.greater, ranks.tied, ranks.candidates], axis=1), expected)
    np.testing.assert_array_equal(ranks.query, np.repeat(np.arange(len(part)), np.diff(part.target_offsets)))
    np.testing.assert_array_equal(ranks.target, part.targets)
    np.testing.assert_array_equal(ranks.cluster, part.sequence_of[ranks.query] // 2)
    np.testing.assert_array_equal(ranks.history, part.history_lengths[ranks.query])


def test_dropped_and_seen_targets_are_misses_by_greater_equal_to_candidates():
    part = held_out(exclude_seen=True)
    ranks = rank_held_out(Replay(table_for(part)), part, np.arange(NUM_ITEMS))
    history = [set(part.sequences.row(part.sequence_of[q])[: part.history_lengths[q]].tolist()) for q in ranks.query]
    missed = np.array([t == -1 or t in seen for t, seen in zip(ranks.target, history, strict=True)])
    assert missed.sum() > 5
    assert (~missed).sum() > 5
    np.testing.assert_array_equal(ranks.greater >= ranks.candidates, missed)
    assert (ranks.tied[missed] == 0).all()


def test_factored_scores_are_ranked_as_their_product():
    rng = np.random.default_rng(3)
    part = held_out(sequences=90)
    queries = {key: rng.standard_normal(4) for key in table_for(part)}
    items, bias = rng.standard_normal((NUM_ITEMS, 4)), rng.standard_normal(NUM_ITEMS)
    ranks = rank_held_out(Replay(queries, lambda q: Factored(q, items, bias)), part, np.arange(NUM_ITEMS))
    assert len(part) > MAX_ROWS  # several blocks
    np.testing.assert_array_equal(
        ranks.greater, brute_force(part, {k: items @ q + bias for k, q in queries.items()})[:, 0]
    )


@pytest.mark.parametrize("exclude_seen", [False, True])
def test_stored_lists_are_the_best_candidates_with_ties_by_item_number(exclude_seen):
    part = held_out(exclude_seen)
    table = table_for(part)
    ranks = rank_held_out(Replay(table), part, np.arange(NUM_ITEMS), top_k=8)
    for q in range(len(part)):
        row, read = int(part.sequence_of[q]), int(part.history_lengths[q])
        seen = set(part.sequences.row(row)[:read].tolist()) if exclude_seen else set()
        best = sorted(set(range(NUM_ITEMS)) - seen, key=lambda i: (-table[row, read][i], i))[:8]
        assert ranks.top_items[q].tolist() == best + [-1] * (8 - len(best))


class OffTheCpu:
    """A tensor that says it lies on another device, so that the tensor path is taken where there is no GPU."""

    def __init__(self, tensor):
        self.tensor = tensor
        self.shape = tensor.shape
        self.device = torch.device("meta")

    def detach(self):
        return self

    def __getattr__(self, name):
        return getattr(self.tensor, name)

    def __getitem__(self, key):
        return self.tensor[key]

    def __gt__(self, other):
        return self.tensor > other

    def __eq__(self, other):
        return self.tensor == other

    __hash__ = None


@dataclass
class OnDevice:
    """Dense scores whose blocks claim to lie on a device."""

    values: np.ndarray

    @property
    def shape(self):
        return self.values.shape

    def block(self, rows, items=None):
        return OffTheCpu(torch.tensor(self.values[rows]))


@pytest.mark.parametrize("exclude_seen", [False, True])
def test_the_tensor_path_gives_the_same_bits(exclude_seen):
    part = held_out(exclude_seen)
    table = table_for(part)
    ranks = [rank_held_out(Replay(table, w), part, np.arange(NUM_ITEMS), top_k=8) for w in (Dense, OnDevice)]
    assert same_columns(*ranks)
    np.testing.assert_array_equal(ranks[0].top_items, ranks[1].top_items)


@pytest.mark.parametrize("wrap", [Dense, lambda s: Dense(torch.tensor(s)), OnDevice])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_fails_with_the_query_named(wrap, bad):
    part = held_out()
    table = table_for(part)
    table[4, 2][6] = bad
    query = int(np.flatnonzero((part.sequence_of == 4) & (part.history_lengths == 2))[0])
    with pytest.raises(NonFiniteScores, match=rf"query {query} \(sequence 4 after 2 events\).* for item 6"):
        rank_held_out(Replay(table, wrap), part, np.arange(NUM_ITEMS))


def test_constant_scores_are_ties_and_not_perfect():
    part = held_out()
    table = {key: np.ones(NUM_ITEMS, np.float32) for key in table_for(part)}
    ranks = rank_held_out(Replay(table), part, np.arange(NUM_ITEMS))
    found = ranks.target >= 0
    assert (ranks.greater[found] == 0).all()
    assert (ranks.tied[found] == NUM_ITEMS - 1).all()


def test_batching_moves_no_bit_of_scores_that_do_not_depend_on_it():
    part = held_out(sequences=40)
    table = table_for(part)
    first, second = (rank_held_out(Replay(table), part, np.arange(NUM_ITEMS), max_padded_events=c) for c in (8, 65536))
    assert same_columns(first, second)


def test_block_rows_depend_on_the_catalogue_alone():
    assert _blocks(600, 1000)[0] == slice(0, 256)
    assert _blocks(600, 1_000_000)[0] == slice(0, 16)  # 16.8 M scores of 1 M items
    assert _blocks(5, 1_000_000)[-1] == slice(0, 5)


def test_bad_input_is_refused_in_a_sentence():
    part = held_out()
    with pytest.raises(ValueError, match="must return .* × 12 items, got .* scores of shape"):
        rank_held_out(Replay(table_for(part)), part, np.arange(12))
    with pytest.raises(ValueError, match="targets must lie in"):
        rank_held_out(Replay(table_for(part)), replace(part, targets=part.targets + 3), np.arange(NUM_ITEMS))
    with pytest.raises(ValueError, match="top_k must be"):
        rank_held_out(Replay(table_for(part)), part, np.arange(NUM_ITEMS), top_k=12)


def test_repeated_targets_of_a_ranked_half_stay_within_the_bounds():
    # six queries whose later halves repeat items; targets of a query share one list unless candidates are drawn
    part = held_out(seed=3)
    part = replace(part, targets=np.repeat(part.targets[::3], 3)[: len(part.targets)])
    model = Replay(table_for(part))
    ranks = rank_held_out(model, part, np.ones(NUM_ITEMS))
    sampled = rank_held_out(model, replace(part, num_sampled=4, repeats=1), np.ones(NUM_ITEMS))
    assert len(ranks.distinct) < len(ranks)
    assert (ranks.one_list, sampled.one_list) == (True, False)
    for found in (ranks, sampled):
        for metric in (Precision(1), NDCG(1), NDCG(), MAP(2), Recall(1)):
            assert metric.per_query(found)[0].max() <= 1 + 1e-12


@pytest.mark.parametrize(("changes", "rule"), [
    ({}, "all items"),
    ({"exclude_seen": True}, "all items but those in the history"),
    ({"num_sampled": 2}, "2 random other items"),
    ({"num_sampled": 2, "exclude_seen": True}, "2 random other items but those in the history"),
])  # fmt: skip
def test_a_table_says_what_was_ranked(changes, rule):
    part = replace(held_out(), **changes)
    found = rank_held_out(Replay(table_for(part)), part, np.arange(NUM_ITEMS))
    assert found.meta == {"candidate_rule": rule}
    types = dict.fromkeys(COLUMNS, np.int32) | {"repeat": np.int16}
    assert {name: getattr(found, name).dtype for name in COLUMNS} == types
    assert found.item_counts.dtype == np.int64
    assert found.top_items is None


def test_repeats_count_where_candidates_are_drawn_only():
    part = replace(held_out(), repeats=3)
    assert len(rank_held_out(Replay(table_for(part)), part, np.arange(NUM_ITEMS))) == len(part.targets)


def test_targets_are_padded_to_the_longest_row():
    targets, offsets = np.array([5, 6, 7, 8]), np.array([0, 1, 1, 4])
    padded, where = _padded_targets(targets, offsets, np.array([2, 0, 1]))
    assert padded.tolist() == [[6, 7, 8], [5, -1, -1], [-1, -1, -1]]
    assert where.tolist() == [[1, 2, 3], [0, -1, -1], [-1, -1, -1]]
    for without in ((targets, offsets, np.array([1])), (targets[:0], offsets[:2] * 0, np.array([0]))):
        padded, where = _padded_targets(*without)
        assert (padded.tolist(), where.tolist()) == ([[-1]], [[-1]])


def test_a_history_ends_where_the_query_is_asked():
    # one padded row for queries after 0, 2 and 4 of its events, and a shorter row
    batch = SequenceBatch.of([[3, 1, 3, 0], [2]], query_positions=[(0, 0), (0, 2), (0, 4), (1, 1)])
    found = [sorted(set(row) - {-1}) for row in _histories(batch, slice(0, 4)).tolist()]
    assert found == [[], [1, 3], [0, 1, 3], [2]]
    assert [sorted(set(row) - {-1}) for row in _histories(batch, slice(1, 2)).tolist()] == [[1, 3]]
    assert sorted(_histories(batch, slice(2, 3))[0]) == [-1, 0, 1, 3]  # 3 is there once


def test_messages_name_the_bounds_and_the_query():
    part = held_out()
    model, counts = Replay(table_for(part)), np.arange(NUM_ITEMS)
    high = int(part.targets.max())
    with pytest.raises(ValueError) as error:
        rank_held_out(model, replace(part, targets=part.targets - 1), counts)
    assert str(error.value) == f"targets must lie in −1 … 10 (the catalogue), got -2 … {high - 1}"
    with pytest.raises(ValueError, match=r"got -1 … 11$"):
        rank_held_out(model, replace(part, targets=np.where(part.targets == high, 11, part.targets)), counts)
    for top_k in (-1, 12):
        with pytest.raises(ValueError) as error:
            rank_held_out(model, part, counts, top_k=top_k)
        assert str(error.value) == f"top_k must be between 0 and the 11 items, got {top_k}"
    assert rank_held_out(model, part, counts, top_k=11).top_items.shape == (len(part), 11)
    table = table_for(part)
    table[4, 2][6] = np.nan
    query = int(np.flatnonzero((part.sequence_of == 4) & (part.history_lengths == 2))[0])
    with pytest.raises(NonFiniteScores) as error:
        rank_held_out(Replay(table), part, counts)
    assert str(error.value) == (
        f"Replay gave query {query} (sequence 4 after 2 events) a NaN or infinite score for item 6; scores must be "
        "finite, so the model was not ranked"
    )
