"""Near-ties: rank changes between two computations of the same scores that rounding alone explains.

Other batch sizes and devices sum in another order, so scores agree up to a tolerance only. If no score differs by more
than the tolerance, an item can pass the target only if their scores are within twice the tolerance (both may move
towards each other). If a rank changes by more positions than there are such items, it is no near-tie: something else
is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.ranking.rank import _blocks  # the blocks of the ranking, since the bits of a product depend on them
from evaluation.ranking.rank_table import RankTable
from evaluation.ranking.recommender import Recommender
from recsys_data.split import HeldOut

_SHARED = ("cluster", "query", "target", "repeat", "history", "candidates")


@dataclass(frozen=True, eq=False)
class RankChanges:
    """The ranks that differ between two tables of the same queries.

    num_rows: of each table; rows (M,) int64: the rows that differ; changes (M,) int64: by how many positions, the
    larger of the changes of the best and the worst rank in the tie group.
    """

    num_rows: int
    rows: np.ndarray
    changes: np.ndarray

    @property
    def num_changed(self) -> int:
        """The number of changed ranks."""
        return len(self.rows)

    @property
    def largest_change(self) -> int:
        """The largest change of a rank, in positions; 0 if none changed."""
        return int(self.changes.max(initial=0))

    def near_ties(self, ranks: RankTable, scores: np.ndarray, tolerance: float) -> np.ndarray:
        """Return whether each changed rank is a near-tie under ``tolerance``, (M,) bool.

        ``scores`` (Q, N): the scores behind ``ranks``, either of the two tables (see ranked_scores).
        """
        if ranks.repeat.any():
            raise ValueError("near-ties need a ranking of all items, but these ranks have sampled candidates")
        pairs = zip(ranks.query[self.rows], ranks.target[self.rows], strict=True)
        near = [_near(scores[query], target, tolerance) for query, target in pairs]
        return self.changes <= np.array(near, dtype=np.int64)


def rank_changes(one: RankTable, other: RankTable) -> RankChanges:
    """Return the ranks that differ between two tables; ValueError naming column and row if the queries differ."""
    if len(one) != len(other):
        raise ValueError(
            f"the two tables must have the same queries, but one table has {len(one)} rows and the other {len(other)}"
        )
    for name in _SHARED:
        differ = np.flatnonzero(getattr(one, name) != getattr(other, name))
        if len(differ):
            r = differ[0]
            raise ValueError(
                f"the two tables must have the same queries, but {name} in row {r} is "
                f"{getattr(one, name)[r]} in one table and {getattr(other, name)[r]} in the other"
            )
    best, worst = (_bound(other, n) - _bound(one, n) for n in (0, 1))
    changes = np.maximum(np.abs(best), np.abs(worst))
    rows = np.flatnonzero(changes)
    return RankChanges(len(one), rows, changes[rows])


def ranked_scores(model: Recommender, held_out: HeldOut, *, max_padded_events: int = 65536) -> np.ndarray:
    """Return the scores (Q, N) that rank_held_out ranks, from the same batches; −inf where an item is no candidate.

    All scores are in memory at once, so this is for small test sets.
    """
    if held_out.num_sampled:
        raise ValueError("near-ties need a ranking of all items, but this protocol samples candidates")
    found = None
    for batch, queries in held_out.batches(max_padded_events=max_padded_events):
        scores = model.score(batch)
        if found is None:
            found = np.empty((len(held_out), scores.shape[1]), dtype=_array(scores.block(slice(0, 0))).dtype)
        for rows in _blocks(len(queries), scores.shape[1]):
            found[queries[rows]] = _array(scores.block(rows))
    if found is None:
        raise ValueError("this held-out part has no queries to score")
    if held_out.exclude_seen:
        for q in range(len(held_out)):
            found[q, held_out.sequences.row(held_out.sequence_of[q])[: held_out.history_lengths[q]]] = -np.inf
    return found


def max_score_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference between two computations of scores (Q, N); infinite if candidates differ."""
    with np.errstate(invalid="ignore"):  # −inf − −inf, where an item is no candidate in both
        difference = np.abs(one.astype(np.float64) - other)
    return float(np.where(np.isneginf(one) & np.isneginf(other), 0.0, difference).max(initial=0.0))


def _bound(ranks: RankTable, worst: int) -> np.ndarray:
    return ranks.greater.astype(np.int64) + worst * ranks.tied


def _near(scores: np.ndarray, target: int, tolerance: float) -> int:
    """Count the other candidates within twice the tolerance of the target; 0 if it is no candidate."""
    if target < 0 or not np.isfinite(scores[target]):
        return 0
    return int(np.count_nonzero(np.abs(scores.astype(np.float64) - scores[target]) <= 2 * tolerance)) - 1


def _array(block: object) -> np.ndarray:
    """Return a block of scores on any device as a numpy array."""
    if hasattr(block, "detach"):
        block = block.detach().cpu()
        block = (block.float() if block.element_size() < 4 else block).numpy()
    return np.asarray(block)
