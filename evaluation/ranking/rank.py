"""Ranks from Scores: greater and tied counts of every target, in bounded memory, on the device of the scores."""

from __future__ import annotations

import numpy as np

from evaluation.ranking.counts import ABSENT, count_block
from evaluation.ranking.rank_table import RankTable
from evaluation.ranking.recommender import Recommender
from evaluation.ranking.returned import check_block, check_scores
from evaluation.ranking.sampled import sampled_counts
from recsys_data.sequences import PAD, SequenceBatch
from recsys_data.split import HeldOut

BLOCK_CELLS = 1 << 24  # scores in memory at once; with MAX_ROWS it alone determines the blocks, and so the bits
MAX_ROWS = 256


class NonFiniteScores(ValueError):
    """A model returned NaN or an infinite score, so its targets cannot be ranked."""


def rank_held_out(
    model: Recommender,
    held_out: HeldOut,
    item_counts: np.ndarray,
    *,
    max_padded_events: int = 65536,
    top_k: int = 0,
) -> RankTable:
    """Rank all targets of ``held_out`` among all items; sorted by query and target position.

    item_counts (num_items,): how often each item occurs in training. ``top_k`` > 0 also stores each query's best items
    (ties by item number; padded with −1).

    Where ``held_out.exclude_seen``, the items of a query's history are no candidates. A target that cannot be
    recommended is a miss, marked by greater = candidates, tied = 0: one that the protocol dropped (−1), or one that is
    in the history while seen items are excluded. Where ``held_out.num_sampled`` > 0, a target is ranked among that many
    random other items, with one row per repeat. Raises NonFiniteScores naming the query, and ValueError if the scores
    have the wrong shape or ``top_k`` is combined with sampled candidates.
    """
    num_items = len(item_counts)
    targets = held_out.targets.astype(np.int64)
    if len(targets) and (targets.max() >= num_items or targets.min() < ABSENT):
        raise ValueError(
            f"targets must lie in −1 … {num_items - 1} (the catalogue), got {targets.min()} … {targets.max()}"
        )
    if top_k < 0 or top_k > num_items:
        raise ValueError(f"top_k must be between 0 and the {num_items} items, got {top_k}")
    sampled = held_out.num_sampled > 0
    repeats = held_out.repeats if sampled else 1
    if sampled and top_k:
        raise ValueError("lists of the best items need a ranking of all items, but this protocol samples candidates")
    counts = np.diff(held_out.target_offsets)
    query = np.repeat(np.arange(len(held_out)), counts)
    greater = np.zeros((len(targets), repeats), dtype=np.int32)
    tied = np.zeros((len(targets), repeats), dtype=np.int32)
    candidates = np.full(len(held_out), held_out.num_sampled + 1 if sampled else num_items, dtype=np.int32)
    top_items = np.full((len(held_out), top_k), ABSENT, dtype=np.int32) if top_k else None
    for batch, queries in held_out.batches(max_padded_events=max_padded_events):
        scores = model.score(batch)
        check_scores(scores, len(queries), num_items, model)
        for rows in _blocks(len(queries), num_items):
            query_numbers = queries[rows]
            row_targets, where = _padded_targets(targets, held_out.target_offsets, query_numbers)
            excluded = np.full((len(query_numbers), 0), ABSENT, dtype=np.int64)
            if held_out.exclude_seen:
                excluded = _histories(batch, rows)
                candidates[query_numbers] -= 0 if sampled else (excluded != ABSENT).sum(axis=1)
                row_targets = np.where(_are_excluded(row_targets, excluded), ABSENT, row_targets)
            if sampled:
                check_block(scores.block(slice(rows.start, rows.start + 1)), scores, 1, num_items, model)
                above, equal, non_finite = sampled_counts(scores, rows, query_numbers, row_targets, excluded, held_out)
            else:
                block = scores.block(rows)
                check_block(block, scores, len(query_numbers), num_items, model)
                counted = count_block(block, row_targets, excluded, top_k)
                above, equal, non_finite = counted.greater[..., None], counted.tied[..., None], counted.non_finite
                if top_items is not None:
                    top_items[query_numbers] = counted.top
            if non_finite is not None:
                query_number = int(query_numbers[non_finite[0]])
                raise NonFiniteScores(_non_finite_message(model, held_out, query_number, non_finite[1]))
            real = where >= 0
            missed = (row_targets == ABSENT)[..., None]
            greater[where[real]] = np.where(missed, candidates[query_numbers][:, None, None], above)[real]
            tied[where[real]] = np.where(missed, 0, equal)[real]
    query = np.repeat(query, repeats)
    return RankTable(
        cluster=held_out.clusters[held_out.sequence_of[query]].astype(np.int32),
        query=query.astype(np.int32),
        target=np.repeat(targets, repeats).astype(np.int32),
        repeat=np.tile(np.arange(repeats, dtype=np.int16), len(targets)),
        history=held_out.history_lengths[query].astype(np.int32),
        candidates=candidates[query],
        greater=greater.ravel(),
        tied=tied.ravel(),
        item_counts=np.asarray(item_counts, dtype=np.int64),
        top_items=top_items,
        meta={"candidate_rule": _candidate_rule(held_out)},
    )


def _candidate_rule(held_out: HeldOut) -> str:
    """Describe the candidates that targets are ranked among."""
    rule = f"{held_out.num_sampled} random other items" if held_out.num_sampled else "all items"
    return f"{rule} but those in the history" if held_out.exclude_seen else rule


def _blocks(num_queries: int, num_items: int) -> list[slice]:
    """Return the rows of each block: as many as BLOCK_CELLS scores allow, at most MAX_ROWS."""
    step = min(max(BLOCK_CELLS // max(num_items, 1), 1), MAX_ROWS)
    return [slice(start, min(start + step, num_queries)) for start in range(0, num_queries, step)]


def _padded_targets(targets: np.ndarray, offsets: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets (R, W) of ``queries``, padded with ABSENT, and their indices in the flat targets."""
    widths = offsets[queries + 1] - offsets[queries]
    steps = np.arange(widths.max(initial=1))
    filled = steps < widths[:, None]
    where = np.where(filled, offsets[queries][:, None] + steps, ABSENT)
    return np.where(filled, targets[where] if len(targets) else ABSENT, ABSENT), where


def _histories(batch: SequenceBatch, rows: slice) -> np.ndarray:
    """Return the distinct items in the history of each query of ``rows``, (R, T), padded with ABSENT."""
    row, length = batch.query_positions[rows].T
    read = np.arange(batch.items.shape[1]) < length[:, None]
    items = np.sort(np.where(read, batch.items[row], PAD), axis=1)
    items[:, 1:][items[:, 1:] == items[:, :-1]] = ABSENT
    return items


def _are_excluded(targets: np.ndarray, excluded: np.ndarray) -> np.ndarray:
    """Return whether each target (R, W) is one of its row's excluded items (R, T)."""
    found = np.zeros(targets.shape, dtype=bool)
    for w in range(targets.shape[1]):
        found[:, w] = ((excluded == targets[:, w : w + 1]) & (excluded != ABSENT)).any(axis=1)
    return found


def _non_finite_message(model: Recommender, held_out: HeldOut, query: int, item: int) -> str:
    """Return an error message that names the query and the item with a non-finite score."""
    return (
        f"{type(model).__name__} gave query {query} (sequence {int(held_out.sequence_of[query])} after "
        f"{int(held_out.history_lengths[query])} events) a NaN or infinite score for item {item}; scores must "
        "be finite, so the model was not ranked"
    )
