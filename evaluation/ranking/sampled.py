"""Sampled ranking: each target among a few random other items, as in some papers; never the default."""

from __future__ import annotations

import numpy as np

from evaluation.ranking.counts import ABSENT, count_block
from recsys_data.scores import Scores
from recsys_data.split import HeldOut


def sampled_counts(
    scores: Scores,
    rows: slice,
    queries: np.ndarray,
    targets: np.ndarray,
    excluded: np.ndarray,
    held_out: HeldOut,
) -> tuple[np.ndarray, np.ndarray, tuple[int, int] | None]:
    """Count greater and tied items (R, W, repeats) for each target among ``held_out.num_sampled`` other items.

    queries (R,): the query numbers of ``rows``; they seed the draws, so that batching changes nothing; targets (R, W):
    padded with ABSENT; excluded (R, H): items that are not drawn. The third result is the first (row, item) whose score
    is not finite, or None. Raises ValueError where fewer items remain than are to be drawn.
    """
    num_items = scores.shape[1]
    shape = (*targets.shape, held_out.repeats)
    greater, tied = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    first = np.zeros((len(queries), 1), dtype=np.int64)  # the target is in column 0
    none = np.full((len(queries), 0), ABSENT, dtype=np.int64)
    for w in range(targets.shape[1]):
        for repeat in range(held_out.repeats):
            drawn = np.stack(
                [
                    _draw(held_out, num_items, int(q), w, repeat, int(t), e)
                    for q, t, e in zip(queries, targets[:, w], excluded, strict=True)
                ]
            )
            counted = count_block(scores.block(rows, _as_index(scores, drawn)), first, none)
            if counted.non_finite is not None:
                row, column = counted.non_finite
                return greater, tied, (row, int(drawn[row, column]))
            greater[:, w, repeat], tied[:, w, repeat] = counted.greater[:, 0], counted.tied[:, 0]
    return greater, tied, None


def _draw(
    held_out: HeldOut, num_items: int, query: int, position: int, repeat: int, target: int, excluded: np.ndarray
) -> np.ndarray:
    """Return the target, then items drawn uniformly without replacement from the others, (1 + num_sampled,)."""
    rng = np.random.default_rng([held_out.sample_seed, query, position, repeat])
    first = max(target, 0)  # a missed target stays a miss whatever it is ranked against
    not_drawn = np.unique(np.append(excluded[excluded != ABSENT], first))
    remaining = num_items - len(not_drawn)
    if remaining < held_out.num_sampled:
        raise ValueError(
            f"query {query} has {remaining} other items to draw from, but {held_out.num_sampled} are to be drawn; "
            f"sample fewer items or rank all of them"
        )
    numbers = rng.choice(remaining, held_out.num_sampled, replace=False)
    # the n-th drawable item is n plus the number of not_drawn items at or before it
    return np.append(first, numbers + np.searchsorted(not_drawn - np.arange(len(not_drawn)), numbers, side="right"))


def _as_index(scores: Scores, items: np.ndarray) -> object:
    """Return item numbers as the index type of these scores."""
    block = scores.block(slice(0, 0))
    return block.long().new_tensor(items) if hasattr(block, "long") else items
