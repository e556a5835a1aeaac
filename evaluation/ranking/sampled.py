"""Sampled ranking: each target among a few random other items, as some papers measure; never the default."""

from __future__ import annotations

import numpy as np

from evaluation.ranking.counts import ABSENT, count_block
from recsys_data.scores import Scores
from recsys_data.split import HeldOut


def sampled_counts(
    scores: Scores,
    rows: slice,
    asked: np.ndarray,
    wanted: np.ndarray,
    excluded: np.ndarray,
    held_out: HeldOut,
) -> tuple[np.ndarray, np.ndarray, tuple[int, int] | None]:
    """Greater and tied counts (R, W, repeats) of each target against ``held_out.num_sampled`` other items.

    asked (R,): the query numbers of ``rows``, from which the draws follow, so that batching moves nothing; wanted
    (R, W): targets, ABSENT where there is none; excluded (R, H): items that may not be drawn. Third comes the first
    (row, item) whose score is not finite, or None. Raises ValueError where fewer items are left than are to be drawn.
    """
    num_items = scores.shape[1]
    shape = (*wanted.shape, held_out.repeats)
    greater, tied = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    first = np.zeros((len(asked), 1), dtype=np.int64)  # the target stands in column 0
    none = np.full((len(asked), 0), ABSENT, dtype=np.int64)
    for w in range(wanted.shape[1]):
        for repeat in range(held_out.repeats):
            drawn = np.stack(
                [
                    _draw(held_out, num_items, int(q), w, repeat, int(t), e)
                    for q, t, e in zip(asked, wanted[:, w], excluded, strict=True)
                ]
            )
            counted = count_block(scores.block(rows, _like(scores, drawn)), first, none)
            if counted.non_finite is not None:
                row, column = counted.non_finite
                return greater, tied, (row, int(drawn[row, column]))
            greater[:, w, repeat], tied[:, w, repeat] = counted.greater[:, 0], counted.tied[:, 0]
    return greater, tied, None


def _draw(
    held_out: HeldOut, num_items: int, query: int, place: int, repeat: int, target: int, excluded: np.ndarray
) -> np.ndarray:
    """The target, then the items drawn uniformly without replacement among the others, (1 + num_sampled,)."""
    rng = np.random.default_rng([held_out.sample_seed, query, place, repeat])
    mark = max(target, 0)  # a missed target is counted as one whatever it is ranked against
    barred = np.unique(np.append(excluded[excluded != ABSENT], mark))
    left = num_items - len(barred)
    if left < held_out.num_sampled:
        raise ValueError(
            f"query {query} leaves {left} other items to draw from, but {held_out.num_sampled} are to be drawn; "
            f"use a smaller count or all items"
        )
    numbers = rng.choice(left, held_out.num_sampled, replace=False)
    # the n-th item that is not barred is n plus the number of barred items at or before it
    return np.append(mark, numbers + np.searchsorted(barred - np.arange(len(barred)), numbers, side="right"))


def _like(scores: Scores, items: np.ndarray) -> object:
    """Item numbers as what this kind of scores is indexed with."""
    block = scores.block(slice(0, 0))
    return block.long().new_tensor(items) if hasattr(block, "long") else items
