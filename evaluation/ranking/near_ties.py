"""Near-ties: whether ranks that differ between two computations of the same scores differ by rounding alone.

Other batch sizes or devices sum in another order, so that scores agree up to a tolerance only. If no score differs by
more than the tolerance, an item can change sides with the target only where the two lie within twice the tolerance of
each other (both may have moved, towards one another). A rank that moved by more such places than there are such items
is no near-tie, and something else is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.ranking.rank import _blocks  # the very blocks that are ranked, since a product's bits depend on them
from evaluation.ranking.rank_table import RankTable
from evaluation.ranking.recommender import Recommender
from recsys_data.split import HeldOut

_SHARED = ("cluster", "query", "target", "repeat", "history", "candidates")


@dataclass(frozen=True, eq=False)
class RankChanges:
    """The ranks that differ between two tables of the same queries.

    num_rows: of the tables; rows (M,) int64: where they differ; moves (M,) int64: by how many places, the larger of
    what the best and the worst possible rank of the tie group moved by.
    """

    num_rows: int
    rows: np.ndarray
    moves: np.ndarray

    @property
    def num_moved(self) -> int:
        """How many ranks moved."""
        return len(self.rows)

    @property
    def largest_move(self) -> int:
        """The most places that a rank moved by; 0 if none did."""
        return int(self.moves.max(initial=0))

    def near_ties(self, ranks: RankTable, scores: np.ndarray, tolerance: float) -> np.ndarray:
        """Whether each moved rank is a near-tie under ``tolerance``, (M,) bool.

        ``scores`` (Q, N) are those that ``ranks``, either of the two tables, came from (see ranked_scores).
        """
        if ranks.repeat.any():
            raise ValueError("near-ties are judged on a ranking of all items, but these ranks have sampled candidates")
        asked = zip(ranks.query[self.rows], ranks.target[self.rows], strict=True)
        near = [_near(scores[query], target, tolerance) for query, target in asked]
        return self.moves <= np.array(near, dtype=np.int64)


def rank_changes(one: RankTable, other: RankTable) -> RankChanges:
    """What moved between two rank tables; ValueError, naming the column and the row, unless they ask the same."""
    if len(one) != len(other):
        raise ValueError(
            f"only ranks of the same queries can be compared, but one table has {len(one)} rows and the other "
            f"{len(other)}"
        )
    for name in _SHARED:
        differ = np.flatnonzero(getattr(one, name) != getattr(other, name))
        if len(differ):
            r = differ[0]
            raise ValueError(
                f"only ranks of the same queries can be compared, but {name} in row {r} is "
                f"{getattr(one, name)[r]} in one table and {getattr(other, name)[r]} in the other"
            )
    best, worst = (_places(other, n) - _places(one, n) for n in (0, 1))
    moves = np.maximum(np.abs(best), np.abs(worst))
    rows = np.flatnonzero(moves)
    return RankChanges(len(one), rows, moves[rows])


def ranked_scores(model: Recommender, held_out: HeldOut, *, max_padded_events: int = 65536) -> np.ndarray:
    """The scores (Q, N) that rank_held_out ranks, batched alike, in their own precision; −inf: no candidate.

    All are held at once: for test sets of a size where one wants to look.
    """
    if held_out.num_sampled:
        raise ValueError("near-ties are judged on a ranking of all items, but this protocol samples candidates")
    found = None
    for batch, queries in held_out.batches(max_padded_events=max_padded_events):
        scores = model.score(batch)
        if found is None:
            found = np.empty((len(held_out), scores.shape[1]), dtype=_array(scores.block(slice(0, 0))).dtype)
        for rows in _blocks(len(queries), scores.shape[1]):
            found[queries[rows]] = _array(scores.block(rows))
    if found is None:
        raise ValueError("this held-out part has no queries, so there is nothing to score")
    if held_out.exclude_seen:
        for q in range(len(held_out)):
            found[q, held_out.sequences.row(held_out.sequence_of[q])[: held_out.history_lengths[q]]] = -np.inf
    return found


def max_score_difference(one: np.ndarray, other: np.ndarray) -> float:
    """The most by which two computations (Q, N) of one candidate's score differ; infinite if candidates do."""
    with np.errstate(invalid="ignore"):  # −inf − −inf, where an item is no candidate in both
        apart = np.abs(one.astype(np.float64) - other)
    return float(np.where(np.isneginf(one) & np.isneginf(other), 0.0, apart).max(initial=0.0))


def _places(ranks: RankTable, worst: int) -> np.ndarray:
    return ranks.greater.astype(np.int64) + worst * ranks.tied


def _near(scores: np.ndarray, target: int, tolerance: float) -> int:
    """How many other candidates score within twice the tolerance of the target; 0 where it is none itself."""
    if target < 0 or not np.isfinite(scores[target]):
        return 0
    return int(np.count_nonzero(np.abs(scores.astype(np.float64) - scores[target]) <= 2 * tolerance)) - 1


def _array(block: object) -> np.ndarray:
    """A block of scores as numpy, wherever it lies."""
    if hasattr(block, "detach"):
        block = block.detach().cpu()
        block = (block.float() if block.element_size() < 4 else block).numpy()
    return np.asarray(block)
